//! Answers that the store could not take yet: served in this process while the commit is tried again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::account::AccountKey;
use crate::store::TokenDigest;
use crate::store::vault::Entry;

/// The new tokens of accounts whose commit failed, with the digest of the token that they replace.
#[derive(Debug, Default)]
pub(super) struct Unsaved(Mutex<HashMap<AccountKey, (TokenDigest, Arc<Entry>)>>);

impl Unsaved {
    /// `stored`, or what waits to replace exactly that.
    pub(super) fn newest(&self, stored: Arc<Entry>) -> Arc<Entry> {
        let unsaved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match unsaved.get(&stored.record.account) {
            Some((replaced, newer))
                if stored.record.connection == newer.record.connection
                    && stored.record.refresh_digest == Some(*replaced) =>
            {
                newer.clone()
            }
            _ => stored,
        }
    }

    /// Keeps `entry`, which replaces the token with digest `replaced`, until it is stored.
    pub(super) fn put(&self, replaced: TokenDigest, entry: Arc<Entry>) {
        let account = entry.record.account.clone();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account, (replaced, entry));
    }

    /// The store has it, or something newer.
    pub(super) fn remove(&self, account: &AccountKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}
