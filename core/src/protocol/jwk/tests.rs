//! Keys and signatures of the RFCs, and keys that are none.

use serde_json::json;

use super::*;
use crate::protocol::fixture::signer::{Signer, key_set};

/// Checks a JWS in compact form by a set of one key.
fn verify(key: &Value, algorithm: SignatureAlgorithm, jws: &str) -> Verdict {
    let keys = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    keys.verify(None, algorithm, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
}

/// RFC 7515 Appendix A.2 and A.3, RFC 7520 §4.2, RFC 8037 Appendix A.4.
#[test]
fn the_signatures_of_the_rfcs_are_good_and_any_other_is_not() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/signatures.json")).unwrap();
    let cases = vectors["signatures"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let algorithm = SignatureAlgorithm::find(case["alg"].as_str().unwrap()).unwrap();
        let jws = case["jws"].as_str().unwrap();
        assert_eq!(verify(&case["key"], algorithm, jws), Verdict::Good, "{}", case["source"]);
        let tampered = jws.replacen('.', ".e", 1);
        assert_ne!(verify(&case["key"], algorithm, &tampered), Verdict::Good, "{}", case["source"]);
    }
}

#[test]
fn every_algorithm_is_checked_by_its_own_key_and_by_itself_alone() {
    let (rsa, p256, p384, ed) =
        (Signer::rsa("r"), Signer::p256("p256"), Signer::p384("p384"), Signer::ed25519("ed"));
    let keys = key_set(&[&rsa, &p256, &p384, &ed]);
    let made_by = |alg: &str| match alg {
        "ES256" => &p256,
        "ES384" => &p384,
        "EdDSA" => &ed,
        _ => &rsa,
    };
    let all = ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
    for made in all {
        let signature = made_by(made).signature(made, b"signed");
        for claimed in all.into_iter().chain(["HS256"]) {
            let algorithm = SignatureAlgorithm::find(claimed).unwrap();
            for kid in [None, Some(made_by(made).kid)] {
                let is_good = keys.verify(kid, algorithm, b"signed", &signature) == Verdict::Good;
                assert_eq!(is_good, claimed == made, "{made} as {claimed}");
            }
        }
    }
}

#[test]
fn a_name_leads_to_its_keys_and_to_those_without_one() {
    let (one, two) = (Signer::p256("k"), Signer::p256("k"));
    let signature = two.signature("ES256", b"signed");
    let verify =
        |keys: &KeySet, kid: Option<&str>| keys.verify(kid, SignatureAlgorithm::Es256, b"signed", &signature);
    // Two keys of one name: either may be meant.
    let both = key_set(&[&one, &two]);
    assert_eq!(verify(&both, Some("k")), Verdict::Good);
    assert_eq!(verify(&both, None), Verdict::Good);
    assert_eq!(verify(&both, Some("other")), Verdict::UnknownKey);
    let other = key_set(&[&one]);
    assert_eq!(verify(&other, Some("k")), Verdict::Forged);
    assert_eq!(verify(&other, None), Verdict::UnknownKey);
    let mut nameless = two.jwk();
    nameless.as_object_mut().unwrap().remove("kid");
    let nameless = KeySet::read(json!({ "keys": [nameless] }).to_string().as_bytes()).unwrap();
    assert_eq!(verify(&nameless, Some("other")), Verdict::Good);
}

#[test]
fn keys_that_cannot_have_signed_are_passed_over() {
    let good = Signer::p256("good").jwk();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    let short = URL_SAFE_NO_PAD.encode([0xc1; 128]);
    let long = URL_SAFE_NO_PAD.encode([0xc1; 1025]);
    let padded = URL_SAFE_NO_PAD.encode([vec![0; 128], vec![0xc1; 128]].concat());
    let useless = [
        with("use", json!("enc")),
        with("key_ops", json!(["sign"])),
        with("key_ops", json!("verify")),
        with("alg", json!("ECDH-ES")),
        with("alg", json!("ES512")),
        with("crv", json!("P-521")),
        with("crv", json!("secp256k1")),
        with("kty", json!("oct")),
        with("kty", json!("EC2")),
        with("kty", Value::Null),
        with("x", json!("AAAA")),
        with("x", json!("!")),
        // Its private half is there for everybody.
        with("d", json!("canary")),
        json!({ "kty": "oct", "k": "canary" }),
        json!({ "kty": "RSA", "n": short, "e": "AQAB" }),
        json!({ "kty": "RSA", "n": padded, "e": "AQAB" }),
        json!({ "kty": "RSA", "n": long, "e": "AQAB" }),
        json!({ "kty": "RSA", "e": "AQAB" }),
        json!("canary"),
        Value::Null,
    ];
    for key in &useless {
        let alone = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes());
        let error = alone.err().unwrap_or_else(|| panic!("{key} is of use"));
        assert_eq!(error.code(), ErrorCode::ServerMisbehaved);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    let among = json!({ "keys": useless.iter().chain([&good]).collect::<Vec<_>>() });
    assert_eq!(KeySet::read(among.to_string().as_bytes()).unwrap().0.len(), 1);
    let fit = [("use", json!("sig")), ("key_ops", json!(["verify"])), ("alg", json!("ES256"))];
    // What a server writes for every member that it has nothing for.
    let empty = ["use", "key_ops", "alg", "d", "kid"].map(|name| (name, Value::Null));
    for (name, value) in fit.into_iter().chain(empty) {
        let keys = json!({ "keys": [with(name, value)] });
        assert!(KeySet::read(keys.to_string().as_bytes()).is_ok(), "{name}");
    }
}

#[test]
fn an_rsa_key_is_read_with_the_zeros_that_some_servers_write_before_it() {
    let signer = Signer::rsa("r");
    let mut key = signer.jwk();
    let n = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    key["n"] = URL_SAFE_NO_PAD.encode([vec![0], n].concat()).into();
    let keys = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    let signature = signer.signature("RS256", b"signed");
    assert_eq!(keys.verify(None, SignatureAlgorithm::Rs256, b"signed", &signature), Verdict::Good);
}

#[test]
fn what_is_no_key_set_is_refused() {
    let many = json!({ "keys": [Signer::p256("k").jwk()], "x": "x".repeat(300_000) }).to_string();
    for body in ["", "<html>canary", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, &many] {
        let error = KeySet::read(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ServerMisbehaved);
        assert!(!format!("{error}").contains("canary"));
    }
}

#[test]
fn no_more_than_a_hundred_keys_are_tried() {
    let useless = vec![json!({ "kty": "oct" }); MAX_KEYS];
    let keys = [useless, vec![Signer::p256("k").jwk()]].concat();
    assert!(KeySet::read(json!({ "keys": keys[1..] }).to_string().as_bytes()).is_ok());
    assert!(KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).is_err());
}
