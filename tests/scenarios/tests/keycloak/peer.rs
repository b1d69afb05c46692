//! The server itself: it does what the scenarios rely on.

use std::time::Duration;

use loomkin_auth_scenarios::{Browser, Choice, Keycloak, Moment, Peer as _};
use serde_json::Value;

use crate::app::{REDIRECT, authorization_url, parameter, redeem, refresh};

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

fn endpoint(server: &Keycloak, name: &str) -> String {
    format!("{}/protocol/openid-connect/{name}", server.issuer())
}

async fn connect(server: &Keycloak) -> Value {
    let url = authorization_url(&endpoint(server, "auth"), Keycloak::CLIENT);
    let arrived = Browser::new("ada", Choice::Allow).unwrap().walk(&url, REDIRECT).await.unwrap();
    assert_eq!(parameter(&arrived, "state"), "the-state");
    assert_eq!(parameter(&arrived, "iss"), server.issuer());
    let code = parameter(&arrived, "code");
    let (status, tokens) = redeem(&endpoint(server, "token"), Keycloak::CLIENT, &code).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn the_reuse_of_a_refresh_token_ends_its_grant() {
    let server = Keycloak::start(Duration::from_secs(60)).await.unwrap();
    let first = connect(&server).await;
    assert!(server.is_active(&text(&first, "access_token")).await.unwrap());

    let (old, token_endpoint) = (text(&first, "refresh_token"), endpoint(&server, "token"));
    server.set_access_token_lifetime(Duration::from_secs(7)).await.unwrap();
    let (_, second) = refresh(&token_endpoint, Keycloak::CLIENT, &old).await;
    // It says how much is left.
    assert!(second["expires_in"].as_u64().is_some_and(|seconds| seconds <= 7), "{second}");
    assert_ne!(text(&second, "refresh_token"), old);

    for token in [old, text(&second, "refresh_token")] {
        let (status, refusal) = refresh(&token_endpoint, Keycloak::CLIENT, &token).await;
        assert_eq!((status, &refusal["error"]), (400, &"invalid_grant".into()));
    }
    assert!(!server.is_active(&text(&second, "access_token")).await.unwrap());
    assert_eq!(server.count_token_requests("refresh_token").await.unwrap(), 3);
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn a_person_can_withdraw() {
    let server = Keycloak::start(Duration::from_secs(60)).await.unwrap();
    let tokens = connect(&server).await;
    server.revoke_grants().await.unwrap();
    assert!(!server.is_active(&text(&tokens, "access_token")).await.unwrap());
    let token = text(&tokens, "refresh_token");
    let (status, refusal) = refresh(&endpoint(&server, "token"), Keycloak::CLIENT, &token).await;
    assert_eq!((status, &refusal["error"]), (400, &"invalid_grant".into()));
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn an_answer_held_back_has_been_acted_upon_and_a_request_held_back_has_not() {
    let server = Keycloak::start(Duration::from_secs(60)).await.unwrap();
    let token = text(&connect(&server).await, "refresh_token");
    let endpoint = endpoint(&server, "token");
    for (moment, acted) in [(Moment::BeforeProcessing, 0), (Moment::BeforeAnswering, 1)] {
        server.clear_requests().await.unwrap();
        server.hold_token_requests(moment).await.unwrap();
        let refreshing = tokio::spawn({
            let (endpoint, token) = (endpoint.clone(), token.clone());
            async move { refresh(&endpoint, Keycloak::CLIENT, &token).await.0 }
        });
        server.wait_for_held(1).await.unwrap();
        assert_eq!(server.count_token_requests("refresh_token").await.unwrap(), acted, "{moment:?}");
        assert!(!refreshing.is_finished());
        refreshing.abort();
        server.release().await.unwrap();
    }
    // Given up before it was processed, the token was good; after that it is spent.
    assert_eq!(refresh(&endpoint, Keycloak::CLIENT, &token).await.0, 400);
}
