//! The keys that a server publishes (RFC 7517; RFC 7518 §6, RFC 8037 §2), as far as it can sign ID tokens with them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Result};
use crate::provider::SignatureAlgorithm;

/// A JWK set (RFC 7517 §5). Of its keys those are kept that can have signed an ID token. The default set has none.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Key>);

/// What the keys of a set say about a signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The key that is named did not make it.
    Forged,
    /// One of them made it.
    Good,
    /// No key here has that name, or none is named and none made it: a newer set may have the key that did.
    UnknownKey,
}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, where the set says.
    algorithm: Option<SignatureAlgorithm>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Ed25519(Vec<u8>),
    /// An uncompressed point (SEC 1 §2.3.3), as the next.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

impl KeySet {
    /// Reads the set `body`.
    ///
    /// Passed over are keys that are not for signatures, of types, curves or algorithms that are not known here, RSA
    /// keys outside 2048 to 8192 bits, and those whose private half stands beside the public one: a signature that
    /// everybody can make proves nothing. Of more than a hundred keys the first hundred count.
    ///
    /// # Errors
    ///
    /// `server_misbehaved` when it is longer than 256 KiB, is no set, or has no key that is left.
    pub fn read(body: &[u8]) -> Result<Self> {
        if body.len() > MAX_DOCUMENT {
            return Err(misbehaved("are too long"));
        }
        let Ok(Value::Object(document)) = serde_json::from_slice(body) else {
            return Err(misbehaved("are not a JSON object"));
        };
        let Some(Value::Array(keys)) = document.get("keys") else {
            return Err(misbehaved("are no key set"));
        };
        let keys: Vec<_> = keys.iter().take(MAX_KEYS).filter_map(|key| Key::read(key.as_object()?)).collect();
        match keys.is_empty() {
            true => Err(misbehaved("have none that an ID token could be signed with")),
            false => Ok(Self(keys)),
        }
    }

    /// Whether one of the keys that `key_id` may mean made the `signature` of `signed` by `algorithm`. Without a name
    /// any key may be meant, and so may a key that has none.
    pub fn verify(
        &self,
        key_id: Option<&str>,
        algorithm: SignatureAlgorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> Verdict {
        let is_meant = |key: &&Key| key_id.is_none() || key.id.is_none() || key.id.as_deref() == key_id;
        if self.0.iter().filter(is_meant).any(|key| key.made(algorithm, signed, signature)) {
            Verdict::Good
        } else if key_id.is_some() && self.0.iter().any(|key| key.id.as_deref() == key_id) {
            Verdict::Forged
        } else {
            Verdict::UnknownKey
        }
    }
}

impl Key {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        // Some servers write `null` for whatever they have nothing to say of.
        let member = |name: &str| members.get(name).filter(|found| !found.is_null());
        let text = |name: &str| member(name).and_then(Value::as_str);
        let is_for_signatures = member("use").is_none_or(|found| found == "sig")
            && member("key_ops").is_none_or(|found| {
                found.as_array().is_some_and(|operations| operations.iter().any(|one| one == "verify"))
            });
        let algorithm = text("alg").map(SignatureAlgorithm::find);
        if !is_for_signatures || algorithm == Some(None) || member("d").is_some() {
            return None;
        }
        Some(Self {
            id: text("kid").map(str::to_owned),
            algorithm: algorithm.flatten(),
            material: Material::read(members)?,
        })
    }

    fn made(&self, algorithm: SignatureAlgorithm, signed: &[u8], signature: &[u8]) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm)
            && self.material.made(algorithm, signed, signature)
    }
}

impl Material {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        // The full length of the curve, leading zeros included (RFC 7518 §6.2.1.2).
        let half = |name: &str, length: usize| bytes(name).filter(|half| half.len() == length);
        let point =
            |length: usize| Some([vec![UNCOMPRESSED], half("x", length)?, half("y", length)?].concat());
        match (text("kty")?, text("crv")) {
            ("EC", Some("P-256")) => point(32).map(Self::P256),
            ("EC", Some("P-384")) => point(48).map(Self::P384),
            ("OKP", Some("Ed25519")) => half("x", 32).map(Self::Ed25519),
            ("RSA", _) => {
                // Some servers write leading zeros, which RFC 7518 §2 forbids.
                let number = |name: &str| {
                    bytes(name)
                        .map(|bytes| bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>())
                };
                let (n, e) = (number("n")?, number("e")?);
                (MIN_MODULUS..=MAX_MODULUS)
                    .contains(&n.len())
                    .then_some(Self::Rsa(RsaPublicKeyComponents { n, e }))
            }
            _ => None,
        }
    }

    /// The algorithm must be one for this type of key: what a token says of itself cannot turn one into another.
    fn made(&self, algorithm: SignatureAlgorithm, signed: &[u8], signature: &[u8]) -> bool {
        let verified = match (self, algorithm) {
            (Self::Ed25519(key), SignatureAlgorithm::EdDsa) => {
                UnparsedPublicKey::new(&ED25519, key).verify(signed, signature)
            }
            (Self::P256(key), SignatureAlgorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(signed, signature)
            }
            (Self::P384(key), SignatureAlgorithm::Es384) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key).verify(signed, signature)
            }
            (Self::Rsa(key), algorithm) => match rsa_parameters(algorithm) {
                Some(parameters) => key.verify(parameters, signed, signature),
                None => return false,
            },
            _ => return false,
        };
        verified.is_ok()
    }
}

fn rsa_parameters(algorithm: SignatureAlgorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        SignatureAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        SignatureAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}

fn misbehaved(what: &str) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, format!("the keys that the provider publishes {what}"))
}

const MAX_DOCUMENT: usize = 256 * 1024;
const MAX_KEYS: usize = 100;
/// 2048 bits, in bytes.
const MIN_MODULUS: usize = 256;
/// 8192 bits, in bytes.
const MAX_MODULUS: usize = 1024;
/// The tag of an uncompressed point.
const UNCOMPRESSED: u8 = 4;

#[cfg(test)]
mod tests;
