//! Whatever a server or a browser sends, the readers answer: no panic, and no piece of it in any `Debug`.

use http::{HeaderMap, HeaderValue};
use loomkin_auth::clock::Timestamp;
use loomkin_auth::protocol::message::Response;
use loomkin_auth::protocol::redirect::AuthorizationResponse;
use loomkin_auth::protocol::refresh::{RefreshAnswer, read_retry_after};
use loomkin_auth::protocol::rejection::is_token_rejection;
use loomkin_auth::protocol::token::read_access_token_answer;
use loomkin_auth::provider::Metadata;
use proptest::prelude::*;
use zeroize::Zeroizing;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// JSON around the fields that matter, with a canary wherever a value may stand, and things that are no JSON.
fn body() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just(r#""canary""#.to_owned()),
        Just(r#"["canary"]"#.to_owned()),
        Just(r#"{"code":"canary","message":"canary"}"#.to_owned()),
        Just("null".to_owned()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    let name = prop::sample::select(vec![
        "access_token",
        "refresh_token",
        "id_token",
        "expires_in",
        "scope",
        "error",
        "error_description",
        "user",
        "issuer",
    ]);
    let fields = prop::collection::vec((name, value), 0..6).prop_map(|fields| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    prop_oneof![fields, ".{0,200}"]
}

fn redirect() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,200}",
        "[?&#=%a-z]{0,60}",
        "(code|state|error|iss)=canary(&(code|state|error|iss)=[a-z%]{0,9}){0,3}",
    ]
}

proptest! {
    #[test]
    fn answers_of_the_token_endpoint(status in 100_u16..600, body in body(), label in "[a-z/;=-]{0,40}") {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_str(&label).unwrap());
        let response = Response { status, headers, body: Zeroizing::new(body.clone().into_bytes()) };
        let login = read_access_token_answer(&response, NOW);
        let refresh = RefreshAnswer::read(&response, NOW, NOW);
        let shown = format!("{login:?} {refresh:?} {response:?}");
        // Scopes are names from the documentation of a server, not secrets of a person.
        prop_assert!(!shown.replace("scopes: Some([\"canary\"])", "").contains("canary"), "{}", shown);
        let _ = is_token_rejection(status, Some(&label), body.as_bytes());
        let _ = Metadata::read(body.as_bytes(), "canary");
    }

    #[test]
    fn redirects(text in redirect()) {
        let shown =
            format!("{:?} {:?}", AuthorizationResponse::read(&text), AuthorizationResponse::read_pasted(&text));
        prop_assert!(!shown.contains("canary"));
    }

    #[test]
    fn waits(text in "[ -~]{0,40}") {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_str(&text).unwrap());
        prop_assert!(read_retry_after(&headers, NOW).is_none_or(|wait| wait.as_secs() <= 3600));
    }
}
