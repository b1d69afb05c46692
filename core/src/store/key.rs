//! Where the sealing keys come from.
//!
//! Records are sealed under a random *data key*. The data key lies in the store, wrapped under a *wrapping key* that is
//! derived from a secret outside the store: the *key source*. The source is chosen once, when the store is made, and
//! recorded with the data key; only a rotation may change it. Whatever goes wrong with it later is `key_unavailable`: no weaker source takes its
//! place, and no new key is made for records that an old one sealed.

mod env;
mod file;
mod keychain;
mod keys;
mod outlook;
mod ring;
mod rotation;
mod source;
mod wrap;

pub use crate::config::KeySetting;
pub use keychain::{Keychain, KeychainError, OsKeychain};
pub(crate) use keys::{Admission, Keys};
pub use outlook::{KeyOutlook, outlook};
pub(crate) use ring::KeyRing;
pub(crate) use rotation::Beginning;
pub(crate) use source::Sources;

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
