//! An app that logs in by hand, with no help from the code that the scenarios are about.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "a-code-verifier-of-at-least-forty-three-characters";

pub(crate) fn authorization_url(endpoint: &str, client_id: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let parameters = [
        ("client_id", client_id),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid offline_access"),
        ("state", "the-state"),
    ];
    Url::parse_with_params(endpoint, parameters).unwrap().into()
}

pub(crate) fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

pub(crate) async fn redeem(token_endpoint: &str, client_id: &str, code: &str) -> (u16, Value) {
    let form = [
        ("client_id", client_id),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT),
    ];
    post(token_endpoint, &form).await
}

pub(crate) async fn refresh(token_endpoint: &str, client_id: &str, token: &str) -> (u16, Value) {
    post(
        token_endpoint,
        &[("client_id", client_id), ("grant_type", "refresh_token"), ("refresh_token", token)],
    )
    .await
}

async fn post(endpoint: &str, form: &[(&str, &str)]) -> (u16, Value) {
    // Fails when another test installed it before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http.post(endpoint).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}
