//! Answers that are not in the store yet: kept for whoever comes next, and served once the store has refused them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::AccountKey;
use crate::store::vault::Entry;
use crate::store::{ChangeMark, ConnectionId};

/// The connections of this process whose newest tokens the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved(Mutex<HashMap<ConnectionId, Answer>>);

/// What came for a refresh token, which is spent.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The connection as it was read under the claim.
    pub(super) presented: Arc<Entry>,
    /// The connection as it will be.
    pub(super) renewed: Arc<Entry>,
    /// The mark of what others do when `presented` was claimed; as long as it is the same, none of them has disconnected it.
    others: Option<ChangeMark>,
    /// Whether the store has failed to take it. Nobody sees what it still may take.
    is_served: bool,
}

impl Unsaved {
    /// `stored`, or what is served in place of exactly that.
    pub(super) fn newest(&self, stored: Arc<Entry>) -> Arc<Entry> {
        match self.answers().get(&stored.record.connection) {
            Some(answer)
                if answer.is_served && stored.record.revision == answer.presented.record.revision =>
            {
                answer.renewed.clone()
            }
            _ => stored,
        }
    }

    /// What is served to `account` while the store cannot be read, unless others have changed the store since the claim.
    pub(super) fn served_under(&self, account: &AccountKey, others: ChangeMark) -> Option<Arc<Entry>> {
        let answers = self.answers();
        let mut answers = answers.values().filter(|answer| answer.renewed.record.account == *account);
        answers
            .find(|answer| answer.is_served && answer.others == Some(others))
            .map(|answer| answer.renewed.clone())
    }

    /// Whether anything waits to be stored for `connection`.
    pub(super) fn holds(&self, connection: ConnectionId) -> bool {
        self.answers().contains_key(&connection)
    }

    /// What waits to be stored for `connection`.
    pub(super) fn find(&self, connection: ConnectionId) -> Option<Answer> {
        self.answers().get(&connection).cloned()
    }

    /// What waits to be stored.
    pub(super) fn all(&self) -> Vec<Answer> {
        self.answers().values().cloned().collect()
    }

    /// Keeps `renewed`, by which `presented` is spent, until it is stored. `others` is the
    /// mark of what others do, of the moment in which that was claimed.
    pub(super) fn put(&self, presented: Arc<Entry>, renewed: Arc<Entry>, others: Option<ChangeMark>) {
        let connection = presented.record.connection;
        self.answers().insert(connection, Answer { presented, renewed, others, is_served: false });
    }

    /// The store has failed to take what waits for `connection`: it is served from now on.
    pub(super) fn serve(&self, connection: ConnectionId) {
        if let Some(answer) = self.answers().get_mut(&connection) {
            answer.is_served = true;
        }
    }

    /// `account` was disconnected here, or connected anew: nothing of before is served any more. What the store says of it
    /// is for its flight to find out.
    pub(super) fn withhold(&self, account: &AccountKey) {
        for answer in self.answers().values_mut().filter(|answer| answer.renewed.record.account == *account) {
            (answer.is_served, answer.others) = (false, None);
        }
    }

    /// The store has it, or something newer.
    pub(super) fn remove(&self, connection: ConnectionId) {
        self.answers().remove(&connection);
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<ConnectionId, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
