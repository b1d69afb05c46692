//! ID tokens that came straight from the token endpoint over TLS (OpenID Connect Core §2, §3.1.3.7).

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::provider::Provider;
use crate::secret::Secret;

/// The claims of a checked ID token. Identifiers, so that `Debug` shows none.
pub struct IdTokenClaims(pub(super) Map<String, Value>);

impl IdTokenClaims {
    /// Reads `id_token` and checks `iss`, `aud`, `azp`, `exp`, `iat` and, where one was sent, the nonce.
    ///
    /// The signature is not checked: the token was received over TLS from the token endpoint itself (§3.1.3.7,
    /// item 6). Never use this on one that came another way.
    ///
    /// # Errors
    ///
    /// `callback_rejected` when the nonce is another login's; `server_misbehaved` otherwise.
    pub fn read(
        provider: &Provider,
        id_token: &Secret,
        nonce: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Self> {
        let claims = decode(id_token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if !text("iss").is_some_and(|iss| provider.is_issued_by(iss)) {
            return Err(misbehaved("names another issuer"));
        }
        check_audience(&claims, &provider.client_id)?;
        let Some(exp) = read_date(&claims, "exp") else {
            return Err(misbehaved("does not say when it ends"));
        };
        if exp.plus(LEEWAY) <= now {
            return Err(misbehaved("has ended already")
                .with_advice("Check this machine's clock, then connect again."));
        }
        if read_date(&claims, "iat").is_some_and(|iat| iat.minus(LEEWAY) > now) {
            return Err(misbehaved("comes from the future")
                .with_advice("Check this machine's clock, then connect again."));
        }
        if let Some(nonce) = nonce
            && !text("nonce").is_some_and(|found| Secret::new(found).matches(nonce))
        {
            return Err(Error::new(ErrorCode::CallbackRejected, "the ID token belongs to another login"));
        }
        Ok(Self(claims))
    }
}

/// Whether the ID token `later`, of a refresh, names another subject than `earlier`, of the login, which it must not
/// (OpenID Connect Core §12.2). Where one of them is missing or cannot be read, nothing is said.
pub fn names_another_subject(earlier: Option<&Secret>, later: Option<&Secret>) -> bool {
    let subject = |id_token: Option<&Secret>| decode(id_token?).ok()?.get("sub").cloned();
    match (subject(earlier), subject(later)) {
        (Some(earlier), Some(later)) => earlier != later,
        _ => false,
    }
}

impl fmt::Debug for IdTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokenClaims(elided)")
    }
}

/// A JWS in compact form (RFC 7515 §7.1) with a signature, though nobody looks at it: a server that leaves it out
/// (`alg` `none`) was not asked to, and does something else than OpenID Connect.
fn decode(id_token: &Secret) -> Result<Map<String, Value>> {
    // Exposed to be read.
    let mut parts = id_token.expose().split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(misbehaved("is not a signed token"));
    };
    let object = |part: &str| -> Option<Map<String, Value>> {
        let json = Zeroizing::new(URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?);
        serde_json::from_slice(&json).ok()
    };
    let algorithm = object(header).and_then(|header| Some(header.get("alg")?.as_str()?.to_owned()));
    if signature.is_empty() || algorithm.is_none_or(|alg| alg.is_empty() || alg.eq_ignore_ascii_case("none"))
    {
        return Err(misbehaved("is not a signed token"));
    }
    object(payload).ok_or_else(|| misbehaved("cannot be read"))
}

/// §3.1.3.7, items 3 to 5.
fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<()> {
    let (ours, several) = match claims.get("aud") {
        Some(Value::String(audience)) => (audience == client_id, false),
        Some(Value::Array(audiences)) => {
            (audiences.iter().any(|audience| audience.as_str() == Some(client_id)), audiences.len() > 1)
        }
        _ => (false, false),
    };
    let authorized = match claims.get("azp") {
        None | Some(Value::Null) => !several,
        Some(azp) => azp.as_str() == Some(client_id),
    };
    if ours && authorized { Ok(()) } else { Err(misbehaved("is meant for another client")) }
}

/// NumericDate: seconds since the epoch, fractions allowed (RFC 7519 §2).
fn read_date(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let seconds = claims.get(name)?.as_f64()?;
    // A saturating cast: what does not fit is the end of time.
    Some(Timestamp::from_unix_millis((seconds * 1000.0) as i64))
}

fn misbehaved(what: &str) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, format!("the ID token {what}"))
}

/// How far apart two clocks may be.
const LEEWAY: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::fixture::NOW;
    use crate::provider::fixture::{example_provider, preset_provider};

    fn token(header: &Value, claims: &Value, signature: &str) -> Secret {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Secret::new(format!("{}.{}.{signature}", part(header), part(claims)))
    }

    fn claims() -> Value {
        let now = NOW.unix_seconds();
        json!({
            "iss": "https://id.example.com", "sub": "canary", "aud": "app id", "nonce": "N1",
            "exp": now + 60, "iat": now,
        })
    }

    fn read(claims: &Value) -> Result<IdTokenClaims> {
        let id_token = token(&json!({ "alg": "RS256" }), claims, "c2ln");
        IdTokenClaims::read(&example_provider(), &id_token, Some(&Secret::new("N1")), NOW)
    }

    #[track_caller]
    fn refused(name: &str, value: Value) -> ErrorCode {
        let mut claims = claims();
        claims[name] = value;
        let error = read(&claims).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
        error.code()
    }

    #[test]
    fn a_token_for_this_login_is_read() {
        let read = read(&claims()).unwrap();
        assert_eq!(read.0["sub"], "canary");
        assert_eq!(format!("{read:?}"), "IdTokenClaims(elided)");
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
    fn time_is_checked_with_two_minutes_of_leeway() {
        let now = NOW.unix_seconds();
        for (name, value) in [("exp", now - 119), ("exp", i64::MAX), ("iat", now + 120), ("iat", 0)] {
            let mut claims = claims();
            claims[name] = value.into();
            assert!(read(&claims).is_ok(), "{name} {value}");
        }
        assert_eq!(refused("exp", json!(now - 120)), ErrorCode::ServerMisbehaved);
        assert_eq!(refused("exp", Value::Null), ErrorCode::ServerMisbehaved);
        assert_eq!(refused("exp", json!(-1e300)), ErrorCode::ServerMisbehaved);
        assert_eq!(refused("iat", json!(now + 121)), ErrorCode::ServerMisbehaved);
    }

    #[test]
    fn the_nonce_is_that_of_this_login() {
        for nonce in [json!("canary"), json!(""), json!(7), Value::Null] {
            assert_eq!(refused("nonce", nonce), ErrorCode::CallbackRejected);
        }
    }

    #[test]
    fn what_is_not_signed_is_refused() {
        let read = |token: Secret| IdTokenClaims::read(&example_provider(), &token, None, NOW);
        let claims = claims();
        assert!(read(token(&json!({ "alg": "ES256" }), &claims, "c2ln")).is_ok());
        for alg in [json!("none"), json!("NONE"), json!(""), json!(1), Value::Null] {
            assert!(read(token(&json!({ "alg": alg }), &claims, "c2ln")).is_err());
        }
        assert!(read(token(&json!({ "alg": "RS256" }), &claims, "")).is_err());
        for text in ["", "a.b", "a.b.c.d", "e30.e30", "!.!.!", "eyJhbGciOiJSUzI1NiJ9.WzFd.c2ln"] {
            assert_eq!(read(Secret::new(text)).unwrap_err().code(), ErrorCode::ServerMisbehaved, "{text}");
        }
    }

    #[test]
    fn google_may_write_its_issuer_without_the_scheme() {
        let mut claims = claims();
        claims["iss"] = json!("accounts.google.com");
        let id_token = token(&json!({ "alg": "RS256" }), &claims, "c2ln");
        assert!(IdTokenClaims::read(&preset_provider("google"), &id_token, None, NOW).is_ok());
    }
}
