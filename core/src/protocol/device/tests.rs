use http::header::{ACCEPT, AUTHORIZATION};
use serde_json::json;

use super::*;
use crate::protocol::fixture::{NOW, answer, form_of, labelled, pairs};
use crate::provider::fixture::{builder, example_provider};

/// RFC 8628 §3.2.
const RFC: &str = r#"{
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://example.com/device",
    "verification_uri_complete":
        "https://example.com/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 5
  }"#;

fn with_device_endpoint(mut builder: crate::provider::ProviderBuilder) -> Provider {
    builder.endpoints.token = Some("https://server.example.com/token".parse().unwrap());
    builder.endpoints.device_authorization =
        Some("https://server.example.com/device_authorization".parse().unwrap());
    builder.build(None).unwrap()
}

fn read(body: impl AsRef<[u8]>) -> Result<DeviceAuthorization> {
    DeviceAuthorization::read(&answer(200, body), NOW, NOW)
}

/// The RFC's answer with one member changed; `Value::Null` takes it out.
fn changed(name: &str, value: Value) -> Result<DeviceAuthorization> {
    let mut body: Value = serde_json::from_str(RFC).unwrap();
    body[name] = value;
    if body[name].is_null() {
        body.as_object_mut().unwrap().remove(name);
    }
    read(body.to_string())
}

/// RFC 8628 §3.1.
#[test]
fn the_rfcs_request() {
    let mut builder = builder(None);
    builder.registration.client_id = "1406020730".to_owned();
    builder.registration.client_secret = None;
    builder.registration.scopes = Some(vec!["example_scope".to_owned()]);
    let provider = with_device_endpoint(builder);
    let request = device_authorization_request(&provider, &provider.scopes).unwrap();
    assert_eq!(request.method, http::Method::POST);
    assert_eq!(request.url.as_str(), "https://server.example.com/device_authorization");
    assert_eq!(request.headers[ACCEPT], "application/json");
    assert_eq!(
        form_of(&request),
        url::form_urlencoded::parse(b"client_id=1406020730&scope=example_scope")
            .into_owned()
            .collect::<Vec<_>>()
    );
}

/// RFC 8628 §3.2.
#[test]
fn the_rfcs_answer() {
    let read = read(RFC).unwrap();
    assert!(read.device_code.matches(&Secret::new("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS")));
    assert_eq!(read.user_code(), "WDJB-MJHT");
    assert_eq!(read.verification_uri().as_str(), "https://example.com/device");
    assert_eq!(
        read.verification_uri_complete().unwrap().as_str(),
        "https://example.com/device?user_code=WDJB-MJHT"
    );
    assert_eq!(read.interval(), Duration::from_secs(5));
    assert_eq!(read.expires_at(), NOW.plus(Duration::from_secs(1800)));
}

#[test]
fn what_is_configured_is_sent_along() {
    let mut builder = builder(None);
    builder.registration.scopes = Some(vec!["offline_access".to_owned()]);
    builder.registration.params = vec![("audience".to_owned(), "https://api.example.com".to_owned())];
    builder.registration.device_name = Some("Ada's laptop".to_owned());
    let provider = with_device_endpoint(builder);
    let request = device_authorization_request(&provider, &provider.scopes).unwrap();
    assert!(request.headers[AUTHORIZATION].is_sensitive());
    let fields = [
        ("audience", "https://api.example.com"),
        ("device_name", "Ada's laptop"),
        ("prompt", "consent"),
        ("scope", "offline_access"),
    ];
    assert_eq!(form_of(&request), pairs(&fields));
}

#[test]
fn a_provider_without_the_endpoint_is_said() {
    let error = device_authorization_request(&example_provider(), &[]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ConfigInvalid);
    assert!(error.advice().contains("device_authorization_endpoint"), "{}", error.advice());
}

#[test]
fn the_interval_lies_within_its_bounds() {
    for (interval, expires_in, millis) in [
        (Value::Null, json!(900), 5_000),
        (json!(7), json!(900), 7_000),
        (json!(1.5), json!(900), 1_500),
        (json!("7"), json!(900), 7_000),
        (json!(0), json!(900), 1_000),
        (json!(-1), json!(900), 1_000),
        (json!(1e-300), json!(900), 1_000),
        (json!(1_000_000), json!(900), 60_000),
        (json!(1e300), json!(900), 60_000),
        (json!("inf"), json!(900), 60_000),
        (json!("soon"), json!(900), 5_000),
        (json!("NaN"), json!(900), 5_000),
        (json!([5]), json!(900), 5_000),
        (json!(1_000_000), json!(30), 15_000),
        (json!(5), json!(8), 4_000),
        (json!(5), json!(0.5), 1_000),
    ] {
        let mut body: Value = serde_json::from_str(RFC).unwrap();
        body["expires_in"] = expires_in.clone();
        body["interval"] = interval.clone();
        let read = read(body.to_string()).unwrap();
        assert_eq!(read.interval(), Duration::from_millis(millis), "{interval} of {expires_in}");
    }
}

#[test]
fn the_lifetime_is_a_length_of_time() {
    for (expires_in, seconds) in [
        (json!(1800), 1800),
        (json!("900"), 900),
        (json!(1_000_000), 3600),
        (json!(1e300), 3600),
        (json!("inf"), 3600),
    ] {
        let read = changed("expires_in", expires_in.clone()).unwrap();
        assert_eq!(read.expires_at(), NOW.plus(Duration::from_secs(seconds)), "{expires_in}");
    }
    for bad in [Value::Null, json!(0), json!(-5), json!("soon"), json!("NaN"), json!([1800]), json!("")] {
        let error = changed("expires_in", bad.clone()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ServerMisbehaved, "{bad}");
        assert!(error.message().contains("how long"), "{error}");
    }
}

#[test]
fn what_is_needed_and_missing_or_unfit_is_named() {
    for (name, value) in [
        ("device_code", Value::Null),
        ("device_code", json!(7)),
        ("device_code", json!("canary\n")),
        ("user_code", Value::Null),
        ("user_code", json!("canary\u{1b}[2J")),
        ("verification_uri", Value::Null),
        ("verification_uri", json!("http://canary.example/device")),
        ("verification_uri", json!("https://canary@example.com/device")),
    ] {
        let error = changed(name, value.clone()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ServerMisbehaved, "{name} {value}");
        assert!(!format!("{error} {error:?} {}", error.advice()).contains("canary"));
    }
}

#[test]
fn a_complete_uri_that_is_unfit_is_as_good_as_absent() {
    for bad in [json!("http://example.com/device?x"), json!("https://a@example.com/"), json!(7), Value::Null]
    {
        assert!(changed("verification_uri_complete", bad).unwrap().verification_uri_complete().is_none());
    }
    let elsewhere = changed("verification_uri_complete", json!("https://go.example.net/WDJBMJHT")).unwrap();
    assert!(elsewhere.verification_uri_complete().is_some());
}

#[test]
fn googles_spelling_is_understood() {
    let body = r#"{"device_code":"d","user_code":"GQVQ-JKEC","verification_url":"https://www.google.com/device",
        "expires_in":1800,"interval":5}"#;
    assert_eq!(read(body).unwrap().verification_uri().as_str(), "https://www.google.com/device");
}

#[test]
fn a_form_is_an_answer_too() {
    // As GitHub sends it to those who do not ask for JSON.
    let body = "device_code=3584d83530557fdd1f46af8289938c8ef79f9dc5&expires_in=899&interval=5\
        &user_code=WDJB-MJHT&verification_uri=https%3A%2F%2Fgithub.com%2Flogin%2Fdevice";
    let response = labelled(200, "content-type", "application/x-www-form-urlencoded; charset=utf-8", body);
    let read = DeviceAuthorization::read(&response, NOW, NOW).unwrap();
    assert_eq!(read.user_code(), "WDJB-MJHT");
    assert_eq!(read.expires_at(), NOW.plus(Duration::from_secs(899)));
}

#[test]
fn a_refusal_has_its_code() {
    let code = |status, body: &str| {
        let error = DeviceAuthorization::read(&answer(status, body), NOW, NOW).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        error.code()
    };
    let error = |word: &str| format!(r#"{{"error":"{word}","error_description":"canary"}}"#);
    for (status, word) in
        [(401, "invalid_client"), (400, "invalid_scope"), (200, "device_flow_disabled"), (400, "x")]
    {
        assert_eq!(code(status, &error(word)), ErrorCode::ClientRejected, "{word}");
    }
    assert_eq!(code(400, &error("temporarily_unavailable")), ErrorCode::Unavailable);
    assert_eq!(code(503, "<html>canary"), ErrorCode::Unavailable);
    assert_eq!(code(429, ""), ErrorCode::Unavailable);
    for (status, body) in
        [(302, ""), (404, "canary"), (200, "<html>canary"), (200, "[]"), (200, "{}"), (400, "{}")]
    {
        assert_eq!(code(status, body), ErrorCode::ServerMisbehaved, "{status} {body}");
    }
    let busy = labelled(429, "retry-after", "30", "");
    let error = DeviceAuthorization::read(&busy, NOW, NOW).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
}

#[test]
fn nothing_of_the_answer_is_shown_by_debug() {
    let read = changed("device_code", json!("canary-code")).unwrap();
    let shown = format!("{read:?}");
    assert!(
        !shown.contains("canary") && !shown.contains("WDJB") && !shown.contains("example.com"),
        "{shown}"
    );
    assert!(shown.contains("5s"), "{shown}");
}
