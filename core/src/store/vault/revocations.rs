//! Disconnecting, and the queue of what is still to be revoked. See [`RevocationQueue`](crate::store::RevocationQueue).

use std::time::Duration;

use super::{Disconnected, Entry, Vault};
use crate::account::{AccountKey, Owner};
use crate::error::Result;
use crate::store::{Deleted, Disconnect, QueueOutcome, Record, Revocation, RevocationTerms, TombstoneId};

impl Vault {
    /// Deletes the connection and returns what was there; its revocation waits as `revocation` says, if it is to.
    ///
    /// # Errors
    ///
    /// `store_failed`. When the record was deleted but cannot be unsealed, `Disconnected` says so: to be rid of a
    /// damaged record must be possible.
    pub async fn disconnect(
        &self,
        account: &AccountKey,
        revocation: Option<RevocationTerms>,
    ) -> Result<Disconnected> {
        let tombstone = TombstoneId(self.random.make_bytes()?);
        let ring = self.keys.ring();
        let Some(deleted) = self.store.disconnect(account, Disconnect { tombstone, revocation }).await?
        else {
            return Ok(Disconnected::Nothing);
        };
        self.wrote.notify_one();
        let Deleted { record, revocation } = deleted;
        // Gone from the store, it cannot be read again: the key in hand opens it even if that is gone by now.
        let is_known = ring.knows(&record.sealed);
        let opened = match is_known {
            true => Self::open_with(&ring, record),
            false => self.unseal(ring, record).await,
        };
        match (opened, revocation) {
            (Ok(entry), revocation) => {
                Ok(Disconnected::Deleted { entry: Box::new(entry), revocation: revocation.map(Box::new) })
            }
            // It is damaged, and nobody can send it. Where this fails, it waits in vain, and is given up in the end.
            (Err(_), Some(revocation)) if is_known => {
                let _best_effort = self.settle_revocation(&revocation).await;
                Ok(Disconnected::DeletedUnreadable { waits: None, is_given_up: true })
            }
            // Another process may have the key that this one lacks.
            (Err(_), waits) => {
                let waits = waits.map(|revocation| revocation.until);
                Ok(Disconnected::DeletedUnreadable { waits, is_given_up: false })
            }
        }
    }

    /// Queues a connection that was gone before it could be stored, sealed under the newest key. `None` when its grant
    /// is to live on.
    ///
    /// # Errors
    ///
    /// `store_failed`; `key_unavailable` when this process cannot get the key that the store has by now.
    pub async fn queue_revocation(
        &self,
        entry: &Entry,
        terms: RevocationTerms,
    ) -> Result<Option<Revocation>> {
        loop {
            let ring = self.keys.ring();
            let record = Record { sealed: self.seal(&ring, entry)?, ..entry.record.clone() };
            match self.store.queue_revocation(record, terms).await? {
                QueueOutcome::Queued(waiting) => return Ok(Some(*waiting)),
                QueueOutcome::GrantLivesOn => return Ok(None),
                QueueOutcome::Retired => self.follow(&ring).await?,
            }
        }
    }

    /// At most `limit` of all that waits, still sealed, beginning behind `after`; the earliest attempt first.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>> {
        self.store.revocations(after, limit).await
    }

    /// All that waits of `owner`, still sealed.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>> {
        self.store.revocations_of(owner).await
    }

    /// The connection behind a revocation.
    ///
    /// # Errors
    ///
    /// `store_failed` when it cannot be unsealed.
    pub async fn open_revocation(&self, revocation: &Revocation) -> Result<Entry> {
        self.unseal(self.keys.ring(), revocation.record.clone()).await
    }

    /// Takes `revocation` for `lease` from now. `None` when somebody else has taken, settled or cancelled it.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn take_revocation(
        &self,
        revocation: &Revocation,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        let Revocation { record, attempts, .. } = revocation;
        self.store.take_revocation(record.connection, *attempts, lease).await
    }

    /// Puts the next attempt at `revocation` off until `wait` from now.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn postpone_revocation(&self, revocation: &Revocation, wait: Duration) -> Result<()> {
        let Revocation { record, attempts, .. } = revocation;
        self.store.postpone_revocation(record.connection, *attempts, wait).await
    }

    /// Deletes `revocation`, and says whether it was still there as it is.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn settle_revocation(&self, revocation: &Revocation) -> Result<bool> {
        let Revocation { record, attempts, .. } = revocation;
        self.store.settle_revocation(record.connection, *attempts).await
    }
}
