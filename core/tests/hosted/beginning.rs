//! What it takes to begin a login, and what nobody gets to see of it.

use loomkin_auth::auth::HostedOptions;
use loomkin_auth::error::{Error, ErrorCode};

use crate::support::{CONFIG, Stage, account};

/// Why a process with this configuration begins no login at `provider`.
async fn refused(config: &str, provider: &str) -> Error {
    let stage = Stage::new();
    let app = stage.app_with(config).await;
    let begun = app.auth.begin_hosted(&provider.parse().unwrap(), HostedOptions::default()).await;
    begun.unwrap_err()
}

#[tokio::test]
async fn without_a_place_to_come_back_to_the_configuration_is_wrong() {
    let without = CONFIG.replace("callback_base_url = \"https://app.example.com\"", "");
    // No browser comes back to an app on the person's device.
    let native = without.replace("[auth.idp]", "[auth.idp]\nredirect_uri = \"com.example.app:/callback\"");
    for config in [without, native] {
        let error = refused(&config, "idp").await;
        assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        assert!(error.advice().contains("callback_base_url = \"https://"), "{}", error.advice());
    }
}

#[tokio::test]
async fn the_callback_is_below_the_base_or_where_the_configuration_says() {
    let stage = Stage::new();
    let below = CONFIG.replace("https://app.example.com\"", "https://example.com/tools/?x=y\"");
    let login = stage.app_with(&below).await.begin("ada").await;
    assert_eq!(login.redirect_uri, "https://example.com/tools/auth/idp/callback");
    assert!(login.set_cookie.contains("; Path=/tools/auth/idp/callback; "));
    assert!(login.set_cookie.ends_with("; Max-Age=600; HttpOnly; SameSite=Lax; Secure"));

    let fixed = "[auth.idp]\nredirect_uri = \"https://app.example.com/oauth/done\"";
    let login = stage.app_with(&CONFIG.replace("[auth.idp]", fixed)).await.begin("ada").await;
    assert_eq!(login.redirect_uri, "https://app.example.com/oauth/done");
    assert_eq!(login.query["redirect_uri"], login.redirect_uri);
    assert!(login.set_cookie.contains("; Path=/oauth/done; "));
}

#[tokio::test]
async fn a_redirect_uri_is_sent_as_it_is_written() {
    for (written, path) in [
        ("https://app.example.com", "/"),
        ("https://App.example.com:443/oauth/./Done", "/oauth/Done"),
        ("https://app.example.com/a/../b%7e?x=y", "/b%7e"),
    ] {
        let stage = Stage::new();
        let fixed = format!("[auth.idp]\nredirect_uri = \"{written}\"");
        let app = stage.app_with(&CONFIG.replace("[auth.idp]", &fixed)).await;
        let login = app.begin("ada").await;
        assert_eq!(login.redirect_uri, written);
        assert_eq!(login.query["redirect_uri"], written);
        assert!(login.set_cookie.contains(&format!("; Path={path}; ")), "{}", login.set_cookie);
        app.finish("ada", &login.answer(), &login.cookies).await.unwrap();
        assert_eq!(stage.network.forms()[0]["redirect_uri"], written);
    }
}

#[tokio::test]
async fn a_provider_without_the_flow_or_without_a_table_is_refused() {
    for provider in ["anthropic", "nobody"] {
        assert_eq!(refused(CONFIG, provider).await.code(), ErrorCode::Usage, "{provider}");
    }
}

#[tokio::test]
async fn nothing_of_a_login_is_shown_or_lies_in_a_file() {
    let stage = Stage::new();
    let app = stage.app_with(&CONFIG.replace("\"read\"", "\"openid\"")).await;
    let login = app.auth.begin_hosted(&account("ada"), HostedOptions::default()).await.unwrap();
    let mut shown = format!("{login:?} {login:#?} {:?} {:?}", login.cookie(), login.cookie().set_cookie());
    let login = app.begin("grace").await;
    shown.push_str(&format!("{:?}", app.auth.cancel_hosted(&account("ada").owner, login.id).await));
    let secrets = [login.query["state"].as_str(), &login.query["nonce"], login.binding()];
    let error = app.finish("ada", &login.answer(), &login.cookies).await.unwrap_err();
    shown.push_str(&format!("{error:?} {error} {} {:?}", error.advice(), error.details()));
    for secret in secrets {
        assert!(!shown.contains(secret));
    }
    let files = stage.files();
    assert!(files.len() > 2, "the search itself must find the files");
    for file in files {
        assert!(secrets.iter().all(|secret| !file.windows(43).any(|bytes| bytes == secret.as_bytes())));
    }
}
