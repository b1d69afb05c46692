//! What this process last read, so that a fresh token costs neither a lock of the store nor a decryption.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;

use crate::account::AccountKey;
use crate::store::ChangeMark;
use crate::store::vault::Entry;

/// The connections as they were at a mark of the store. Valid as long as the store's mark is the same.
#[derive(Debug, Default)]
pub(super) struct Snapshots(RwLock<HashMap<AccountKey, Snapshot, RandomState>>);

#[derive(Debug)]
struct Snapshot {
    mark: ChangeMark,
    others: ChangeMark,
    entry: Arc<Entry>,
}

/// The marks of one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// Of all changes.
    pub(super) all: ChangeMark,
    /// Of those that others make.
    pub(super) others: ChangeMark,
}

impl Snapshots {
    /// The connection of `account`, unless anybody has changed the store since it was read.
    pub(super) fn get(&self, account: &AccountKey, mark: ChangeMark) -> Option<Arc<Entry>> {
        let snapshots = self.0.read().unwrap_or_else(PoisonError::into_inner);
        snapshots.get(account).filter(|found| found.mark == mark).map(|found| found.entry.clone())
    }

    /// The connection of `account`, unless anybody else has changed the store since it was read; for when that cannot be
    /// read. What was changed here has been removed or replaced by whoever changed it.
    pub(super) fn get_unread(&self, account: &AccountKey, others: ChangeMark) -> Option<Arc<Entry>> {
        let snapshots = self.0.read().unwrap_or_else(PoisonError::into_inner);
        snapshots.get(account).filter(|found| found.others == others).map(|found| found.entry.clone())
    }

    /// Whether anybody here has asked for `account`.
    pub(super) fn holds(&self, account: &AccountKey) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(account)
    }

    /// Remembers `entry`, which was read after the store had these marks, if the first is still the store's by `mark_now`.
    ///
    /// Whoever changes the connection here moves the mark and then [removes](Self::remove) what is remembered. So either
    /// the mark has moved when it is looked at under the lock, or what is put here is removed.
    pub(super) fn put(
        &self,
        Marks { all, others }: Marks,
        entry: Arc<Entry>,
        mark_now: impl FnOnce() -> Option<ChangeMark>,
    ) {
        let account = entry.record.account.clone();
        let mut snapshots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if mark_now() == Some(all) {
            snapshots.insert(account, Snapshot { mark: all, others, entry });
        }
    }

    /// Forgets `account`.
    pub(super) fn remove(&self, account: &AccountKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}
