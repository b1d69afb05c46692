//! The store's plaintext face: what goes in is sealed, what comes out is unsealed and checked.

mod credentials;
mod events;
mod login;
mod marks;
mod outcome;
mod pending_logins;
mod revocations;
mod rotation;
mod sealing;
mod verified;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

pub use credentials::{BoundSecret, KeyOutcome, StoredCredential};
pub use outcome::{Claimed, Committed, Disconnected, Identity};
pub use pending_logins::{Waiting, WaitingLogin};
pub use rotation::RotationReport;

use verified::Verified;

use super::key::{Admission, ChosenKey, KeySetting, Keychain, Keys, Sources};
use super::{
    AttemptId, ClaimOutcome, Commit, CommitOutcome, Expiring, Failure, Record, TokenDigest, TokenStore,
};
use crate::account::{AccountKey, Owner};
use crate::clock::{Clock, Timestamp};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::token_set::TokenSet;
use crate::random::Random;

/// A store together with the keys that open it. Clones share both.
///
/// The keys follow those of the store: after a rotation, by whatever process, the vault goes on as before.
#[derive(Clone, Debug)]
pub struct Vault {
    store: Arc<dyn TokenStore>,
    keys: Arc<Keys>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    /// Told when this process has written events, so that its own need not be found by looking.
    wrote: Arc<Notify>,
    verified: Arc<Verified>,
}

impl Vault {
    /// Opens `store` with the key that `setting` names. A new store gets its key here; then the second value says
    /// which source was chosen, which the person should be told.
    ///
    /// # Errors
    ///
    /// `key_unavailable` when the key cannot be had, is too short, does not open the store, or comes from another
    /// source than the store was made with; never is another key made for a store that has one, or that has
    /// connections. `store_failed` when the store cannot be read or written.
    pub async fn open(
        store: Arc<dyn TokenStore>,
        setting: &KeySetting,
        environment: &Environment,
        keychain: Arc<dyn Keychain>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Option<ChosenKey>)> {
        let sources = Sources::of(&*store, environment, keychain, random, clock).await?;
        Self::open_by(store, setting, Admission::TheSource, sources).await
    }

    /// As [`open`](Self::open), to [rotate the key](Self::rotate_key): `setting` may name another source than the one
    /// of the newest key, if the secrets of all keys can be had.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn open_to_rotate(
        store: Arc<dyn TokenStore>,
        setting: &KeySetting,
        environment: &Environment,
        keychain: Arc<dyn Keychain>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Option<ChosenKey>)> {
        let sources = Sources::of(&*store, environment, keychain, random, clock).await?;
        Self::open_by(store, setting, Admission::AnySource, sources).await
    }

    async fn open_by(
        store: Arc<dyn TokenStore>,
        setting: &KeySetting,
        admission: Admission,
        sources: Sources,
    ) -> Result<(Self, Option<ChosenKey>)> {
        let (random, clock) = (sources.random.clone(), sources.clock.clone());
        let (keys, chosen) = Keys::open(store.clone(), setting, admission, sources).await?;
        Ok((
            Self {
                store,
                keys: Arc::new(keys),
                random,
                clock,
                wrote: Arc::default(),
                verified: Arc::default(),
            },
            chosen,
        ))
    }

    /// The connection of `account`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// `store_failed` when the store cannot be read or the record cannot be unsealed; `key_unavailable` when it is sealed
    /// under a newer key, and this process cannot get that.
    pub async fn load(&self, account: &AccountKey) -> Result<Option<Entry>> {
        let ring = self.keys.ring();
        match self.store.load(account).await? {
            Some(record) => self.unseal(ring, record).await.map(Some),
            None => Ok(None),
        }
    }

    /// The record of `account`, still sealed; `None` where there is none. See [`list`](Self::list) on its columns.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn record(&self, account: &AccountKey) -> Result<Option<Record>> {
        self.store.load(account).await
    }

    /// The records of all connections of `owner`, still sealed, sorted by provider and account. Their plain columns
    /// are as the store has them: only unsealing proves that nobody edited them.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        self.store.list(owner).await
    }

    /// What is to be renewed next, of all owners; see [`TokenStore::expiring`]. Only unsealing proves that nobody edited
    /// it.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>> {
        self.store.expiring(before, after, limit).await
    }

    /// Asks for the right to present the refresh token of `entry` for `lease` from now, by the store's clock.
    ///
    /// # Errors
    ///
    /// `usage` when `entry` has no refresh token; `store_failed`.
    pub async fn claim(&self, entry: &Entry, attempt: AttemptId, lease: Duration) -> Result<Claimed> {
        let (record, ring) = (&entry.record, self.keys.ring());
        let outcome =
            self.store.claim(&record.account, record.connection, entry.presented()?, attempt, lease).await?;
        // Now: what follows may wait for a key.
        let others = self.others_mark().ok();
        Ok(match outcome {
            ClaimOutcome::Claimed { record, orphaned } => {
                // What was uncertain before stays so for whoever claims it next.
                let uncertain = if orphaned { Failure::unknown(&record, self.clock.now()) } else { None };
                match self.unseal(ring, *record).await {
                    Ok(entry) => Claimed::Claimed { entry: Box::new(entry), orphaned, others },
                    Err(error) => {
                        // Nothing will be presented, so nobody should wait for the lease to end.
                        self.store.abandon(&entry.record.account, attempt, uncertain).await?;
                        return Err(error);
                    }
                }
            }
            ClaimOutcome::Gone => Claimed::Gone,
            ClaimOutcome::Held { remaining } => Claimed::Held { remaining },
            ClaimOutcome::Moved(record) => Claimed::Moved(Box::new(self.unseal(ring, *record).await?)),
        })
    }

    /// What `presented` becomes by `answer`, which came for its refresh token. What the answer left out stays as it was
    /// ([`TokenSet::or_from`]). Its record has no sealed bytes yet.
    pub fn renewed(&self, presented: &Entry, answer: &TokenSet) -> Entry {
        let tokens = answer.clone().or_from(&presented.tokens);
        let mut record = presented.record.clone();
        record.columns.issued_at = tokens.issued_at;
        record.columns.expires_at = tokens.expires_at;
        if let Some(scopes) = &tokens.scopes {
            record.columns.scopes.clone_from(scopes);
        }
        record.updated_at = self.clock.now();
        if let Some(token) = &tokens.refresh_token {
            record.refresh_digest = Some(TokenDigest::derive(record.connection, token));
        }
        record.claim = None;
        record.failure = None;
        record.revision += 1;
        Entry { record, tokens, binding: presented.binding.clone() }
    }

    /// Seals what [`renewed`](Self::renewed) makes of `presented` and `answer`.
    ///
    /// # Errors
    ///
    /// `usage` when `presented` has no refresh token; `store_failed` when there is no randomness.
    pub fn seal_renewal(&self, presented: &Entry, answer: &TokenSet) -> Result<Renewal> {
        let presented_digest = presented.presented()?;
        let mut entry = self.renewed(presented, answer);
        entry.record.sealed = self.seal(&self.keys.ring(), &entry)?;
        let record = &entry.record;
        let commit = Commit {
            account: record.account.clone(),
            connection: record.connection,
            revision: presented.record.revision,
            columns: record.columns.clone(),
            sealed: record.sealed.clone(),
            refresh_digest: record.refresh_digest.unwrap_or(presented_digest),
            updated_at: record.updated_at,
        };
        Ok(Renewal { commit, entry })
    }

    /// Stores `renewal`, and with it ends the claim and forgets the failure. Where the key was rotated since it was
    /// sealed, it is sealed anew.
    ///
    /// # Errors
    ///
    /// `store_failed`; `key_unavailable` when this process cannot get the key that the store has by now. In both cases
    /// the commit may be tried again.
    pub async fn commit(&self, renewal: &Renewal) -> Result<Committed> {
        let mut commit = renewal.commit.clone();
        loop {
            let ring = self.keys.ring();
            match self.store.commit(commit.clone()).await? {
                CommitOutcome::Committed => {
                    self.wrote.notify_one();
                    return Ok(Committed::Committed);
                }
                CommitOutcome::Disconnected => return Ok(Committed::Disconnected),
                CommitOutcome::Retired => {
                    if commit.sealed.key_id() == Some(ring.newest().id) {
                        self.follow(&ring).await?;
                    }
                    commit.sealed = self.seal(&self.keys.ring(), &renewal.entry)?;
                }
                CommitOutcome::Superseded(record) => {
                    return Ok(Committed::Superseded(self.unseal(ring, *record).await.map(Box::new)));
                }
            }
        }
    }

    /// Gives the claim back without new tokens; see [`TokenStore::abandon`].
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        self.store.abandon(account, attempt, failure).await?;
        self.wrote.notify_one();
        Ok(())
    }

    /// The owner's active account.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        self.store.active(owner).await
    }

    /// Selects the owner's active account, or none. Deletes nothing. Returns `false`, and selects nothing, when the account
    /// has neither a connection nor a credential here.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool> {
        let selected = self.store.select(owner, account).await?;
        self.wrote.notify_one();
        Ok(selected)
    }

    /// The present moment by the clock that leases are measured with.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn now(&self) -> Result<Timestamp> {
        self.store.now().await
    }

    /// A new attempt's id.
    ///
    /// # Errors
    ///
    /// `store_failed` when the operating system gives no random bytes.
    pub fn make_attempt(&self) -> Result<AttemptId> {
        Ok(AttemptId(self.random.make_bytes()?))
    }
}

/// A connection, unsealed.
#[derive(Clone)]
#[non_exhaustive]
pub struct Entry {
    /// The record it came from; its columns have been proved by unsealing. Its sealed bytes are gone, unless it was
    /// sealed just now to be stored: what was in them is beside it, and a process may have many entries in memory.
    pub record: Record,
    /// The tokens.
    pub tokens: TokenSet,
    /// What the provider layer bound the connection to. The store does not look inside.
    pub binding: Arc<Value>,
}

/// The answer to a refresh, sealed and ready to be stored.
#[derive(Clone, Debug)]
pub struct Renewal {
    commit: Commit,
    /// The connection as it will be.
    pub entry: Entry,
}

impl Entry {
    /// Without the sealed bytes, for those who have what was in them.
    pub(crate) fn unsealed(self) -> Self {
        Self { record: self.record.unsealed(), ..self }
    }

    fn presented(&self) -> Result<TokenDigest> {
        self.record.refresh_digest.ok_or_else(|| {
            Error::new(ErrorCode::Usage, format!("{} has no refresh token to present", self.record.account))
                .with_account(&self.record.account)
        })
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("record", &self.record)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
