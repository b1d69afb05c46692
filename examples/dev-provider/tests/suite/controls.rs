//! The controls over HTTP, for tests in other languages.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::app::{App, error_of, json};

async fn control(app: &App, method: Method, path: &str, body: Value) -> Response {
    let request = app.http.request(method, app.provider.url(path));
    request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
}

async fn put(app: &App, path: &str, body: Value) {
    assert_eq!(control(app, Method::PUT, path, body).await.status(), StatusCode::NO_CONTENT, "{path}");
}

#[tokio::test]
async fn faults_are_ordered_listed_and_cleared() {
    let app = App::start().await;
    let fault = json!({"kind": "retry_after_seconds", "status": 429, "seconds": 3});
    put(&app, "/dev/faults", json!({"endpoint": "token", "fault": fault, "times": 1})).await;
    assert_eq!(app.refresh("any").await.unwrap().status(), 429);
    assert_eq!(app.refresh("any").await.unwrap().status(), 400);

    put(&app, "/dev/faults", json!({"endpoint": "api", "fault": {"kind": "hang"}})).await;
    let orders = json(control(&app, Method::GET, "/dev/faults", json!({})).await).await;
    assert_eq!(orders, json!([{"endpoint": "api", "fault": {"kind": "hang"}, "times": null}]));
    control(&app, Method::DELETE, "/dev/faults", json!({})).await;
    assert_eq!(app.get("/api/hello", "any").await.status(), 401);

    let nonsense = json!({"endpoint": "token", "fault": {"kind": "explode"}});
    let refusal = control(&app, Method::PUT, "/dev/faults", nonsense).await;
    assert!(refusal.status().is_client_error());
    assert!(refusal.text().await.unwrap().contains("answer_lost"), "the known kinds are named");
}

#[tokio::test]
async fn answers_are_held_counted_and_released() {
    let app = std::sync::Arc::new(App::start().await);
    let tokens = app.connect().await;
    assert_eq!(control(&app, Method::GET, "/dev/hold", json!({})).await.status(), StatusCode::CONFLICT);
    put(&app, "/dev/hold", json!({"endpoint": "token", "moment": "before_answering"})).await;
    let refreshing = tokio::spawn({
        let (app, token) = (app.clone(), tokens.refresh.clone());
        async move { app.refresh(&token).await.unwrap().status().as_u16() }
    });
    let held = control(&app, Method::GET, "/dev/hold?wait_for=1", json!({})).await;
    assert_eq!(json(held).await, json!({"arrived": 1}));
    assert!(!app.provider.is_active(&tokens.refresh));
    assert!(!refreshing.is_finished());
    put(&app, "/dev/release", json!({})).await;
    assert_eq!(refreshing.await.unwrap(), 200);
}

#[tokio::test]
async fn the_record_can_be_read_and_cleared() {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.refresh(&tokens.refresh).await.unwrap();
    let requests = json(control(&app, Method::GET, "/dev/requests", json!({})).await).await;
    assert_eq!(requests[2]["grant_type"], "refresh_token");
    assert_eq!(requests[2]["presented"], json!({"grant": 1, "generation": 1}));
    assert_eq!(requests.as_array().unwrap().len(), 3, "the controls are not counted");
    control(&app, Method::DELETE, "/dev/requests", json!({})).await;
    assert!(app.provider.requests().is_empty());
}

#[tokio::test]
async fn time_lifetimes_and_grants_can_be_moved() {
    let app = App::start().await;
    put(&app, "/dev/access-token-lifetime", json!({"seconds": 5, "times": 1})).await;
    let tokens = app.connect().await;
    assert_eq!(tokens.answer["expires_in"], 5);
    put(&app, "/dev/clock", json!({"advance_seconds": 5})).await;
    assert!(!app.is_active(&tokens.access).await);

    put(&app, "/dev/access-token-lifetime", json!({"seconds": 9})).await;
    let tokens = app.connect().await;
    assert_eq!(tokens.answer["expires_in"], 9);
    put(&app, "/dev/expire-access-tokens", json!({})).await;
    assert!(!app.is_active(&tokens.access).await);
    put(&app, "/dev/revoke-grants", json!({})).await;
    assert_eq!(error_of(app.refresh(&tokens.refresh).await.unwrap()).await.1, "invalid_grant");
}

#[tokio::test]
async fn a_document_that_is_known_is_not_sent_again_and_another_key_is_another_document() {
    let app = App::start().await;
    let ask = async |path: &str, etag: &str| {
        app.http.get(app.provider.url(path)).header("if-none-match", etag).send().await.unwrap()
    };
    for path in ["/jwks", "/.well-known/openid-configuration"] {
        let first = ask(path, "\"other\"").await;
        assert_eq!(
            (first.status(), &first.headers()["cache-control"]),
            (StatusCode::OK, &"max-age=3600".parse().unwrap())
        );
        let etag = first.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(ask(path, &etag).await.status(), StatusCode::NOT_MODIFIED);
        put(&app, "/dev/rotate-signing-key", json!({})).await;
        let changed = if path == "/jwks" { StatusCode::OK } else { StatusCode::NOT_MODIFIED };
        assert_eq!(ask(path, &etag).await.status(), changed);
    }
    let keys = json(app.get("/jwks", "").await).await;
    assert_eq!((&keys["keys"][0]["kid"], &keys["keys"][1]), (&json!("dev-3"), &Value::Null));
}
