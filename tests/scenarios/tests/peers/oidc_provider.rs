//! The real server: it does what the scenarios rely on.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_scenarios::{Browser, Choice, Moment, OidcProvider, Peer as _};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::app::{REDIRECT, authorization_url, parameter, redeem, refresh};

const LIFETIME: Duration = Duration::from_secs(60);

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

async fn connect(server: &OidcProvider) -> Value {
    let url = authorization_url(&format!("{}/auth", server.issuer()), OidcProvider::CLIENT);
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let arrived = browser.walk(&url, REDIRECT).await.unwrap();
    assert_eq!(parameter(&arrived, "state"), "the-state");
    assert_eq!(parameter(&arrived, "iss"), server.issuer());
    let endpoint = format!("{}/token", server.issuer());
    let (status, tokens) = redeem(&endpoint, OidcProvider::CLIENT, &parameter(&arrived, "code")).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn a_login_through_its_pages_gives_tokens_that_rotate() {
    let server = OidcProvider::start(LIFETIME).await.unwrap();
    let first = connect(&server).await;
    assert_eq!(first["expires_in"], 60);
    let old = text(&first, "refresh_token");
    assert!(server.is_active(&text(&first, "access_token")).await.unwrap());

    let endpoint = format!("{}/token", server.issuer());
    server.set_access_token_lifetime(Duration::from_secs(7)).await.unwrap();
    let (_, second) = refresh(&endpoint, OidcProvider::CLIENT, &old).await;
    assert_eq!(second["expires_in"], 7);
    let new = text(&second, "refresh_token");
    assert_ne!(old, new);

    let (status, refusal) = refresh(&endpoint, OidcProvider::CLIENT, &old).await;
    assert_eq!((status, &refusal["error"]), (400, &"invalid_grant".into()));
    assert!(!server.is_active(&new).await.unwrap(), "reuse ends the grant");
    assert!(server.was_spent(&old).await.unwrap(), "it says so even then");
    assert!(!server.was_spent(&new).await.unwrap());
    assert_eq!(server.count_token_requests("refresh_token").await.unwrap(), 2);
    server.clear_requests().await.unwrap();
    assert_eq!(server.count_token_requests("refresh_token").await.unwrap(), 0);
    server.stop().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn a_person_can_deny_and_can_withdraw() {
    let server = OidcProvider::start(LIFETIME).await.unwrap();
    let url = authorization_url(&format!("{}/auth", server.issuer()), OidcProvider::CLIENT);
    let arrived = Browser::new("ada", Choice::Deny).unwrap().walk(&url, REDIRECT).await.unwrap();
    assert_eq!(parameter(&arrived, "error"), "access_denied");

    let tokens = connect(&server).await;
    server.revoke_grants().await.unwrap();
    assert!(!server.is_active(&text(&tokens, "refresh_token")).await.unwrap());
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn two_refreshes_at_once_lose_the_account() {
    let server = Arc::new(OidcProvider::start(LIFETIME).await.unwrap());
    let token = text(&connect(&server).await, "refresh_token");
    server.hold_token_requests(Moment::BeforeProcessing).await.unwrap();
    let mut both = JoinSet::new();
    for _ in 0..2 {
        let (endpoint, token) = (format!("{}/token", server.issuer()), token.clone());
        both.spawn(async move { refresh(&endpoint, OidcProvider::CLIENT, &token).await });
    }
    server.wait_for_held(2).await.unwrap();
    assert!(server.is_active(&token).await.unwrap(), "nothing was processed yet");
    server.release().await.unwrap();
    let answers = both.join_all().await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1);
    for (status, answer) in answers {
        if status == 200 {
            assert!(!server.is_active(&text(&answer, "refresh_token")).await.unwrap());
        }
    }
    assert_eq!(server.count_token_requests("refresh_token").await.unwrap(), 2);
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn an_answer_held_back_has_been_acted_upon() {
    let server = Arc::new(OidcProvider::start(LIFETIME).await.unwrap());
    let token = text(&connect(&server).await, "refresh_token");
    server.hold_token_requests(Moment::BeforeAnswering).await.unwrap();
    let endpoint = format!("{}/token", server.issuer());
    let refreshing = tokio::spawn({
        let token = token.clone();
        async move { refresh(&endpoint, OidcProvider::CLIENT, &token).await.0 }
    });
    server.wait_for_held(1).await.unwrap();
    assert!(!server.is_active(&token).await.unwrap(), "the token is spent");
    assert!(!refreshing.is_finished());
    server.release().await.unwrap();
    assert_eq!(refreshing.await.unwrap(), 200);
}
