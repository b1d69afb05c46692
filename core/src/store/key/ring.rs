//! The data keys of a store, unwrapped.

use std::fmt;

use super::KeySetting;
use super::source::{Secrets, Sources};
use crate::error::Result;
use crate::store::seal::DataKey;
use crate::store::{SealedTokens, WrappedKey};

/// The data keys of one store, the newest last; never empty.
pub(crate) struct KeyRing {
    older: Vec<DataKey>,
    newest: DataKey,
}

impl KeyRing {
    /// The ring of `keys`, which `known` need not have fetched again; `None` when there are none.
    pub(super) async fn unlock(
        keys: &[WrappedKey],
        known: Option<&Self>,
        setting: &KeySetting,
        sources: &Sources,
    ) -> Result<Option<Self>> {
        let mut secrets = Secrets::default();
        let mut unwrapped = Vec::with_capacity(keys.len());
        for key in keys {
            unwrapped.push(match known.and_then(|ring| ring.find(key.id)) {
                Some(known) => known.clone(),
                None => sources.unwrap(key, setting, &mut secrets).await?.0,
            });
        }
        Ok(unwrapped.pop().map(|newest| Self { older: unwrapped, newest }))
    }

    /// The key for new seals.
    pub(crate) fn newest(&self) -> &DataKey {
        &self.newest
    }

    /// The ids of the others, the oldest first.
    pub(crate) fn older(&self) -> impl Iterator<Item = [u8; 8]> {
        self.older.iter().map(|key| key.id)
    }

    /// The key of this id. Records name theirs, so that old keys open old records.
    pub(crate) fn find(&self, id: [u8; 8]) -> Option<&DataKey> {
        self.all().find(|key| key.id == id)
    }

    /// Whether the key that `sealed` names is here.
    pub(crate) fn knows(&self, sealed: &SealedTokens) -> bool {
        sealed.key_id().is_some_and(|id| self.find(id).is_some())
    }

    /// Whether these are the keys of `keys`.
    pub(super) fn is_of(&self, keys: &[WrappedKey]) -> bool {
        self.all().map(|key| key.id).eq(keys.iter().map(|key| key.id))
    }

    fn all(&self) -> impl Iterator<Item = &DataKey> {
        self.older.iter().chain([&self.newest])
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.older.len() + 1)
    }
}
