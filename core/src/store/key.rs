//! Where the sealing keys come from.
//!
//! Records are sealed under a random *data key*. The data key lies in the store, wrapped under a *wrapping key* that is
//! derived from a secret outside the store: the *key source*. The source is chosen once, when the store is made, and
//! recorded with the data key. Whatever goes wrong with it later is `key_unavailable`: no weaker source takes its
//! place, and no new key is made for records that an old one sealed.

mod env;
mod file;
mod keychain;
mod ring;
mod source;
mod wrap;

use std::fmt;
use std::path::PathBuf;

pub use keychain::{Keychain, KeychainError, OsKeychain};
pub(crate) use ring::KeyRing;

/// Which key source the configuration asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum KeySetting {
    /// What the store was made with; for a new store the keychain, or a key file where the keychain is no use.
    #[default]
    Auto,
    /// The value of this environment variable, at least 32 bytes.
    Env(String),
    /// The content of this file, at least 32 bytes. A relative path starts from the working directory.
    File(PathBuf),
    /// A random secret in the operating system's keychain.
    Keychain,
}

/// As the configuration writes it.
impl fmt::Display for KeySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Keychain => f.write_str("keychain"),
        }
    }
}

/// The key source that a new store has just been given. Tell the person: without it the store does not open.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ChosenKey {
    /// The source, never [`KeySetting::Auto`].
    pub source: KeySetting,
    /// Why `auto` did not choose the keychain, as part of a sentence: "the keychain is locked".
    pub passed_over: Option<String>,
}

#[cfg(test)]
pub(crate) mod tests;
