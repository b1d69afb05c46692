//! Signatures for ID tokens (RFC 7518 §3.3, §3.4), honest ones and forged ones.

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Map, Value, json};

use crate::fault::Forgery;
use crate::settings::Signing;

/// The server's signing key; it lasts until it is rotated.
pub(crate) struct Signer {
    current: Mutex<Key>,
    /// One that nobody publishes.
    stranger: Pair,
    random: SystemRandom,
}

struct Key {
    id: String,
    pair: Pair,
    /// How many there have been.
    number: usize,
}

enum Pair {
    Es256(Box<EcdsaKeyPair>),
    Rs256(Box<RsaKeyPair>),
}

impl Signer {
    pub(crate) fn new(signing: Signing) -> io::Result<Self> {
        let random = SystemRandom::new();
        let pair = match signing {
            Signing::Es256 => Pair::p256(&random)?,
            Signing::Rs256 => Pair::rsa()?,
        };
        let stranger = Pair::p256(&random)?;
        Ok(Self { current: Mutex::new(Key { id: key_id(1), pair, number: 1 }), stranger, random })
    }

    /// Puts a new ES256 key in the place of the present one, whose signatures are worth nothing from now on.
    pub(crate) fn rotate(&self) -> io::Result<()> {
        let pair = Pair::p256(&self.random)?;
        let mut current = self.current();
        let number = current.number + 1;
        *current = Key { id: key_id(number), pair, number };
        Ok(())
    }

    /// `claims` as a signed JWT; `None` when the system gives no randomness for the signature.
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let current = self.current();
        self.sign_by(&current.pair, Some(&current.id), claims)
    }

    /// `claims` as a JWT that an honest server would not make. `client_secret` is that of the client it is for.
    pub(crate) fn forge(&self, claims: &Value, forgery: Forgery, client_secret: &str) -> Option<String> {
        let current = self.current();
        let pair = &current.pair;
        Some(match forgery {
            Forgery::AlgNone => {
                format!("{}.{}.", encode(&json!({"alg": "none", "typ": "JWT"})), encode(claims))
            }
            Forgery::AnotherKey => self.sign_by(&self.stranger, Some(&current.id), claims)?,
            Forgery::ClientSecret => by_secret(client_secret.as_bytes(), None, claims),
            Forgery::NoKeyId => self.sign_by(pair, None, claims)?,
            Forgery::PublicKeyAsSecret => {
                by_secret(pair.jwk(&current.id).to_string().as_bytes(), Some(&current.id), claims)
            }
            Forgery::Tampered => {
                let mut other = claims.clone();
                other["sub"] = "user-mallory".into();
                let signed = self.sign_by(pair, Some(&current.id), claims)?;
                let mut parts = signed.split('.');
                let (header, signature) = (parts.next()?, parts.next_back()?);
                format!("{header}.{}.{signature}", encode(&other))
            }
            Forgery::UnknownKeyId => self.sign_by(&self.stranger, Some("dev-unknown"), claims)?,
        })
    }

    fn sign_by(&self, pair: &Pair, kid: Option<&str>, claims: &Value) -> Option<String> {
        let signed = format!("{}.{}", encode(&header(pair.alg(), kid)), encode(claims));
        let signature = pair.sign(&self.random, signed.as_bytes())?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of a JWT that this server made.
    pub(crate) fn claims(token: &str) -> Option<Value> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// The public half, as a JWK set (RFC 7517 §5).
    pub(crate) fn key_set(&self) -> Value {
        let current = self.current();
        json!({"keys": [current.pair.jwk(&current.id)]})
    }

    fn current(&self) -> MutexGuard<'_, Key> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pair {
    fn p256(random: &SystemRandom) -> io::Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random)
            .map_err(|_| io::Error::other("the system gave no random bytes"))?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), random)
            .map(|pair| Self::Es256(Box::new(pair)))
            .map_err(|_| io::Error::other("the new signing key cannot be read back"))
    }

    /// The key of RFC 7515 Appendix A.2, which everybody knows: nothing here is to be protected, and making one takes long.
    fn rsa() -> io::Result<Self> {
        RsaKeyPair::from_pkcs8(RFC7515_A2)
            .map(|pair| Self::Rs256(Box::new(pair)))
            .map_err(|_| io::Error::other("the RSA key cannot be read"))
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        }
    }

    fn sign(&self, random: &SystemRandom, signed: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Es256(pair) => Some(pair.sign(random, signed).ok()?.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, random, signed, &mut signature).ok()?;
                Some(signature)
            }
        }
    }

    fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                // An uncompressed point: one byte of tag, then x and y, 32 bytes each (SEC 1 §2.3.3).
                let point = pair.public_key().as_ref();
                let (x, y) = (point.get(1..33).unwrap_or_default(), point.get(33..65).unwrap_or_default());
                json!({"alg": "ES256", "crv": "P-256", "kid": kid, "kty": "EC", "use": "sig", "x": text(x), "y": text(y)})
            }
            Self::Rs256(pair) => {
                let PublicKeyComponents::<Vec<u8>> { n, e } = pair.public().into();
                json!({"alg": "RS256", "e": text(&e), "kid": kid, "kty": "RSA", "n": text(&n), "use": "sig"})
            }
        }
    }
}

fn by_secret(secret: &[u8], kid: Option<&str>, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(&header("HS256", kid)), encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn header(alg: &str, kid: Option<&str>) -> Value {
    let mut header = Map::from_iter([("alg".to_owned(), alg.into()), ("typ".to_owned(), "JWT".into())]);
    if let Some(kid) = kid {
        header.insert("kid".to_owned(), kid.into());
    }
    Value::Object(header)
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn key_id(number: usize) -> String {
    format!("dev-{number}")
}

/// Without the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

static RFC7515_A2: &[u8] = include_bytes!("../../../tests/vectors/keys/rfc7515-a2.pk8");

#[cfg(test)]
mod tests {
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };

    use super::*;

    /// Whether the published key verifies `token`.
    fn verifies(signer: &Signer, token: &str) -> bool {
        let keys = signer.key_set();
        let part = |name: &str| URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().unwrap()).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        if keys["keys"][0]["kty"] == "RSA" {
            let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
            return public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok();
        }
        let point = [vec![4], part("x"), part("y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn the_published_key_verifies_what_was_signed_and_nothing_else() {
        for signing in [Signing::Es256, Signing::Rs256] {
            let signer = Signer::new(signing).unwrap();
            let claims = json!({"sub": "user-ada"});
            let token = signer.sign(&claims).unwrap();
            assert!(verifies(&signer, &token));
            assert_eq!(Signer::claims(&token), Some(claims.clone()));
            assert!(verifies(&signer, &signer.forge(&claims, Forgery::NoKeyId, "").unwrap()));
            for forgery in [
                Forgery::AlgNone,
                Forgery::AnotherKey,
                Forgery::ClientSecret,
                Forgery::PublicKeyAsSecret,
                Forgery::Tampered,
                Forgery::UnknownKeyId,
            ] {
                assert!(!verifies(&signer, &signer.forge(&claims, forgery, "s").unwrap()), "{forgery:?}");
            }
            signer.rotate().unwrap();
            assert!(!verifies(&signer, &token));
            assert!(verifies(&signer, &signer.sign(&claims).unwrap()));
            assert_eq!(signer.key_set()["keys"][0]["kid"], "dev-2");
        }
    }
}
