//! From the authorization request to the first tokens.

use loomkin_auth_dev_provider::{Client, Redirects, Settings};
use reqwest::StatusCode;
use serde_json::json;

use crate::app::{App, REDIRECT, VERIFIER, basic, error_of, id_token_claims, json, redirect_parameters};

#[tokio::test]
async fn the_redirect_carries_code_state_and_issuer() {
    let app = App::start().await;
    let parameters = redirect_parameters(&app.authorize(&[]).await);
    assert!(parameters["code"].starts_with("dev-code-"));
    assert_eq!(parameters["state"], "the-state");
    assert_eq!(parameters["iss"], app.provider.issuer());
    assert_eq!(parameters.len(), 3);
}

#[tokio::test]
async fn a_person_chooses_a_name_and_allows_or_denies() {
    let app = App::start_with(Settings::default()).await;
    let url = app.authorization_url(&[]);
    let page = app.http.get(url.clone()).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let text = page.text().await.unwrap();
    assert!(text.contains("<form") && text.contains("Allow") && text.contains("Deny"), "{text}");

    let choose = async |form: &'static str| {
        let request = app.http.post(url.clone()).body(form);
        redirect_parameters(&request.send().await.unwrap())
    };
    assert_eq!(choose("user=grace&decision=deny").await["error"], "access_denied");
    let code = choose("user=grace&decision=allow").await["code"].clone();
    let answer = json(app.redeem(&code).await).await;
    assert_eq!(id_token_claims(&answer)["preferred_username"], "grace");
}

#[tokio::test]
async fn a_login_hint_spares_the_page() {
    let app = App::start_with(Settings::default()).await;
    let code = redirect_parameters(&app.authorize(&[("login_hint", "linus")]).await)["code"].clone();
    let answer = json(app.redeem(&code).await).await;
    assert_eq!(id_token_claims(&answer)["sub"], "user-linus");
}

#[tokio::test]
async fn the_id_token_is_for_this_client_this_login_and_this_person() {
    let app = App::start().await;
    let code = redirect_parameters(&app.authorize(&[("nonce", "the-nonce")]).await)["code"].clone();
    let answer = json(app.redeem(&code).await).await;
    let claims = id_token_claims(&answer);
    assert_eq!(claims["aud"], Client::DEV);
    assert_eq!(claims["iss"], app.provider.issuer());
    assert_eq!(claims["nonce"], "the-nonce");
    assert_eq!(claims["sub"], "user-ada");
    let without = redirect_parameters(&app.authorize(&[("scope", "profile")]).await)["code"].clone();
    assert!(json(app.redeem(&without).await).await.get("id_token").is_none());
}

#[tokio::test]
async fn a_request_that_names_nobody_is_sent_nowhere() {
    let registered = Redirects::Registered(vec!["http://127.0.0.1/callback".into()]);
    let client = Client { redirects: registered, ..Client::dev() };
    let settings =
        Settings { auto_approve: Some("ada".into()), clients: vec![client], ..Settings::default() };
    let app = App::start_with(settings).await;
    assert_eq!(app.authorize(&[]).await.status(), StatusCode::SEE_OTHER, "any loopback port will do");
    for change in [
        ("client_id", "nobody"),
        ("redirect_uri", "http://127.0.0.1:9/elsewhere"),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "not a url"),
    ] {
        let answer = app.authorize(&[change]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{change:?}");
        assert!(answer.headers().get("location").is_none());
    }
}

#[tokio::test]
async fn without_pkce_there_is_no_code() {
    let app = App::start().await;
    for change in [("code_challenge_method", "plain"), ("code_challenge", "short"), ("code_challenge", "")] {
        let parameters = redirect_parameters(&app.authorize(&[change]).await);
        assert_eq!(parameters["error"], "invalid_request", "{change:?}");
        assert_eq!(parameters["state"], "the-state");
    }
}

#[tokio::test]
async fn nobody_can_be_asked_without_a_prompt() {
    let app = App::start_with(Settings::default()).await;
    assert_eq!(redirect_parameters(&app.authorize(&[("prompt", "none")]).await)["error"], "login_required");
}

#[tokio::test]
async fn a_code_works_once_with_its_verifier_and_redirect() {
    let app = App::start().await;
    let code = app.code().await;
    let attempt = async |verifier: &str, redirect: &str| {
        let form = [
            ("client_id", Client::DEV),
            ("code", &code),
            ("code_verifier", verifier),
            ("grant_type", "authorization_code"),
            ("redirect_uri", redirect),
        ];
        app.post("/token", &form).await.unwrap()
    };
    let refusal = (400, "invalid_grant".to_owned());
    assert_eq!(error_of(attempt("another-verifier", REDIRECT).await).await, refusal);
    assert_eq!(error_of(attempt(VERIFIER, "http://127.0.0.1:9/other").await).await, refusal);
    let first = json(attempt(VERIFIER, REDIRECT).await).await;
    let access = first["access_token"].as_str().unwrap();
    assert!(app.is_active(access).await);
    assert_eq!(error_of(attempt(VERIFIER, REDIRECT).await).await, refusal);
    assert!(!app.is_active(access).await, "a replayed code ends the grant");
}

#[tokio::test]
async fn a_confidential_client_proves_itself_by_header_or_form() {
    let app = App::start().await;
    let attempt = async |basic: Option<String>, secret: Option<&str>| {
        let url = app.authorization_url(&[("client_id", Client::DEV_CONFIDENTIAL)]);
        let code = redirect_parameters(&app.http.get(url).send().await.unwrap())["code"].clone();
        let mut form = vec![
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
            ("client_id", Client::DEV_CONFIDENTIAL),
        ];
        form.extend(secret.map(|secret| ("client_secret", secret)));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = app.http.post(app.provider.url("/token")).body(body);
        if let Some(basic) = basic {
            request = request.header("authorization", basic);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let (id, secret) = (Client::DEV_CONFIDENTIAL, Client::DEV_SECRET);
    assert_eq!(attempt(Some(basic(id, secret)), None).await, 200);
    assert_eq!(attempt(None, Some(secret)).await, 200);
    assert_eq!(attempt(Some(basic(id, "wrong")), None).await, 401);
    assert_eq!(attempt(None, None).await, 401);
    assert_eq!(attempt(Some(basic(id, secret)), Some(secret)).await, 400, "two ways at once");
}

#[tokio::test]
async fn the_paste_page_shows_code_and_state() {
    let app = App::start().await;
    let answer = app.http.get(app.provider.url("/paste?code=abc&state=%3Cx%3E")).send().await.unwrap();
    let text = answer.text().await.unwrap();
    assert!(text.contains(r#"<code id="paste">abc#&lt;x&gt;</code>"#), "{text}");
}

#[tokio::test]
async fn both_documents_name_the_issuer_and_what_is_served() {
    let app = App::start().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let document = json(app.get(path, "").await).await;
        assert_eq!(document["issuer"], app.provider.issuer());
        assert_eq!(document["token_endpoint"], app.provider.url("/token"));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    }
    assert_eq!(json(app.get("/jwks", "").await).await["keys"][0]["crv"], "P-256");
}
