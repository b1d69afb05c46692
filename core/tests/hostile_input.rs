//! Whatever a server or a browser sends, the readers answer: no panic, and no piece of it in any `Debug`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use loomkin_auth::account::ProviderId;
use loomkin_auth::clock::Timestamp;
use loomkin_auth::protocol::device::DeviceAuthorization;
use loomkin_auth::protocol::device::poll::PollAnswer;
use loomkin_auth::protocol::id_token::{Expected, IdTokenClaims, Proof};
use loomkin_auth::protocol::jwk::KeySet;
use loomkin_auth::protocol::message::Response;
use loomkin_auth::protocol::redirect::AuthorizationResponse;
use loomkin_auth::protocol::refresh::{RefreshAnswer, read_retry_after};
use loomkin_auth::protocol::rejection::is_token_rejection;
use loomkin_auth::protocol::token::read_access_token_answer;
use loomkin_auth::provider::{Metadata, Provider, ProviderBuilder, Registration};
use loomkin_auth::secret::Secret;
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

/// A device authorization answer that may be right, with a canary in what must not be shown.
fn device_body() -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            any::<f64>().prop_map(|number| format!("{number:e}")),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<i64>().prop_map(|number| format!("\"{number}\"")),
            Just("null".to_owned()),
        ]
    };
    ("\\PC{0,70}|.{0,70}", number(), number()).prop_map(|(code, expires_in, interval)| {
        let code = serde_json::json!(code);
        format!(
            r#"{{"device_code":"canary","user_code":{code},"verification_uri":"https://canary.example/",
            "expires_in":{expires_in},"interval":{interval}}}"#
        )
    })
}

/// A key set that may be one, with public keys that are as likely on no curve as not.
fn key_set() -> impl Strategy<Value = String> {
    let bytes = || {
        prop_oneof![Just(32_usize), Just(48), Just(256), 0..600_usize]
            .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length))
            .prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    };
    let of = |words: &[&'static str]| prop::sample::select(words.to_vec());
    let (types, curves) = (of(&["EC", "OKP", "RSA", "oct"]), of(&["P-256", "P-384", "Ed25519", "canary"]));
    let key = (types, curves, bytes(), bytes()).prop_map(|(kty, crv, one, two)| {
        format!(r#"{{"kty":"{kty}","crv":"{crv}","x":"{one}","y":"{two}","n":"{one}","e":"{two}"}}"#)
    });
    prop::collection::vec(key, 0..4).prop_map(|keys| format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
}

/// A token of three parts that may be one, with a canary in its claims.
fn id_token() -> impl Strategy<Value = String> {
    let algs = vec!["RS256", "PS384", "ES256", "ES384", "EdDSA", "HS256", "none", "canary"];
    let claims = prop::collection::vec(
        (
            prop::sample::select(vec!["iss", "sub", "aud", "azp", "exp", "iat", "at_hash"]),
            any::<i64>(),
            any::<bool>(),
        ),
        0..7,
    );
    let token = (prop::sample::select(algs), claims, prop::collection::vec(any::<u8>(), 0..300)).prop_map(
        |(alg, claims, signature)| {
            let claims: Vec<_> = claims
                .into_iter()
                .map(
                    |(name, number, text)| {
                        if text { format!(r#""{name}":"canary""#) } else { format!(r#""{name}":{number}"#) }
                    },
                )
                .collect();
            let part = |text: String| URL_SAFE_NO_PAD.encode(text);
            let (header, claims) =
                (part(format!(r#"{{"alg":"{alg}"}}"#)), part(format!("{{{}}}", claims.join(","))));
            format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
        },
    );
    prop_oneof![token, "\\PC{0,60}", "[a-zA-Z0-9_-]{0,20}(\\.[a-zA-Z0-9_-]{0,20}){0,5}"]
}

fn provider() -> Provider {
    let registration = Registration { client_id: "canary".to_owned(), ..Registration::default() };
    let mut builder = ProviderBuilder::new(ProviderId::new("idp").unwrap(), None, registration);
    builder.issuer = Some("canary".to_owned());
    builder.endpoints.token = Some("https://id.example.com/token".parse().unwrap());
    builder.build(None).unwrap()
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
    fn answers_of_the_device_endpoint(status in 100_u16..600, body in prop_oneof![body(), device_body()]) {
        let response = Response { status, headers: HeaderMap::new(), body: Zeroizing::new(body.into_bytes()) };
        let ok = Response { status: 200, ..response.clone() };
        let (read, poll) = (DeviceAuthorization::read(&ok, NOW, NOW), PollAnswer::read(&response, NOW, NOW));
        let shown = format!("{read:?} {:?} {poll:?}", DeviceAuthorization::read(&response, NOW, NOW));
        prop_assert!(!shown.replace("scopes: Some([\"canary\"])", "").contains("canary"), "{}", shown);
        if let Ok(read) = read {
            prop_assert!((1.0..=60.0).contains(&read.interval().as_secs_f64()));
            prop_assert!((NOW..=NOW.plus(std::time::Duration::from_secs(3600))).contains(&read.expires_at()));
            prop_assert!(!read.user_code().chars().any(char::is_control) && !read.user_code().is_empty());
        }
    }

    #[test]
    fn keys_and_id_tokens(keys in prop_oneof![key_set(), body()], id_token in id_token()) {
        let (provider, token) = (provider(), Secret::new(id_token));
        let (access_token, read) = (Secret::new("canary"), KeySet::read(keys.as_bytes()));
        let keys = read.clone().unwrap_or_default();
        let expected = Expected { access_token: &access_token, nonce: None, now: NOW };
        let by_keys = IdTokenClaims::read(&provider, &token, Proof::Keys(&keys), &expected);
        prop_assert!(by_keys.is_err(), "nobody has signed it");
        let by_tls = IdTokenClaims::read(&provider, &token, Proof::Tls, &expected);
        let shown = format!("{read:?} {by_keys:?} {by_tls:?} {expected:?}");
        prop_assert!(!shown.contains("canary"), "{}", shown);
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
