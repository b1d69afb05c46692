//! The relying-party profiles of OpenID Connect (Basic and Config), case by case, against a server that lies to order.
//!
//! | Test of the profiles | Test here |
//! | --- | --- |
//! | `rp-response_type-code`, `rp-scope-userinfo-claims`, `rp-userinfo-bearer-header`, `rp-discovery-openid-configuration`, `rp-discovery-jwks_uri-keys` | [`a_login_by_code_knows_whose_it_is`] |
//! | `rp-token_endpoint-client_secret_basic`, `rp-token_endpoint-client_secret_post` | [`a_secret_is_presented_as_configured`] |
//! | `rp-nonce-invalid` | [`an_id_token_of_another_login_is_refused`] |
//! | `rp-id_token-issuer-mismatch`, `rp-id_token-sub`, `rp-id_token-aud`, `rp-id_token-iat`, `rp-id_token-bad-at_hash` | [`an_id_token_with_a_wrong_claim_is_refused`] |
//! | `rp-id_token-sig-rs256`, `rp-id_token-sig-es256`, `rp-id_token-kid-absent-single-jwks` | [`a_good_signature_by_either_kind_of_key_is_accepted`] |
//! | `rp-id_token-bad-sig-rs256`, `rp-id_token-bad-sig-es256`, `rp-id_token-sig-none` | [`a_bad_signature_is_refused`] |
//! | `rp-id_token-sig-hs256`, `rp-id_token-bad-sig-hs256` | [`the_client_secret_signs_only_where_nothing_else_does`] |
//! | `rp-id_token-kid-absent-multiple-jwks` | [`without_a_name_every_key_may_be_meant`] |
//! | `rp-userinfo-bad-sub-claim` | [`userinfo_of_somebody_else_says_nothing`] |
//! | `rp-discovery-issuer-not-matching-config` | [`metadata_that_is_not_the_issuers_begins_no_login`] |
//! | `rp-key-rotation-op-sign-key`, `rp-key-rotation-op-sign-key-native` | [`a_new_key_is_fetched_when_an_id_token_names_it`] |
//!
//! `rp-nonce-unless-code-flow` asks for a nonce in flows that are not used here; in this one it is always sent. Web Finger,
//! dynamic registration, request objects and encryption belong to other profiles.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_dev_provider::{DevProvider, Endpoint, Fault, Forgery, Settings, Signing};
use loomkin_auth_scenarios::{App, Dev, Home, MovedClock};
use serde_json::{Value, json};

/// What comes of a login while `order` is in force: the account's id, or the error's code. Of a login that fails nothing is
/// kept.
async fn login(settings: Settings, order: impl FnOnce(&DevProvider)) -> String {
    let dev = Dev::start_with(settings).await;
    order(&dev.provider);
    let app = dev.app().await;
    match app.connect("dev", "ada").await {
        Ok(connected) => connected.account_id.unwrap_or_default(),
        Err(error) => {
            assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
            error.code().to_string()
        }
    }
}

async fn login_with_token(fault: Fault) -> String {
    let shown = format!("{fault:?}");
    let outcome = login(Settings::default(), |provider| provider.fault(Endpoint::Token, fault).once()).await;
    format!("{shown}: {outcome}")
}

#[tokio::test]
async fn a_login_by_code_knows_whose_it_is() {
    // The name comes from the userinfo endpoint, which takes the token in the header alone.
    let dev = Dev::start_with(Settings { lean_id_tokens: true, ..Settings::default() }).await;
    let app = dev.app().await;
    let connected = app.connect("dev", "ada").await.unwrap();
    assert_eq!(
        (connected.account_id.as_deref(), connected.account_login.as_deref()),
        (Some("user-ada"), Some("ada"))
    );
    let paths: Vec<_> = dev.provider.requests().into_iter().map(|request| request.path).collect();
    let first = paths.iter().position(|path| path == "/jwks").unwrap();
    let exchange = paths.iter().position(|path| path == "/token").unwrap();
    assert!(first < exchange, "the keys are there before the code is spent: {paths:?}");
    assert!(paths.contains(&"/userinfo".to_owned()));
}

#[tokio::test]
async fn a_secret_is_presented_as_configured() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let dev = Dev::start().await;
        dev.configure(&format!("auth_method = \"{method}\""));
        let app = dev.app().await;
        dev.connect_expired(&app, "dev").await.unwrap();
        assert!(dev.provider.is_active(&app.token("dev").await.unwrap()), "{method}");
        assert!(app.disconnect("dev").await.is_ok());
        let client = |request: &loomkin_auth_dev_provider::RecordedRequest| request.client_id.clone();
        let requests = dev.provider.requests();
        let posts: Vec<_> =
            requests.iter().filter(|request| ["/token", "/revoke"].contains(&&*request.path)).collect();
        assert_eq!(posts.iter().filter(|request| request.path == "/revoke").count(), 1, "{method}");
        assert!(posts.iter().all(|request| client(request).as_deref() == Some("scenario-client")));
        assert!(posts.iter().all(|request| request.status == Some(200)), "{method}: {posts:?}");
    }
}

#[tokio::test]
async fn an_id_token_of_another_login_is_refused() {
    for nonce in [json!("another"), json!(""), Value::Null] {
        let outcome = login_with_token(Fault::id_token_claim("nonce", nonce)).await;
        assert!(outcome.ends_with(": server_misbehaved"), "{outcome}");
    }
}

#[tokio::test]
async fn an_id_token_with_a_wrong_claim_is_refused() {
    let elsewhere = "https://elsewhere.example";
    let yesterday = 1_000_000_000;
    for (name, value) in [
        ("iss", json!(elsewhere)),
        ("iss", Value::Null),
        ("sub", Value::Null),
        ("sub", json!("x".repeat(256))),
        ("aud", json!("another-client")),
        ("aud", json!(["scenario-client", "another-client"])),
        ("azp", json!("another-client")),
        ("exp", json!(yesterday)),
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("iat", json!(4_000_000_000_u64)),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        let outcome = login_with_token(Fault::id_token_claim(name, value)).await;
        assert!(outcome.ends_with(": server_misbehaved"), "{outcome}");
    }
}

#[tokio::test]
async fn a_good_signature_by_either_kind_of_key_is_accepted() {
    for signing in [Signing::Es256, Signing::Rs256] {
        let settings = || Settings { signing, ..Settings::default() };
        assert_eq!(login(settings(), |_| {}).await, "user-ada", "{signing:?}");
        let nameless = Fault::IdTokenSignature { forgery: Forgery::NoKeyId };
        let outcome = login(settings(), |provider| provider.fault(Endpoint::Token, nameless).once());
        assert_eq!(outcome.await, "user-ada", "{signing:?}");
    }
}

#[tokio::test]
async fn a_bad_signature_is_refused() {
    for signing in [Signing::Es256, Signing::Rs256] {
        for forgery in [
            Forgery::AlgNone,
            Forgery::AnotherKey,
            Forgery::ClientSecret,
            Forgery::PublicKeyAsSecret,
            Forgery::Tampered,
            Forgery::UnknownKeyId,
        ] {
            let settings = Settings { signing, ..Settings::default() };
            let fault = Fault::IdTokenSignature { forgery };
            let outcome = login(settings, |provider| provider.fault(Endpoint::Token, fault).once()).await;
            assert_eq!(outcome, "server_misbehaved", "{signing:?} {forgery:?}");
        }
    }
}

#[tokio::test]
async fn the_client_secret_signs_only_where_nothing_else_does() {
    let by = async |names: Value, forgery| {
        login(Settings::default(), |provider| {
            let names = Fault::field("id_token_signing_alg_values_supported", names);
            provider.fault(Endpoint::Metadata, names).until_cleared();
            provider.fault(Endpoint::Token, Fault::IdTokenSignature { forgery }).once();
        })
        .await
    };
    assert_eq!(by(json!(["HS256"]), Forgery::ClientSecret).await, "user-ada");
    assert_eq!(by(json!(["HS256"]), Forgery::PublicKeyAsSecret).await, "server_misbehaved");
    assert_eq!(by(json!(["HS256"]), Forgery::NoKeyId).await, "server_misbehaved");
    assert_eq!(by(json!(["HS256", "ES256"]), Forgery::ClientSecret).await, "server_misbehaved");
}

#[tokio::test]
async fn without_a_name_every_key_may_be_meant() {
    // Keys of one name, of other kinds, too short, and one whose private half stands beside it.
    let (short, private) =
        ("wcHB".repeat(43), json!({ "kty": "RSA", "n": "wcHB".repeat(86), "e": "AQAB", "d": "AQAB" }));
    let others = [
        json!({ "kty": "EC", "crv": "P-256", "kid": "dev-1", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }),
        json!({ "kty": "OKP", "crv": "X448", "x": "AAAA" }),
        json!({ "kty": "of a later time" }),
        json!({ "kty": "RSA", "kid": "dev-1", "n": short, "e": "AQAB" }),
        private,
        json!(7),
    ];
    for forgery in [None, Some(Forgery::NoKeyId)] {
        let outcome = login(Settings::default(), |provider| {
            let mut keys = others.to_vec();
            keys.push(provider.published_keys()["keys"][0].clone());
            provider.fault(Endpoint::Jwks, Fault::field("keys", keys)).until_cleared();
            if let Some(forgery) = forgery {
                provider.fault(Endpoint::Token, Fault::IdTokenSignature { forgery }).once();
            }
        });
        assert_eq!(outcome.await, "user-ada", "{forgery:?}");
    }
}

#[tokio::test]
async fn userinfo_of_somebody_else_says_nothing() {
    let dev = Dev::start_with(Settings { lean_id_tokens: true, ..Settings::default() }).await;
    dev.provider.fault(Endpoint::Userinfo, Fault::OtherAccount { user: "mallory".into() }).once();
    let connected = dev.app().await.connect("dev", "ada").await.unwrap();
    assert_eq!((connected.account_id.as_deref(), connected.account_login), (Some("user-ada"), None));
}

#[tokio::test]
async fn metadata_that_is_not_the_issuers_begins_no_login() {
    let dev = Dev::start().await;
    let issuer = Fault::field("issuer", format!("{}/", dev.provider.issuer()));
    dev.provider.fault(Endpoint::Metadata, issuer).until_cleared();
    let error = dev.app().await.connect("dev", "ada").await.unwrap_err();
    assert_eq!(error.code().as_str(), "server_misbehaved");
    assert!(error.advice().contains("issuer"), "{}", error.advice());
    assert!(dev.provider.requests().iter().all(|request| request.path.starts_with("/.well-known/")));
}

#[tokio::test]
async fn a_new_key_is_fetched_when_an_id_token_names_it() {
    let dev = Dev::start().await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&dev.home, clock.clone()).await.unwrap();
    let fetched = || dev.provider.requests().iter().filter(|request| request.path == "/jwks").count();
    app.connect("dev", "ada").await.unwrap();
    app.connect("dev", "ada").await.unwrap();
    assert_eq!(fetched(), 1);

    dev.provider.rotate_signing_key().unwrap();
    app.connect("dev", "ada").await.unwrap();
    assert_eq!(fetched(), 2);

    // Tokens that name a key which nobody has are no reason to ask again and again.
    let unknown = Fault::IdTokenSignature { forgery: Forgery::UnknownKeyId };
    dev.provider.fault(Endpoint::Token, unknown.clone()).times(5);
    for _ in 0..5 {
        assert_eq!(app.connect("dev", "ada").await.unwrap_err().code().as_str(), "server_misbehaved");
    }
    assert_eq!(fetched(), 2);
    app.connect("dev", "ada").await.unwrap();

    dev.advance(&clock, Duration::from_secs(60));
    dev.provider.fault(Endpoint::Token, unknown).once();
    assert_eq!(app.connect("dev", "ada").await.unwrap_err().code().as_str(), "server_misbehaved");
    assert_eq!(fetched(), 3);
}

/// Nobody else would check that the secret of every scenario goes through `Basic` whole.
#[test]
fn the_secret_of_the_scenarios_has_to_be_form_encoded() {
    assert!(Home::CLIENT_SECRET.contains(['+', ' ', ':', '%', '&']));
}
