//! The store's marks, and that they are the ones that others move.

use super::Vault;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::ChangeMark;

impl Vault {
    /// See [`TokenStore::change_mark`](crate::store::TokenStore::change_mark): take it before loading.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub fn change_mark(&self) -> Result<ChangeMark> {
        self.change_mark_at(self.clock.now())
    }

    /// See [`TokenStore::others_mark`](crate::store::TokenStore::others_mark): take it before loading.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub fn others_mark(&self) -> Result<ChangeMark> {
        self.store.others_mark()
    }

    /// [`change_mark`](Self::change_mark) for a caller who knows what time it is, and has no more to spare.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub fn change_mark_at(&self, now: Timestamp) -> Result<ChangeMark> {
        if self.verified.is_due(now)
            && let Err(error) = self.store.verify_change_mark()
        {
            self.verified.forget();
            return Err(error);
        }
        self.store.change_mark()
    }

    /// [`change_mark_at`](Self::change_mark_at) out of memory alone; `None` where somebody has to look at the store's files
    /// first.
    pub fn change_mark_in_memory(&self, now: Timestamp) -> Option<ChangeMark> {
        if self.verified.holds(now) { self.store.change_mark().ok() } else { None }
    }
}
