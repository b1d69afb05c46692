//! The device authorization grant (RFC 8628).

use std::time::Duration;

use loomkin_auth_dev_provider::{Client, Settings};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, Tokens, error_of, json};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn start() -> App {
    App::start_with(Settings::default()).await
}

async fn begin(app: &App) -> Value {
    let form = [("client_id", Client::DEV), ("scope", "openid profile"), ("device_name", "<Ada's laptop>")];
    json(app.post("/device_authorization", &form).await.unwrap()).await
}

async fn poll(app: &App, codes: &Value) -> reqwest::Response {
    let code = codes["device_code"].as_str().unwrap();
    let form = [("client_id", Client::DEV), ("device_code", code), ("grant_type", GRANT_TYPE)];
    app.post("/token", &form).await.unwrap()
}

async fn told(app: &App, codes: &Value) -> String {
    error_of(poll(app, codes).await).await.1
}

#[tokio::test]
async fn a_person_enters_the_code_and_allows() {
    let app = start().await;
    let codes = begin(&app).await;
    assert_eq!((&codes["interval"], &codes["expires_in"]), (&json!(5), &json!(600)));
    assert_eq!(codes["verification_uri"], app.provider.url("/device"));
    assert_eq!(told(&app, &codes).await, "authorization_pending");

    let asked = app.get("/device", "").await.text().await.unwrap();
    assert!(asked.contains(r#"name="user_code""#), "{asked}");
    // As a person types it.
    let typed = codes["user_code"].as_str().unwrap().to_lowercase().replace('-', " ");
    let page = app.post("/device", &[("user_code", &typed)]).await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;Ada&#39;s laptop&gt;") && page.contains("Deny"), "{page}");
    assert!(page.contains(codes["user_code"].as_str().unwrap()), "{page}");

    let complete = codes["verification_uri_complete"].as_str().unwrap();
    let done = app.http.post(complete).body("user=grace&decision=allow").send().await.unwrap();
    assert_eq!(done.status(), StatusCode::OK);
    let tokens = Tokens::read(poll(&app, &codes).await).await;
    assert!(app.is_active(&tokens.access).await);
    assert_eq!(told(&app, &codes).await, "invalid_grant", "a code works once");
}

#[tokio::test]
async fn a_device_that_polls_too_soon_is_told_to_slow_down() {
    let app = start().await;
    let codes = begin(&app).await;
    assert_eq!(told(&app, &codes).await, "authorization_pending");
    assert_eq!(told(&app, &codes).await, "slow_down");
    app.provider.advance(Duration::from_secs(9));
    assert_eq!(told(&app, &codes).await, "slow_down", "five seconds more than before");
    app.provider.advance(Duration::from_secs(15));
    assert_eq!(told(&app, &codes).await, "authorization_pending");
}

#[tokio::test]
async fn a_denied_an_expired_and_an_unknown_code_yield_nothing() {
    let app = start().await;
    let (denied, expired) = (begin(&app).await, begin(&app).await);
    assert!(app.provider.deny_device(denied["user_code"].as_str().unwrap()));
    assert_eq!(told(&app, &denied).await, "access_denied");
    app.provider.advance(Duration::from_secs(600));
    assert_eq!(told(&app, &expired).await, "expired_token");
    assert!(!app.provider.allow_device(expired["user_code"].as_str().unwrap(), "ada"));
    assert_eq!(told(&app, &json!({"device_code": "unknown"})).await, "invalid_grant");
    let page = app.post("/device", &[("user_code", "BBBB-BBBB")]).await.unwrap();
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_test_decides_over_http_and_nobody_is_asked_where_all_are_approved() {
    let app = start().await;
    let codes = begin(&app).await;
    let decide = async |order: Value| {
        let request =
            app.http.put(app.provider.url("/dev/device")).header("content-type", "application/json");
        request.body(order.to_string()).send().await.unwrap().status()
    };
    let order = json!({"user_code": codes["user_code"], "user": "ada"});
    assert_eq!(decide(order.clone()).await, StatusCode::NO_CONTENT);
    assert_eq!(decide(order).await, StatusCode::NOT_FOUND);
    assert_eq!(poll(&app, &codes).await.status(), StatusCode::OK);

    let app = App::start().await;
    let codes = begin(&app).await;
    assert_eq!(poll(&app, &codes).await.status(), StatusCode::OK);
}
