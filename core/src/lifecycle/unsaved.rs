//! Answers that the store could not take yet: served in this process while the commit is tried again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::store::vault::Entry;
use crate::store::{ConnectionId, TokenDigest};

/// The new tokens of connections whose commit failed, with the digest of the token that they replace.
#[derive(Debug, Default)]
pub(super) struct Unsaved(Mutex<HashMap<ConnectionId, (TokenDigest, Arc<Entry>)>>);

impl Unsaved {
    /// `stored`, or what waits to replace exactly that.
    pub(super) fn newest(&self, stored: Arc<Entry>) -> Arc<Entry> {
        let unsaved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match unsaved.get(&stored.record.connection) {
            Some((replaced, newer)) if stored.record.refresh_digest == Some(*replaced) => newer.clone(),
            _ => stored,
        }
    }

    /// Whether anything waits to be stored for `connection`.
    pub(super) fn holds(&self, connection: ConnectionId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&connection)
    }

    /// Keeps `entry`, which replaces the token with digest `replaced`, until it is stored.
    pub(super) fn put(&self, replaced: TokenDigest, entry: Arc<Entry>) {
        let connection = entry.record.connection;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(connection, (replaced, entry));
    }

    /// The store has it, or something newer.
    pub(super) fn remove(&self, connection: ConnectionId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&connection);
    }
}
