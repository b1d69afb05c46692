//! The store's plaintext face: what goes in is sealed, what comes out is unsealed and checked.

mod outcome;
mod revocations;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub use outcome::{Claimed, Committed, Disconnected, Identity};

use super::key::{ChosenKey, KeyRing, KeySetting, Keychain};
use super::seal::{self, Place};
use super::{
    AttemptId, ChangeMark, ClaimOutcome, Columns, Commit, CommitOutcome, ConnectOutcome, ConnectionId,
    Expiring, Failure, FailureKind, LatestDisconnect, NewConnection, Record, TokenDigest, TokenStore,
    payload,
};
use crate::account::{AccountKey, Owner};
use crate::clock::{Clock, Timestamp};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::token_set::TokenSet;
use crate::random::Random;

/// A store together with the keys that open it. Clones share both.
#[derive(Clone, Debug)]
pub struct Vault {
    store: Arc<dyn TokenStore>,
    keys: Arc<KeyRing>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
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
        let (keys, chosen) =
            KeyRing::open(&*store, setting, environment, keychain, &*random, &*clock).await?;
        Ok((Self { store, keys: Arc::new(keys), random, clock }, chosen))
    }

    /// The connection of `account`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// `store_failed` when the store cannot be read or the record cannot be unsealed.
    pub async fn load(&self, account: &AccountKey) -> Result<Option<Entry>> {
        self.store.load(account).await?.map(|record| self.unseal(record)).transpose()
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

    /// The account's latest disconnect, for a login that begins now.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        self.store.latest_disconnect(account).await
    }

    /// Stores a login that nothing can have closed: seals and keeps it in one step.
    ///
    /// # Errors
    ///
    /// `store_failed`; then what was there before is still there.
    pub async fn connect(
        &self,
        account: &AccountKey,
        tokens: &TokenSet,
        identity: Identity,
        binding: Value,
    ) -> Result<Entry> {
        let login = self.seal_login(account, tokens, identity, binding)?;
        self.keep(&login, None).await?;
        Ok(login)
    }

    /// Seals a login under a new connection id.
    ///
    /// # Errors
    ///
    /// `store_failed` when there is no randomness.
    pub fn seal_login(
        &self,
        account: &AccountKey,
        tokens: &TokenSet,
        identity: Identity,
        binding: Value,
    ) -> Result<Entry> {
        let connection = ConnectionId(self.random.make_bytes()?);
        let now = self.clock.now();
        let mut columns = Columns::new(tokens.issued_at, now);
        columns.expires_at = tokens.expires_at;
        columns.scopes = tokens.scopes.clone().unwrap_or_default();
        columns.account_login = identity.login;
        columns.account_id = identity.id;
        columns.base_url = identity.base_url;
        let refresh_digest =
            tokens.refresh_token.as_ref().map(|token| TokenDigest::derive(connection, token));
        let place = Place { account, connection, columns: &columns, refresh_digest, updated_at: now };
        let sealed = self.keys.newest().seal(&place, &payload::encode(tokens, &binding), &*self.random)?;
        let account = account.clone();
        let login = NewConnection { account, connection, columns, sealed, refresh_digest, begun_after: None };
        Ok(Entry { record: Record::from_login(login), tokens: tokens.clone(), binding })
    }

    /// Stores a sealed login and makes it the owner's active account, in one transaction; see [`TokenStore::connect`].
    ///
    /// # Errors
    ///
    /// `store_failed`; then what was there before is still there.
    pub async fn keep(&self, login: &Entry, begun_after: Option<LatestDisconnect>) -> Result<ConnectOutcome> {
        let Record { account, connection, columns, sealed, refresh_digest, .. } = login.record.clone();
        let login = NewConnection { account, connection, columns, sealed, refresh_digest, begun_after };
        self.store.connect(login).await
    }

    /// Asks for the right to present the refresh token of `entry` for `lease` from now, by the store's clock.
    ///
    /// # Errors
    ///
    /// `usage` when `entry` has no refresh token; `store_failed`.
    pub async fn claim(&self, entry: &Entry, attempt: AttemptId, lease: Duration) -> Result<Claimed> {
        let record = &entry.record;
        let outcome =
            self.store.claim(&record.account, record.connection, entry.presented()?, attempt, lease).await?;
        Ok(match outcome {
            ClaimOutcome::Claimed { record, orphaned } => match self.unseal(*record) {
                Ok(entry) => Claimed::Claimed { entry: Box::new(entry), orphaned },
                Err(error) => {
                    // Nothing will be presented, so nobody should wait for the lease to end.
                    self.store.abandon(&entry.record.account, attempt, None).await?;
                    return Err(error);
                }
            },
            ClaimOutcome::Gone => Claimed::Gone,
            ClaimOutcome::Held { remaining } => Claimed::Held { remaining },
            ClaimOutcome::Moved(record) => Claimed::Moved(Box::new(self.unseal(*record)?)),
        })
    }

    /// What `presented` becomes by `answer`, which came for its refresh token. What the answer left out stays as it was
    /// ([`TokenSet::or_from`]). Its record still has the sealed bytes of before.
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
        let plaintext = payload::encode(&entry.tokens, &entry.binding);
        let record = &mut entry.record;
        record.sealed = self.keys.newest().seal(&Place::of(record), &plaintext, &*self.random)?;
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

    /// Stores `renewal`, and with it ends the claim and forgets the failure.
    ///
    /// # Errors
    ///
    /// `store_failed`, and then the commit may be tried again.
    pub async fn commit(&self, renewal: &Renewal) -> Result<Committed> {
        Ok(match self.store.commit(renewal.commit.clone()).await? {
            CommitOutcome::Committed => Committed::Committed,
            CommitOutcome::Disconnected => Committed::Disconnected,
            CommitOutcome::Superseded(record) => Committed::Superseded(self.unseal(*record).map(Box::new)),
        })
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
        self.store.abandon(account, attempt, failure).await
    }

    /// The owner's active account.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        self.store.active(owner).await
    }

    /// Selects the owner's active account, or none. Deletes nothing.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<()> {
        self.store.select(owner, account).await
    }

    /// See [`TokenStore::change_mark`]: take it before loading.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub fn change_mark(&self) -> Result<ChangeMark> {
        self.store.change_mark()
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

    fn unseal(&self, record: Record) -> Result<Entry> {
        let failure = record.failure.filter(|failure| Some(failure.presented) == record.refresh_digest);
        if failure.is_some_and(|failure| failure.kind == FailureKind::Later) {
            return Err(seal::later(&record.account));
        }
        let plaintext = seal::open(&self.keys, &Place::of(&record), &record.sealed)?;
        let (tokens, binding) = payload::decode(&plaintext).ok_or_else(|| seal::later(&record.account))?;
        Ok(Entry { record, tokens, binding })
    }
}

/// A connection, unsealed.
#[derive(Clone)]
#[non_exhaustive]
pub struct Entry {
    /// The record it came from; its columns have been proved by unsealing.
    pub record: Record,
    /// The tokens.
    pub tokens: TokenSet,
    /// What the provider layer bound the connection to. The store does not look inside.
    pub binding: Value,
}

/// The answer to a refresh, sealed and ready to be stored.
#[derive(Clone, Debug)]
pub struct Renewal {
    commit: Commit,
    /// The connection as it will be.
    pub entry: Entry,
}

impl Entry {
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
