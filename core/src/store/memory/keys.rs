//! What older keys sealed.

use super::Rows;
use crate::store::reseal::is_retired;
use crate::store::{ConnectionId, OldSeal, SealPosition};

impl Rows {
    pub(super) fn newest_key(&self) -> Option<[u8; 8]> {
        self.keys.last().map(|key| key.id)
    }

    /// At most `limit` of them behind `after`: connections, then revocations.
    pub(super) fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Vec<OldSeal> {
        let (account, queued) = match after {
            None => (None, None),
            Some(SealPosition::Connection(account)) => (Some(account), None),
            Some(SealPosition::Revocation(connection)) => {
                (self.connections.keys().last(), Some(connection.0))
            }
        };
        let connections = self
            .connections
            .iter()
            .filter(|(key, _)| account.is_none_or(|after| *key > after))
            .map(|(key, record)| (SealPosition::Connection(key.clone()), record));
        let revocations = self
            .revocations
            .iter()
            .filter(|(key, _)| queued.is_none_or(|after| **key > after))
            .map(|(key, waiting)| (SealPosition::Revocation(ConnectionId(*key)), &waiting.record));
        connections
            .chain(revocations)
            .filter(|(_, record)| is_retired(self.newest_key(), &record.sealed))
            .take(limit)
            .map(|(position, record)| OldSeal { position, record: record.clone() })
            .collect()
    }
}
