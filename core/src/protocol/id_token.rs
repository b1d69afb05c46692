//! ID tokens that came straight from the token endpoint (OpenID Connect Core §2, §3.1.3.7).

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::jwk::{KeySet, Verdict};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::provider::{Provider, SignatureAlgorithm};
use crate::secret::Secret;

/// The claims of a checked ID token. Identifiers, so that `Debug` shows none.
pub struct IdTokenClaims(pub(super) Map<String, Value>);

/// What shows that an ID token is the server's.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// A signature by one of these keys.
    Keys(&'a KeySet),
    /// That it came over TLS from the token endpoint itself (§3.1.3.7, item 6), where nobody knows the server's keys. Never
    /// use this on one that came another way.
    Tls,
}

/// What an ID token is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The access token that came beside it.
    pub access_token: &'a Secret,
    /// The nonce of the login, where one was sent.
    pub nonce: Option<&'a Secret>,
    /// The present moment.
    pub now: Timestamp,
}

/// Why an ID token is not believed.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// None of the keys is the one that it names. A set that is read anew may have it.
    UnknownKey,
    /// Nothing can make it good.
    Wrong(Error),
}

impl IdTokenClaims {
    /// Reads `id_token` of `provider`, and checks its signature, `iss`, `sub`, `aud`, `azp`, `exp`, `iat`, the nonce where
    /// one was sent, and `at_hash` where it is there (§3.1.3.6).
    ///
    /// # Errors
    ///
    /// `server_misbehaved`, also when the nonce is another login's: whoever brought the redirect cannot mend that, because
    /// the code is spent.
    pub fn read(
        provider: &Provider,
        id_token: &Secret,
        proof: Proof<'_>,
        expected: &Expected<'_>,
    ) -> Result<Self, Refusal> {
        let token = Jws::read(id_token)?;
        if let Proof::Keys(keys) = proof {
            token.check_signature(provider, keys)?;
        }
        check_claims(&token, provider, expected)?;
        Ok(Self(token.claims))
    }
}

/// Whether the ID token `later`, of a refresh, names another subject than `earlier`, of the login, which it must not
/// (OpenID Connect Core §12.2). Where one of them is missing or cannot be read, nothing is said.
pub fn names_another_subject(earlier: Option<&Secret>, later: Option<&Secret>) -> bool {
    let subject = |id_token: Option<&Secret>| Jws::read(id_token?).ok()?.claims.get("sub").cloned();
    match (subject(earlier), subject(later)) {
        (Some(earlier), Some(later)) => earlier != later,
        _ => false,
    }
}

impl Refusal {
    /// The error, where no newer keys can be had.
    pub fn into_error(self) -> Error {
        match self {
            Self::UnknownKey => misbehaved("is signed with a key that the provider does not publish"),
            Self::Wrong(error) => error,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

impl fmt::Debug for IdTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokenClaims(elided)")
    }
}

/// A JWS in compact form (RFC 7515 §7.1), taken apart and not believed yet.
struct Jws<'a> {
    alg: String,
    key_id: Option<String>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// It has a signature in any case: a server that leaves it out (`alg` `none`) was not asked to, and does something else
    /// than OpenID Connect.
    fn read(token: &'a Secret) -> Result<Self> {
        // Exposed to be read.
        let (signed, signature) = token.expose().rsplit_once('.').ok_or_else(not_signed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(not_signed)?;
        if payload.contains('.') {
            return Err(not_signed());
        }
        let header = object(header).ok_or_else(not_signed)?;
        // No extension of RFC 7515 is known here, and one that is critical may not be passed over (§4.1.11).
        if header.contains_key("crit") {
            return Err(misbehaved("has a header that is not known here"));
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
        let signature = bytes(signature).filter(|signature| !signature.is_empty()).ok_or_else(not_signed)?;
        let alg = text("alg").filter(|alg| !alg.is_empty() && !alg.eq_ignore_ascii_case("none"));
        Ok(Self {
            alg: alg.ok_or_else(not_signed)?,
            key_id: text("kid"),
            claims: object(payload).ok_or_else(|| misbehaved("cannot be read"))?,
            signed,
            signature,
        })
    }

    /// §3.1.3.7, items 6 to 8. What the token says of its own algorithm counts only where the provider says so too, and
    /// where it is one for the type of the key.
    fn check_signature(&self, provider: &Provider, keys: &KeySet) -> Result<(), Refusal> {
        let algorithm = SignatureAlgorithm::find(&self.alg)
            .filter(|algorithm| provider.signs_by(*algorithm))
            .ok_or_else(|| {
                misbehaved(
                    "is signed by an algorithm that the provider does not name, or that is not known here",
                )
            })?;
        let signed = self.signed.as_bytes();
        let verdict = match algorithm {
            SignatureAlgorithm::Hs256 => by_client_secret(provider, signed, &self.signature)?,
            _ => keys.verify(self.key_id.as_deref(), algorithm, signed, &self.signature),
        };
        match verdict {
            Verdict::Good => Ok(()),
            Verdict::Forged => Err(misbehaved("has a signature that is not the provider's").into()),
            Verdict::UnknownKey => Err(Refusal::UnknownKey),
        }
    }
}

/// §10.1: the key is the client secret. It is no key of the set, so that a public key never counts as a secret one.
fn by_client_secret(provider: &Provider, signed: &[u8], signature: &[u8]) -> Result<Verdict> {
    let secret = provider.client_secret.as_ref().ok_or_else(|| {
        misbehaved("is signed with a client secret, and there is none")
            .with_advice("Ask the provider to sign ID tokens for this client with RS256 or ES256.")
    })?;
    // Exposed to be the key.
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    Ok(hmac::verify(&key, signed, signature).map_or(Verdict::Forged, |()| Verdict::Good))
}

fn check_claims(token: &Jws<'_>, provider: &Provider, expected: &Expected<'_>) -> Result<()> {
    let claims = &token.claims;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if !text("iss").is_some_and(|iss| provider.is_issued_by(iss)) {
        return Err(misbehaved("names another issuer"));
    }
    // At most 255 characters (§2).
    if !text("sub").is_some_and(|sub| !sub.is_empty() && sub.len() <= MAX_SUBJECT) {
        return Err(misbehaved("does not say whose it is"));
    }
    check_audience(claims, &provider.client_id)?;
    check_times(claims, expected.now)?;
    check_access_token(token, expected.access_token)?;
    let is_of_this_login =
        |nonce: &Secret| text("nonce").is_some_and(|found| Secret::new(found).matches(nonce));
    if !expected.nonce.is_none_or(is_of_this_login) {
        return Err(misbehaved("belongs to another login"));
    }
    Ok(())
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

/// §3.1.3.7, items 9 and 10, with some leeway for clocks that differ.
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<()> {
    let advice = "Check this machine's clock, then connect again.";
    let exp = read_date(claims, "exp").ok_or_else(|| misbehaved("does not say when it ends"))?;
    let iat = read_date(claims, "iat").ok_or_else(|| misbehaved("does not say when it was made"))?;
    if exp.plus(LEEWAY) <= now {
        return Err(misbehaved("has ended already").with_advice(advice));
    }
    if iat.minus(LEEWAY) > now {
        return Err(misbehaved("comes from the future").with_advice(advice));
    }
    Ok(())
}

/// §3.1.3.6: the left half of the access token's hash, by the hash of the signature. An algorithm whose hash is not known
/// here says nothing; where keys are known, it has been refused before.
fn check_access_token(token: &Jws<'_>, access_token: &Secret) -> Result<()> {
    let at_hash = token.claims.get("at_hash").filter(|at_hash| !at_hash.is_null());
    let (Some(at_hash), Some(algorithm)) = (at_hash, SignatureAlgorithm::find(&token.alg)) else {
        return Ok(());
    };
    // Exposed to be hashed.
    let hash = digest::digest(hash_of(algorithm), access_token.expose().as_bytes());
    let (left_half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    match at_hash.as_str().and_then(bytes) {
        Some(found) if found == left_half => Ok(()),
        _ => Err(misbehaved("belongs to another access token")),
    }
}

fn hash_of(algorithm: SignatureAlgorithm) -> &'static digest::Algorithm {
    match algorithm {
        SignatureAlgorithm::Es256
        | SignatureAlgorithm::Hs256
        | SignatureAlgorithm::Ps256
        | SignatureAlgorithm::Rs256 => &digest::SHA256,
        SignatureAlgorithm::Es384 | SignatureAlgorithm::Ps384 | SignatureAlgorithm::Rs384 => &digest::SHA384,
        // Ed25519 hashes by SHA-512 inside (RFC 8032 §5.1).
        SignatureAlgorithm::EdDsa | SignatureAlgorithm::Ps512 | SignatureAlgorithm::Rs512 => &digest::SHA512,
    }
}

/// NumericDate: seconds since the epoch, fractions allowed (RFC 7519 §2).
fn read_date(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let seconds = claims.get(name)?.as_f64()?;
    // A saturating cast: what does not fit is the end of time.
    Some(Timestamp::from_unix_millis((seconds * 1000.0) as i64))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&Zeroizing::new(bytes(part)?)).ok()
}

fn bytes(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}

fn not_signed() -> Error {
    misbehaved("is not a signed token")
}

fn misbehaved(what: &str) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, format!("the ID token {what}"))
}

/// How far apart two clocks may be.
const LEEWAY: Duration = Duration::from_secs(120);
const MAX_SUBJECT: usize = 255;

#[cfg(test)]
mod tests;
