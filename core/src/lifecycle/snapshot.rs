//! What this process last read, so that a fresh token costs neither a lock of the store nor a decryption.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;

use crate::account::AccountKey;
use crate::store::ChangeMark;
use crate::store::vault::Entry;

/// The connections as they were at a mark of the store. Valid as long as the store's mark is the same.
#[derive(Debug, Default)]
pub(super) struct Snapshots(RwLock<HashMap<AccountKey, (ChangeMark, Arc<Entry>), RandomState>>);

impl Snapshots {
    /// The connection of `account`, unless anybody has changed the store since it was read.
    pub(super) fn get(&self, account: &AccountKey, mark: ChangeMark) -> Option<Arc<Entry>> {
        let snapshots = self.0.read().unwrap_or_else(PoisonError::into_inner);
        snapshots.get(account).filter(|(read_at, _)| *read_at == mark).map(|(_, entry)| entry.clone())
    }

    /// Whether anybody here has asked for `account`.
    pub(super) fn holds(&self, account: &AccountKey) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(account)
    }

    /// Remembers `entry`, which was read after the store had `mark`.
    pub(super) fn put(&self, mark: ChangeMark, entry: Arc<Entry>) {
        let account = entry.record.account.clone();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(account, (mark, entry));
    }

    /// Forgets `account`.
    pub(super) fn remove(&self, account: &AccountKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}
