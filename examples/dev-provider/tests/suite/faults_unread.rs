//! Faults that leave everything as it was: the same token works right after.

use loomkin_auth_dev_provider::{Endpoint, Fault};
use reqwest::header::{LOCATION, RETRY_AFTER};

use crate::app::{App, Tokens, error_of, json, soon};

/// A login, then `fault` once on the next refresh; the token must have survived it.
async fn refresh_under(fault: Fault) -> Result<reqwest::Response, reqwest::Error> {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.fault(Endpoint::Token, fault).once();
    let answer = app.refresh(&tokens.refresh).await;
    assert!(app.provider.is_active(&tokens.refresh));
    Tokens::read(app.refresh(&tokens.refresh).await.unwrap()).await;
    answer
}

#[tokio::test]
async fn a_server_error_is_a_page() {
    let answer = refresh_under(Fault::HtmlError { status: 502 }).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().contains("<h1>502</h1>"));
}

#[tokio::test]
async fn retry_after_comes_as_seconds_or_as_a_date() {
    let answer = refresh_under(Fault::RetryAfterSeconds { status: 429, seconds: 3 }).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()[RETRY_AFTER]), (429, &"3".parse().unwrap()));

    let answer = refresh_under(Fault::RetryAfterDate { status: 503, seconds: 90 }).await.unwrap();
    assert_eq!(answer.status(), 503);
    let date = httpdate::parse_http_date(answer.headers()[RETRY_AFTER].to_str().unwrap()).unwrap();
    let sent = httpdate::parse_http_date(answer.headers()["date"].to_str().unwrap()).unwrap();
    // The two clocks are read a moment apart, which may lie on either side of a full second.
    assert!((89..=91).contains(&date.duration_since(sent).unwrap().as_secs()));
}

#[tokio::test]
async fn oauth_errors_come_with_any_status() {
    for (fault, status, error) in [
        (Fault::invalid_grant(), 400, "invalid_grant"),
        (Fault::invalid_client(), 401, "invalid_client"),
        (Fault::ErrorWithOk { error: "bad_refresh_token".into() }, 200, "bad_refresh_token"),
        (
            Fault::OAuthError { error: "temporarily_unavailable".into(), status: 403 },
            403,
            "temporarily_unavailable",
        ),
    ] {
        assert_eq!(error_of(refresh_under(fault).await.unwrap()).await, (status, error.to_owned()));
    }
}

#[tokio::test]
async fn a_refusal_may_lack_an_error() {
    let answer = refresh_under(Fault::RefusalWithoutError { status: 404 }).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(json(answer).await.get("error").is_none());
}

#[tokio::test]
async fn a_redirect_points_elsewhere() {
    let elsewhere = "http://127.0.0.1:9/elsewhere";
    let answer = refresh_under(Fault::Redirect { to: elsewhere.into() }).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()[LOCATION].to_str().unwrap()), (307, elsewhere));
}

#[tokio::test]
async fn a_reset_connection_gives_no_answer() {
    let error = refresh_under(Fault::ResetBeforeProcessing).await.unwrap_err();
    assert!(error.is_request() && !error.is_connect() && !error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_hanging_server_never_answers() {
    let app = std::sync::Arc::new(App::start().await);
    let tokens = app.connect().await;
    app.provider.fault(Endpoint::Token, Fault::Hang).once();
    let gate = app.provider.hold_token_answers();
    let hanging = tokio::spawn({
        let (app, token) = (app.clone(), tokens.refresh.clone());
        async move { app.refresh(&token).await.map(|_| ()) }
    });
    soon(gate.wait_for(1)).await;
    gate.release();
    // The next request goes through the whole server, and the first one is still waiting.
    Tokens::read(app.refresh(&tokens.refresh).await.unwrap()).await;
    assert!(!hanging.is_finished());
    hanging.abort();
}

#[tokio::test]
async fn faults_stay_until_cleared_and_touch_only_their_endpoint() {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.fault(Endpoint::Userinfo, Fault::HtmlError { status: 500 }).until_cleared();
    for _ in 0..3 {
        assert_eq!(app.get("/userinfo", &tokens.access).await.status(), 500);
        assert_eq!(app.get("/api/hello", &tokens.access).await.status(), 200);
    }
    app.provider.clear_faults();
    assert_eq!(app.get("/userinfo", &tokens.access).await.status(), 200);
}
