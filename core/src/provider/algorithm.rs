//! How a server may sign its ID tokens.

/// An algorithm of RFC 7518 §3.1 or RFC 8037 §3.1 that a signature can be checked by here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// Ed25519; `Ed25519` is its newer name (RFC 9864 §2.2).
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// HMAC with SHA-256, by the client secret.
    Hs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

impl SignatureAlgorithm {
    /// The algorithm that `alg` names, letter by letter. `none` is not one.
    pub fn find(alg: &str) -> Option<Self> {
        Some(match alg {
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "HS256" => Self::Hs256,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            _ => return None,
        })
    }

    /// Whether one key signs and checks, which for ID tokens is the client secret (OpenID Connect Core §10.1).
    pub fn is_symmetric(self) -> bool {
        self == Self::Hs256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_checked_is_an_algorithm() {
        assert_eq!(SignatureAlgorithm::find("RS256"), Some(SignatureAlgorithm::Rs256));
        assert_eq!(SignatureAlgorithm::find("Ed25519"), SignatureAlgorithm::find("EdDSA"));
        for other in ["none", "None", "", "rs256", "RS1", "HS512", "ES512", "RSA-OAEP"] {
            assert_eq!(SignatureAlgorithm::find(other), None, "{other}");
        }
    }
}
