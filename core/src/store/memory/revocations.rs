//! The queue of revocations.

use std::time::Duration;

use async_trait::async_trait;

use super::{MemoryStore, Rows};
use crate::account::{AccountKey, Owner};
use crate::error::Result;
use crate::store::reseal::is_retired;
use crate::store::{
    ConnectionId, NewConnection, QueueOutcome, Record, Revocation, RevocationQueue, RevocationTerms,
};

#[async_trait]
impl RevocationQueue for MemoryStore {
    async fn queue_revocation(&self, record: Record, terms: RevocationTerms) -> Result<QueueOutcome> {
        let mut revocation = Revocation::new(record, terms, self.0.clock.now());
        let mut rows = self.rows();
        if is_retired(rows.newest_key(), &revocation.record.sealed) {
            return Ok(QueueOutcome::Retired);
        }
        let key = revocation.record.connection.0;
        if let Some(queued) = rows.revocations.get(&key) {
            revocation.attempts = queued.attempts + 1;
        } else if rows.keeps_grant(&revocation.record) {
            return Ok(QueueOutcome::GrantLivesOn);
        }
        rows.revocations.insert(key, revocation.clone());
        self.changed(&rows);
        Ok(QueueOutcome::Queued(Box::new(revocation)))
    }

    async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>> {
        let mut waiting: Vec<_> = self.rows().revocations.values().cloned().collect();
        waiting.sort_by_key(order);
        let first = after.map_or(0, |last| waiting.partition_point(|next| order(next) <= order(last)));
        Ok(waiting.into_iter().skip(first).take(limit as usize).collect())
    }

    async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>> {
        let mut waiting = self.revocations(None, u32::MAX).await?;
        waiting.retain(|revocation| revocation.record.account.owner == *owner);
        Ok(waiting)
    }

    async fn take_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        let until = self.0.clock.now().plus(lease);
        let mut rows = self.rows();
        let Some(revocation) = rows.revocation(connection, attempts) else { return Ok(None) };
        revocation.attempts += 1;
        revocation.next_attempt_at = until;
        let taken = revocation.clone();
        self.changed(&rows);
        Ok(Some(taken))
    }

    async fn postpone_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        wait: Duration,
    ) -> Result<()> {
        let next = self.0.clock.now().plus(wait);
        let mut rows = self.rows();
        let Some(revocation) = rows.revocation(connection, attempts) else { return Ok(()) };
        revocation.next_attempt_at = next;
        self.changed(&rows);
        Ok(())
    }

    async fn settle_revocation(&self, connection: ConnectionId, attempts: u32) -> Result<bool> {
        let mut rows = self.rows();
        if rows.revocation(connection, attempts).is_none() {
            return Ok(false);
        }
        rows.revocations.remove(&connection.0);
        self.changed(&rows);
        Ok(true)
    }
}

impl Rows {
    /// The revocation of `connection`, if its count is still `attempts`.
    fn revocation(&mut self, connection: ConnectionId, attempts: u32) -> Option<&mut Revocation> {
        self.revocations.get_mut(&connection.0).filter(|revocation| revocation.attempts == attempts)
    }

    /// Deletes the revocations that could end the grant of `login`.
    pub(super) fn cancel_revocations(&mut self, login: &NewConnection) {
        self.revocations.retain(|_, revocation| {
            !is_of(&revocation.record, &login.account, login.columns.account_id.as_ref())
        });
    }

    /// Whether the grant of `record`, which came late, is to live on.
    fn keeps_grant(&self, record: &Record) -> bool {
        let (account, id) = (&record.account, record.columns.account_id.as_ref());
        self.connections.values().any(|connected| is_of(connected, account, id))
            || self.tombstones.get(account).is_some_and(|tombstone| tombstone.keeps_grant)
    }
}

/// Whether `record` is of `account`, or of the account with this `id` at the same provider.
fn is_of(record: &Record, account: &AccountKey, id: Option<&String>) -> bool {
    (&record.account.owner, &record.account.provider) == (&account.owner, &account.provider)
        && (record.account == *account || id.is_some() && record.columns.account_id.as_ref() == id)
}

fn order(revocation: &Revocation) -> (i64, [u8; 16]) {
    (revocation.next_attempt_at.unix_millis(), revocation.record.connection.0)
}
