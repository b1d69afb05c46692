//! What an ID token must be, claim by claim and signature by signature.

use serde_json::json;

use super::*;
use crate::protocol::fixture::NOW;
use crate::protocol::fixture::signer::{Signer, key_set};
use crate::provider::fixture::{example_provider, preset_provider};

fn claims() -> Value {
    let now = NOW.unix_seconds();
    json!({
        "iss": "https://id.example.com", "sub": "canary", "aud": "app id", "nonce": "N1",
        "exp": now + 60, "iat": now,
    })
}

/// A token that nobody signed, for whoever looks at its claims alone.
fn unsigned(header: &Value, claims: &Value, signature: &str) -> Secret {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    Secret::new(format!("{}.{}.{signature}", part(header), part(claims)))
}

fn read_with(provider: &Provider, id_token: &Secret, proof: Proof<'_>) -> Result<IdTokenClaims, Refusal> {
    let (access_token, nonce) = (Secret::new(ACCESS_TOKEN), Secret::new("N1"));
    let expected = Expected { access_token: &access_token, nonce: Some(&nonce), now: NOW };
    let read = IdTokenClaims::read(provider, id_token, proof, &expected);
    assert!(!format!("{read:?} {expected:?}").contains("canary"));
    read
}

fn read(claims: &Value) -> Result<IdTokenClaims, Refusal> {
    let id_token = unsigned(&json!({ "alg": "RS256" }), claims, "c2ln");
    read_with(&example_provider(), &id_token, Proof::Tls)
}

fn code(read: Result<IdTokenClaims, Refusal>) -> ErrorCode {
    let error = read.unwrap_err().into_error();
    assert!(!format!("{error} {error:?}").contains("canary"));
    error.code()
}

#[track_caller]
fn refused(name: &str, value: Value) -> ErrorCode {
    let mut claims = claims();
    claims[name] = value;
    code(read(&claims))
}

#[test]
fn a_token_for_this_login_is_read() {
    let signer = Signer::p256("k");
    let id_token = signer.sign("ES256", &claims());
    let read = read_with(&example_provider(), &id_token, Proof::Keys(&key_set(&[&signer]))).unwrap();
    assert_eq!(read.0["sub"], "canary");
    assert_eq!(format!("{read:?}"), "IdTokenClaims(elided)");
}

#[test]
fn a_token_that_was_changed_or_signed_by_somebody_else_is_refused() {
    let (ours, theirs) = (Signer::p256("k"), Signer::p256("k"));
    let keys = key_set(&[&ours]);
    let read = |id_token: &Secret| read_with(&example_provider(), id_token, Proof::Keys(&keys));
    assert_eq!(code(read(&theirs.sign("ES256", &claims()))), ErrorCode::ServerMisbehaved);
    let signed = ours.sign("ES256", &claims());
    let parts: Vec<_> = signed.expose().split('.').collect();
    let mut changed = claims();
    changed["sub"] = "other".into();
    let payload = URL_SAFE_NO_PAD.encode(changed.to_string());
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"k","x":1}"#);
    for tampered in
        [[parts[0], &payload, parts[2]], [&header, parts[1], parts[2]], [parts[0], parts[1], "AAAA"]]
    {
        let tampered = Secret::new(tampered.join("."));
        assert!(matches!(read(&tampered), Err(Refusal::Wrong(_))));
    }
}

#[test]
fn a_key_that_is_not_there_is_told_from_a_signature_that_is_wrong() {
    let (ours, newer) = (Signer::p256("k1"), Signer::p256("k2"));
    let provider = example_provider();
    let read = |id_token: &Secret, signers: &[&Signer]| {
        read_with(&provider, id_token, Proof::Keys(&key_set(signers)))
    };
    let by_newer = newer.sign("ES256", &claims());
    assert!(matches!(read(&by_newer, &[&ours]), Err(Refusal::UnknownKey)));
    assert!(read(&by_newer, &[&ours, &newer]).is_ok());
    // Without a name every key may be meant.
    let nameless = newer.sign_with(&json!({ "alg": "ES256" }), &claims());
    assert!(read(&nameless, &[&ours, &newer]).is_ok());
    assert!(matches!(read(&nameless, &[&ours]), Err(Refusal::UnknownKey)));
}

#[test]
fn only_an_algorithm_that_the_provider_names_counts() {
    let (rsa, ec) = (Signer::rsa("r"), Signer::p256("e"));
    let keys = key_set(&[&rsa, &ec]);
    let mut provider = example_provider();
    provider.id_token_algorithms = Some(vec![SignatureAlgorithm::Rs256]);
    let read = |id_token: &Secret| read_with(&provider, id_token, Proof::Keys(&keys));
    assert!(read(&rsa.sign("RS256", &claims())).is_ok());
    for other in [rsa.sign("RS512", &claims()), rsa.sign("PS256", &claims()), ec.sign("ES256", &claims())] {
        assert_eq!(code(read(&other)), ErrorCode::ServerMisbehaved);
    }
}

/// The public key as the secret of an HMAC: whoever let the token choose the algorithm would believe it.
#[test]
fn a_public_key_never_counts_as_a_secret() {
    let rsa = Signer::rsa("r");
    let keys = key_set(&[&rsa]);
    let jwk = rsa.jwk();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let secrets = [jwk.to_string().into_bytes(), jwk["n"].as_str().unwrap().as_bytes().to_vec(), modulus];
    let hs = SignatureAlgorithm::Hs256;
    for listed in [
        None,
        Some(vec![SignatureAlgorithm::Rs256]),
        Some(vec![SignatureAlgorithm::Rs256, hs]),
        Some(vec![hs]),
    ] {
        let mut provider = example_provider();
        provider.id_token_algorithms = listed;
        for secret in &secrets {
            let forged = by_secret(secret);
            assert_eq!(code(read_with(&provider, &forged, Proof::Keys(&keys))), ErrorCode::ServerMisbehaved);
        }
    }
}

/// §10.1. Only where the provider offers nothing else, and never for a client that has no secret.
#[test]
fn a_signature_by_the_client_secret_counts_where_the_provider_has_no_other() {
    let keys = key_set(&[&Signer::p256("k")]);
    let id_token = by_secret(b"s%cret/canary");
    let mut provider = example_provider();
    let hs = SignatureAlgorithm::Hs256;
    for (listed, is_good) in [
        (None, false),
        (Some(vec![hs, SignatureAlgorithm::Rs256]), false),
        (Some(vec![]), false),
        (Some(vec![hs]), true),
    ] {
        provider.id_token_algorithms = listed;
        assert_eq!(read_with(&provider, &id_token, Proof::Keys(&keys)).is_ok(), is_good);
    }
    provider.client_secret = None;
    assert_eq!(code(read_with(&provider, &id_token, Proof::Keys(&keys))), ErrorCode::ServerMisbehaved);
}

fn by_secret(secret: &[u8]) -> Secret {
    let header = json!({ "alg": "HS256", "kid": "r" });
    let signed = unsigned(&header, &claims(), "");
    let signed = signed.expose().trim_end_matches('.');
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)))
}

/// OpenID Connect Core Appendix A.3 has the pair of access token and `at_hash`.
#[test]
fn the_access_token_is_the_one_that_came_beside_it() {
    assert!(read(&with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))).is_ok());
    // As good as left out.
    assert!(read(&with("at_hash", Value::Null)).is_ok());
    for other in [json!("77QmUPtjPfzWtF2AnpK9RA"), json!("canary"), json!(""), json!(7)] {
        assert_eq!(refused("at_hash", other), ErrorCode::ServerMisbehaved);
    }
    let half = |algorithm, length: usize| {
        let hash = digest::digest(algorithm, ACCESS_TOKEN.as_bytes());
        URL_SAFE_NO_PAD.encode(&hash.as_ref()[..length])
    };
    for (alg, at_hash) in [
        ("ES384", half(&digest::SHA384, 24)),
        ("PS512", half(&digest::SHA512, 32)),
        ("EdDSA", half(&digest::SHA512, 32)),
    ] {
        let claims = with("at_hash", json!(at_hash));
        let id_token = unsigned(&json!({ "alg": alg }), &claims, "c2ln");
        assert!(read_with(&example_provider(), &id_token, Proof::Tls).is_ok(), "{alg}");
    }
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[test]
fn a_token_of_another_issuer_or_for_another_client_is_refused() {
    for iss in [json!("https://id.example.com/"), json!(["https://id.example.com"]), Value::Null] {
        assert_eq!(refused("iss", iss), ErrorCode::ServerMisbehaved);
    }
    for aud in [json!("canary"), json!([]), json!(["canary"]), json!(["app id", "canary"]), Value::Null] {
        assert_eq!(refused("aud", aud), ErrorCode::ServerMisbehaved);
    }
    assert_eq!(refused("azp", json!("canary")), ErrorCode::ServerMisbehaved);
}

#[test]
fn several_audiences_need_an_authorized_party() {
    let mut claims = claims();
    claims["aud"] = json!(["app id", "other"]);
    claims["azp"] = json!("app id");
    assert!(read(&claims).is_ok());
    claims["aud"] = json!(["app id"]);
    claims["azp"] = Value::Null;
    assert!(read(&claims).is_ok());
}

#[test]
fn a_token_says_whose_it_is() {
    for sub in [json!(""), json!(7), json!("x".repeat(256)), Value::Null] {
        assert_eq!(refused("sub", sub), ErrorCode::ServerMisbehaved);
    }
    assert!(read(&with("sub", json!("x".repeat(255)))).is_ok());
}

#[test]
fn time_is_checked_with_two_minutes_of_leeway() {
    let now = NOW.unix_seconds();
    for (name, value) in [("exp", now - 119), ("exp", i64::MAX), ("iat", now + 120), ("iat", 0)] {
        assert!(read(&with(name, value.into())).is_ok(), "{name} {value}");
    }
    assert_eq!(refused("exp", json!(now - 120)), ErrorCode::ServerMisbehaved);
    assert_eq!(refused("exp", json!(now - 24 * 3600)), ErrorCode::ServerMisbehaved);
    assert_eq!(refused("exp", json!(-1e300)), ErrorCode::ServerMisbehaved);
    assert_eq!(refused("iat", json!(now + 121)), ErrorCode::ServerMisbehaved);
    for name in ["exp", "iat"] {
        assert_eq!(refused(name, Value::Null), ErrorCode::ServerMisbehaved);
        assert_eq!(refused(name, json!("canary")), ErrorCode::ServerMisbehaved);
    }
}

#[test]
fn the_nonce_is_that_of_this_login() {
    for nonce in [json!("canary"), json!(""), json!(7), Value::Null] {
        // The code is spent: no redirect can finish this login any more.
        assert_eq!(refused("nonce", nonce), ErrorCode::ServerMisbehaved);
    }
}

#[test]
fn what_is_not_signed_is_refused() {
    let signer = Signer::p256("k");
    let keys = key_set(&[&signer]);
    let provider = example_provider();
    for proof in [Proof::Tls, Proof::Keys(&keys)] {
        let read = |id_token: &Secret| read_with(&provider, id_token, proof);
        for alg in [json!("none"), json!("NONE"), json!(""), json!(1), Value::Null] {
            assert!(matches!(
                read(&unsigned(&json!({ "alg": alg }), &claims(), "c2ln")),
                Err(Refusal::Wrong(_))
            ));
        }
        for (alg, signature) in [("RS256", ""), ("none", "")] {
            assert!(read(&unsigned(&json!({ "alg": alg }), &claims(), signature)).is_err());
        }
        for text in ["", "a.b", "a.b.c.d", "e30.e30", "!.!.!", "eyJhbGciOiJSUzI1NiJ9.WzFd.c2ln", "a.b.c.d.e"]
        {
            assert_eq!(code(read(&Secret::new(text))), ErrorCode::ServerMisbehaved, "{text}");
        }
        let critical = json!({ "alg": "ES256", "kid": "k", "crit": ["exp"] });
        assert_eq!(code(read(&signer.sign_with(&critical, &claims()))), ErrorCode::ServerMisbehaved);
    }
}

#[test]
fn google_may_write_its_issuer_without_the_scheme() {
    let id_token = unsigned(&json!({ "alg": "RS256" }), &with("iss", json!("accounts.google.com")), "c2ln");
    assert!(read_with(&preset_provider("google"), &id_token, Proof::Tls).is_ok());
}

#[test]
fn another_subject_is_noticed_and_one_that_cannot_be_read_is_none() {
    let of = |sub: &str| unsigned(&json!({ "alg": "ES256" }), &json!({ "sub": sub }), "c2ln");
    let (ada, grace, unreadable) = (of("ada"), of("grace"), Secret::new("canary"));
    assert!(names_another_subject(Some(&ada), Some(&grace)));
    for (earlier, later) in [(&ada, &ada), (&ada, &unreadable), (&unreadable, &ada)] {
        assert!(!names_another_subject(Some(earlier), Some(later)));
    }
    assert!(!names_another_subject(None, Some(&ada)) && !names_another_subject(Some(&ada), None));
}

const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
