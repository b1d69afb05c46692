//! Faults told after the server has acted: the token that was presented is spent.

use loomkin_auth_dev_provider::{Endpoint, Fault, Forgery};
use serde_json::{Value, json};

use crate::app::{App, id_token_claims, json};

/// A login, then `fault` once on the next refresh; the token must be spent by it.
async fn refresh_under(fault: Fault) -> Result<reqwest::Response, reqwest::Error> {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.fault(Endpoint::Token, fault).once();
    let answer = app.refresh(&tokens.refresh).await;
    assert!(!app.provider.is_active(&tokens.refresh));
    answer
}

async fn bytes_under(fault: Fault) -> Vec<u8> {
    let answer = refresh_under(fault).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

async fn json_under(fault: Fault) -> Value {
    json(refresh_under(fault).await.unwrap()).await
}

#[tokio::test]
async fn an_answer_can_be_lost() {
    let error = refresh_under(Fault::AnswerLost).await.unwrap_err();
    assert!(error.is_request() && !error.is_connect() && !error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_body_can_be_cut_off() {
    let mut answer = refresh_under(Fault::CutOffBody).await.unwrap();
    let promised: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let first = answer.chunk().await.unwrap().unwrap();
    assert_eq!(first.len(), promised / 2);
    answer.chunk().await.unwrap_err();
}

#[tokio::test]
async fn a_body_can_stall() {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.fault(Endpoint::Token, Fault::StalledBody).once();
    let mut answer = app.refresh(&tokens.refresh).await.unwrap();
    assert!(answer.chunk().await.unwrap().is_some());
    let mut rest = tokio::spawn(async move { answer.chunk().await.map(|_| ()) });
    // The server still serves others, and the rest has not come.
    assert_eq!(app.get("/jwks", "").await.status(), 200);
    assert!(is_pending(&mut rest).await);
    rest.abort();
}

async fn is_pending<T>(task: &mut tokio::task::JoinHandle<T>) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *task).poll(context).is_pending())
    })
    .await
}

#[tokio::test]
async fn a_body_can_be_far_too_long() {
    let bytes = bytes_under(Fault::OversizedBody { bytes: 2 << 20 }).await;
    assert!(bytes.len() > 2 << 20);
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    assert!(answer["access_token"].is_string(), "only the size is wrong");
}

#[tokio::test]
async fn a_body_can_be_empty_or_garbage() {
    assert_eq!(bytes_under(Fault::EmptyBody).await, b"");
    let garbage = bytes_under(Fault::Garbage).await;
    assert!(String::from_utf8(garbage).is_err());
}

#[tokio::test]
async fn a_body_can_nest_deeper_than_a_reader_should_follow() {
    let text = String::from_utf8(bytes_under(Fault::DeeplyNestedBody { depth: 10_000 }).await).unwrap();
    assert_eq!((text.matches('[').count(), text.matches(']').count()), (10_000, 10_000));
    assert!(text.contains("access_token"));
}

#[tokio::test]
async fn members_can_be_untrue_or_missing() {
    for value in [json!("3600"), json!(3599.5), json!(-1), json!("abc"), Value::Null] {
        let answer = json_under(Fault::field("expires_in", value.clone())).await;
        assert_eq!(answer["expires_in"], value);
        assert!(answer["access_token"].is_string(), "the rest is true");
    }
    for name in ["access_token", "expires_in", "refresh_token", "token_type"] {
        let answer = json_under(Fault::missing(name)).await;
        assert!(answer.get(name).is_none());
        assert_eq!(answer.as_object().unwrap().len(), 5, "{answer}");
    }
}

#[tokio::test]
async fn every_member_can_have_another_type() {
    let answer = json_under(Fault::WrongTypes).await;
    assert_eq!((&answer["access_token"], &answer["expires_in"]), (&json!(5), &json!(["abc"])));
}

#[tokio::test]
async fn an_answer_can_be_form_encoded() {
    let answer = refresh_under(Fault::FormEncodedBody).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-www-form-urlencoded");
    let text = answer.text().await.unwrap();
    let members: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).collect();
    assert!(members.iter().any(|(name, value)| name == "expires_in" && value == "3600"), "{members:?}");
}

#[tokio::test]
async fn the_status_can_be_odd() {
    let answer = refresh_under(Fault::Status { status: 201 }).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert!(json(answer).await["access_token"].is_string());
    let answer = refresh_under(Fault::HtmlErrorAfterProcessing { status: 504 }).await.unwrap();
    assert_eq!(answer.status(), 504);
}

#[tokio::test]
async fn another_person_can_come_back() {
    let other = Fault::OtherAccount { user: "grace".into() };
    let answer = json_under(other.clone()).await;
    let claims = id_token_claims(&answer);
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("user-grace"), &json!("dev-client")));

    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.fault(Endpoint::Userinfo, other).once();
    assert_eq!(json(app.get("/userinfo", &tokens.access).await).await["sub"], "user-grace");
    assert_eq!(json(app.get("/userinfo", &tokens.access).await).await["sub"], "user-ada");
}

#[tokio::test]
async fn a_lie_about_a_success_waits_for_one() {
    let app = App::start().await;
    let tokens = app.connect().await;
    app.provider.fault(Endpoint::Token, Fault::missing("refresh_token")).once();
    assert_eq!(app.refresh("unknown").await.unwrap().status(), 400);
    assert!(json(app.refresh(&tokens.refresh).await.unwrap()).await.get("refresh_token").is_none());
}

#[tokio::test]
async fn metadata_can_claim_another_issuer() {
    let app = App::start().await;
    app.provider.fault(Endpoint::Metadata, Fault::field("issuer", "https://elsewhere.example")).once();
    let document = json(app.get("/.well-known/openid-configuration", "").await).await;
    assert_eq!(document["issuer"], "https://elsewhere.example");
}

#[tokio::test]
async fn an_id_token_can_say_something_else_or_be_forged() {
    let answer = json_under(Fault::id_token_claim("aud", "somebody")).await;
    assert_eq!(id_token_claims(&answer)["aud"], "somebody");
    let answer = json_under(Fault::id_token_claim("iat", serde_json::Value::Null)).await;
    assert!(id_token_claims(&answer).get("iat").is_none());
    let answer = json_under(Fault::IdTokenSignature { forgery: Forgery::AlgNone }).await;
    assert!(answer["id_token"].as_str().unwrap().ends_with('.'));
    let answer = json_under(Fault::IdTokenSignature { forgery: Forgery::Tampered }).await;
    assert_eq!(id_token_claims(&answer)["sub"], "user-mallory");
}
