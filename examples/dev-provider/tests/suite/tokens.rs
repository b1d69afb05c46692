//! What tokens are good for, and what ends them.

use std::time::Duration;

use loomkin_auth_dev_provider::{Client, Rotation, Settings};
use reqwest::StatusCode;

use crate::app::{App, Tokens, error_of, json};

#[tokio::test]
async fn an_access_token_opens_the_api_until_it_expires() {
    let app = App::start().await;
    let tokens = app.connect().await;
    assert_eq!(tokens.answer["expires_in"], 3600);
    assert_eq!(json(app.get("/api/hello", &tokens.access).await).await["hello"], "ada");
    let person = json(app.get("/userinfo", &tokens.access).await).await;
    assert_eq!((&person["sub"], &person["email"]), (&"user-ada".into(), &"ada@example.test".into()));

    app.provider.advance(Duration::from_secs(3600));
    let refused = app.get("/api/hello", &tokens.access).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    assert!(!app.is_active(&tokens.access).await);
}

#[tokio::test]
async fn a_lifetime_can_be_set_for_the_next_answers_or_for_all() {
    let app = App::start().await;
    app.provider.next_access_token_lifetimes([Duration::from_secs(5)]);
    assert_eq!(app.connect().await.answer["expires_in"], 5);
    assert_eq!(app.connect().await.answer["expires_in"], 3600);
    app.provider.set_access_token_lifetime(Duration::from_secs(7));
    assert_eq!(app.connect().await.answer["expires_in"], 7);
}

#[tokio::test]
async fn a_refresh_token_rotates_and_its_reuse_kills_the_family() {
    let app = App::start().await;
    let first = app.connect().await;
    let second = Tokens::read(app.refresh(&first.refresh).await.unwrap()).await;
    assert_ne!(first.refresh, second.refresh);
    assert!(app.is_active(&second.refresh).await);

    let refusal = error_of(app.refresh(&first.refresh).await.unwrap()).await;
    assert_eq!(refusal, (400, "invalid_grant".to_owned()));
    assert!(!app.is_active(&second.refresh).await);
    assert!(!app.is_active(&second.access).await);
    assert!(app.provider.was_spent(&first.refresh), "it says so even then");
    assert!(!app.provider.was_spent(&second.refresh));
}

#[tokio::test]
async fn a_server_can_forgive_or_never_rotate() {
    let rotation = Rotation::Forgiving { grace: Duration::from_secs(10) };
    let settings = Settings { auto_approve: Some("ada".into()), ..Settings::default() };
    let app = App::start_with(Settings { rotation, ..settings.clone() }).await;
    let first = app.connect().await;
    let second = Tokens::read(app.refresh(&first.refresh).await.unwrap()).await;
    let again = Tokens::read(app.refresh(&first.refresh).await.unwrap()).await;
    assert_eq!(again.refresh, second.refresh);
    assert_ne!(again.access, second.access);

    let app = App::start_with(Settings { rotation: Rotation::Off, ..settings }).await;
    let first = app.connect().await;
    let second = Tokens::read(app.refresh(&first.refresh).await.unwrap()).await;
    assert_eq!(first.refresh, second.refresh);
}

#[tokio::test]
async fn revoking_the_refresh_token_ends_everything() {
    let app = App::start().await;
    let tokens = app.connect().await;
    let form = [("client_id", Client::DEV), ("token", tokens.refresh.as_str())];
    assert_eq!(app.post("/revoke", &form).await.unwrap().status(), StatusCode::OK);
    assert!(!app.is_active(&tokens.refresh).await);
    assert!(!app.is_active(&tokens.access).await);
    let unknown = [("client_id", Client::DEV), ("token", "unknown")];
    assert_eq!(app.post("/revoke", &unknown).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_person_can_withdraw_everything_at_the_provider() {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.expire_access_tokens();
    assert!(!app.is_active(&tokens.access).await);
    assert!(app.is_active(&tokens.refresh).await);
    app.provider.revoke_grants();
    assert_eq!(error_of(app.refresh(&tokens.refresh).await.unwrap()).await.1, "invalid_grant");
}

#[tokio::test]
async fn the_record_counts_requests_and_holds_no_secret() {
    let app = App::start().await;
    let first = app.connect().await;
    let second = Tokens::read(app.refresh(&first.refresh).await.unwrap()).await;
    app.refresh(&second.refresh).await.unwrap();

    let requests = app.provider.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/authorize", "/token", "/token", "/token"]);
    let last = requests.last().unwrap();
    assert_eq!(last.presented.map(|token| (token.grant, token.generation)), Some((1, 2)));
    assert_eq!((last.number, last.status), (4, Some(200)));
    assert_eq!(last.client_id.as_deref(), Some(Client::DEV));
    assert_eq!(app.provider.count_token_requests("refresh_token"), 2);
    assert_eq!(app.provider.count_token_requests("authorization_code"), 1);

    let text = format!("{requests:?}");
    let secrets = app.provider.issued_secrets();
    assert_eq!(secrets.len(), 1 + 3 + 3 + 3, "a code, and three of each token");
    assert!(secrets.iter().all(|secret| !text.contains(secret)));
    app.provider.clear_requests();
    assert!(app.provider.requests().is_empty());
}

#[tokio::test]
async fn every_code_and_token_carries_the_canary() {
    let settings =
        Settings { auto_approve: Some("ada".into()), token_prefix: "canary-".into(), ..Settings::default() };
    let app = App::start_with(settings).await;
    let code = app.code().await;
    let tokens = Tokens::read(app.redeem(&code).await).await;
    for secret in [&code, &tokens.access, &tokens.refresh] {
        assert!(secret.starts_with("canary-"), "{secret}");
    }
    assert!(!format!("{:?}", app.provider).contains("canary"));
}

#[tokio::test]
async fn a_server_can_go_away_and_come_back_with_its_memory() {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.go_offline().await;
    assert!(app.refresh(&tokens.refresh).await.unwrap_err().is_connect());
    app.provider.go_online().await.unwrap();
    assert_eq!(app.refresh(&tokens.refresh).await.unwrap().status(), StatusCode::OK);
    let url = app.provider.url("/jwks");
    app.provider.stop().await;
    assert!(app.http.get(url).send().await.unwrap_err().is_connect());
}
