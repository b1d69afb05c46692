//! Secrets that no text can contain.
//!
//! A [`Secret`] has no `Display`, `Deref`, `PartialEq` or `Serialize`; its `Debug` says only that it is there.
//! The one way to its content is [`Secret::expose`], and every call of it carries a comment saying why.

mod unfit;

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(crate) use unfit::{Unfit, unfit};

/// A text that must never be shown: a token, an authorization code, a client secret, an API key.
///
/// Clones share one allocation, which is wiped when the last of them is dropped.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes ownership of `text`; the caller must not keep a copy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The content. Say in a comment why it has to leave.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both hold the same text, in a time that depends on the lengths alone.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(elided)")
    }
}

/// Thirty-two bytes that must never be shown: a sealing key.
#[derive(Clone)]
pub struct SecretKey(Arc<Zeroizing<[u8; 32]>>);

impl SecretKey {
    /// Takes a copy of `bytes`; the caller wipes its own.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(*bytes)))
    }

    /// The content. Say in a comment why it has to leave.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(elided)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_form_shows_the_content() {
        let secret = Secret::new("canary-4711");
        let key = SecretKey::new(&[0xab; 32]);
        assert_eq!(
            format!("{secret:?} {:#?}", Some(secret.clone())),
            "Secret(elided) Some(\n    Secret(elided),\n)"
        );
        assert_eq!(format!("{key:?}"), "SecretKey(elided)");
    }

    #[test]
    fn only_equal_texts_match() {
        assert!(Secret::new("a").matches(&Secret::new("a")));
        assert!(!Secret::new("a").matches(&Secret::new("b")));
        assert!(!Secret::new("a").matches(&Secret::new("aa")));
    }
}
