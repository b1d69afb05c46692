//! What stands for the `state` of a login wherever the state itself must not be.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorCode};
use crate::secret::Secret;

/// The SHA-256 of a login's `state` (RFC 6749 §10.12). It names the login in a store, in its cookie and to the app. It is
/// no secret: nobody gets the state out of it, and it finishes nothing.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StateDigest(pub [u8; 32]);

impl StateDigest {
    /// The digest of `state`.
    pub fn derive(state: &Secret) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"loomkin-auth state digest v1\0");
        // The state goes into the hash, and nowhere else.
        hash.update(state.expose());
        Self(hash.finalize().into())
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateDigest(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

/// Reads what `Display` writes; anything else is `usage`.
impl FromStr for StateDigest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut digest = [0; 32];
        let is_hex = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let pairs = text.as_bytes().chunks_exact(2).filter_map(|pair| std::str::from_utf8(pair).ok());
        for (byte, pair) in digest.iter_mut().zip(pairs) {
            *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
        }
        is_hex.then_some(Self(digest)).ok_or_else(|| Error::new(ErrorCode::Usage, "that is not a login's id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_from_its_text_and_from_nothing_else() {
        let digest = StateDigest::derive(&Secret::new("S1"));
        let text = digest.to_string();
        assert_eq!(text.parse::<StateDigest>().unwrap(), digest);
        for wrong in ["", &text[1..], &text.to_uppercase(), &format!("+{}", &text[1..]), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<StateDigest>().unwrap_err().code(), ErrorCode::Usage, "{wrong}");
        }
    }

    #[test]
    fn two_states_have_two_digests_and_neither_shows_its_state() {
        let (one, two) = (Secret::new("canary-one"), Secret::new("canary-two"));
        assert_ne!(StateDigest::derive(&one), StateDigest::derive(&two));
        let digest = StateDigest::derive(&one);
        assert!(!format!("{digest} {digest:?}").contains("canary"));
    }
}
