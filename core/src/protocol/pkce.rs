//! Proof Key for Code Exchange (RFC 7636), by the one method worth having: S256.

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};

use crate::error::{Error, ErrorCode, Result};
use crate::random::Random;
use crate::secret::Secret;

/// A `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1).
#[derive(Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// 32 random bytes as 43 characters of base64url.
    ///
    /// # Errors
    ///
    /// As [`Random::fill`].
    pub fn make(random: &dyn Random) -> Result<Self> {
        random.make_secret().map(Self)
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    ///
    /// `usage` when it is too short, too long, or has characters that §4.1 does not allow.
    pub fn read(text: Secret) -> Result<Self> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let plain = text.expose(); // looked at, not kept
        if (43..=128).contains(&plain.len()) && plain.bytes().all(unreserved) {
            return Ok(Self(text));
        }
        Err(Error::new(ErrorCode::Usage, "that is not a code verifier"))
    }

    /// `code_challenge = BASE64URL(SHA256(code_verifier))` (RFC 7636 §4.2).
    pub fn derive_challenge(&self) -> String {
        self.challenge().as_str().to_owned()
    }

    /// The verifier as the access token request carries it.
    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }

    /// The challenge and its method. The crate asserts the length that the constructors have checked.
    pub(super) fn challenge(&self) -> PkceCodeChallenge {
        // Exposed to be hashed.
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(self.0.expose().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// RFC 7636 Appendix B.
    #[test]
    fn the_example_of_the_rfc() {
        let verifier =
            CodeVerifier::read(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).unwrap();
        assert_eq!(verifier.derive_challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(verifier.challenge().method().as_str(), "S256");
    }

    #[test]
    fn the_shared_vectors() {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/pkce.json")).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let verifier = CodeVerifier::read(Secret::new(case["verifier"].as_str().unwrap())).ok();
            assert_eq!(
                verifier.map(|verifier| verifier.derive_challenge()).as_deref(),
                case["challenge"].as_str(),
                "{}",
                case["name"]
            );
        }
    }
}
