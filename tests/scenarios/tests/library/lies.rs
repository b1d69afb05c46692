//! Servers that lie at the login: nothing is stored of it, and what was connected before works on.

use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{Browser, Choice, Dev};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_lie_at_the_code_exchange_ends_the_login_alone() {
    let misbehaved = "server_misbehaved";
    check(
        Endpoint::Token,
        [
            (Fault::AnswerLost, "unavailable"),
            (Fault::CutOffBody, "unavailable"),
            (Fault::ResetBeforeProcessing, "unavailable"),
            (Fault::HtmlError { status: 502 }, "unavailable"),
            (Fault::RetryAfterSeconds { status: 429, seconds: 5 }, "unavailable"),
            (Fault::EmptyBody, misbehaved),
            (Fault::Garbage, misbehaved),
            (Fault::OversizedBody { bytes: 2 << 20 }, "unavailable"),
            (Fault::DeeplyNestedBody { depth: 100_000 }, misbehaved),
            (Fault::WrongTypes, misbehaved),
            (Fault::missing("access_token"), misbehaved),
            (Fault::field("id_token", "not-a-token"), misbehaved),
            (Fault::invalid_grant(), "login_closed"),
            (Fault::invalid_client(), "client_rejected"),
            (Fault::ErrorWithOk { error: "invalid_client".into() }, "client_rejected"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_lie_in_the_metadata_begins_no_login() {
    check(
        Endpoint::Metadata,
        [
            (Fault::HtmlError { status: 503 }, "unavailable"),
            (Fault::ResetBeforeProcessing, "unavailable"),
            (Fault::Garbage, "server_misbehaved"),
            (Fault::field("issuer", "https://elsewhere.example"), "server_misbehaved"),
            (Fault::field("token_endpoint", "http://elsewhere.example/token"), "server_misbehaved"),
            (Fault::field("jwks_uri", "http://elsewhere.example/jwks"), "server_misbehaved"),
            (Fault::field("authorization_endpoint", "http://elsewhere.example/"), "server_misbehaved"),
            (Fault::field("id_token_signing_alg_values_supported", vec!["ES512"]), "server_misbehaved"),
            (Fault::missing("token_endpoint"), "config_invalid"),
            (Fault::field("token_endpoint_auth_methods_supported", vec!["none"]), "config_invalid"),
            (
                Fault::field("token_endpoint_auth_methods_supported", vec!["private_key_jwt"]),
                "config_invalid",
            ),
            (Fault::HtmlErrorAfterProcessing { status: 200 }, "server_misbehaved"),
            (Fault::HtmlError { status: 404 }, "server_misbehaved"),
            (Fault::OversizedBody { bytes: 5 << 20 }, "unavailable"),
            (Fault::OversizedBody { bytes: 500 << 10 }, "server_misbehaved"),
            (Fault::DeeplyNestedBody { depth: 100_000 }, "server_misbehaved"),
            (Fault::Redirect { to: "https://elsewhere.example".into() }, "server_misbehaved"),
        ],
    )
    .await;
}

/// Before anybody is sent anywhere: a code can be exchanged once, and is not spent on a token that nobody could check.
#[tokio::test]
async fn a_lie_in_the_keys_begins_no_login() {
    let keys = |keys: serde_json::Value| Fault::field("keys", keys);
    let modulus = "wcHB".repeat(86);
    check(
        Endpoint::Jwks,
        [
            (Fault::HtmlError { status: 503 }, "unavailable"),
            (Fault::ResetBeforeProcessing, "unavailable"),
            (Fault::OversizedBody { bytes: 5 << 20 }, "unavailable"),
            (Fault::OversizedBody { bytes: 500 << 10 }, "server_misbehaved"),
            (Fault::HtmlErrorAfterProcessing { status: 200 }, "server_misbehaved"),
            (Fault::HtmlError { status: 404 }, "server_misbehaved"),
            (Fault::Redirect { to: "https://elsewhere.example".into() }, "server_misbehaved"),
            (Fault::EmptyBody, "server_misbehaved"),
            (Fault::Garbage, "server_misbehaved"),
            (Fault::DeeplyNestedBody { depth: 100_000 }, "server_misbehaved"),
            (Fault::missing("keys"), "server_misbehaved"),
            (keys(json!([])), "server_misbehaved"),
            (keys(json!({})), "server_misbehaved"),
            (keys(json!([{ "kty": "oct", "k": "AAAA" }, { "kty": "of a later time" }])), "server_misbehaved"),
            (keys(json!([{ "kty": "RSA", "n": "wcHB".repeat(43), "e": "AQAB" }])), "server_misbehaved"),
            (keys(json!([{ "kty": "RSA", "n": modulus, "e": "AQAB", "d": "AQAB" }])), "server_misbehaved"),
        ],
    )
    .await;
}

async fn check<const N: usize>(endpoint: Endpoint, table: [(Fault, &'static str); N]) {
    let mut cases = JoinSet::new();
    for (fault, expected) in table {
        cases.spawn(async move { (format!("{fault:?}"), expected, outcome(endpoint, fault).await) });
    }
    let outcomes = cases.join_all().await;
    let wrong: Vec<_> = outcomes.iter().filter(|(_, expected, outcome)| expected != outcome).collect();
    assert!(wrong.is_empty(), "(fault, expected, came): {wrong:#?}");
}

async fn outcome(endpoint: Endpoint, fault: Fault) -> String {
    let dev = Dev::start().await;
    let first = dev.app().await;
    first.connect("dev", "ada").await.unwrap();
    let token = first.token("dev").await.unwrap();

    // Another app, as the first one has read the metadata.
    let app = dev.app().await;
    let exchanges = || dev.provider.count_token_requests("authorization_code");
    let before = exchanges();
    dev.provider.fault(endpoint, fault).until_cleared();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let (connected, _page) = app.connect_with("dev", &mut browser).await;
    dev.provider.clear_faults();
    // What is known before the code is sent, is known in time.
    assert_eq!(exchanges() - before, usize::from(endpoint == Endpoint::Token));
    assert_eq!(app.token("dev").await.unwrap(), token);
    assert_eq!(app.token("dev/other").await.unwrap_err().code().as_str(), "not_connected");
    match connected {
        Ok(_) => "connected".to_owned(),
        Err(error) => error.code().to_string(),
    }
}
