//! Where connections are kept: the port, its records, and the backends behind it.
//!
//! A backend sees sealed bytes and the plain columns beside them, never a token. Sealing stands in front of it.

mod blocking;
mod claim;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod credential;
mod entry;
mod event;
mod files;
pub mod key;
pub mod memory;
mod payload;
mod pending_logins;
#[cfg(feature = "postgres")]
pub mod postgres;
mod reseal;
mod revocations;
mod seal;
pub mod sqlite;
pub mod vault;

use std::any::Any;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

pub use claim::{
    AttemptId, Claim, ClaimOutcome, Commit, CommitOutcome, Failure, FailureKind, ReconnectReason,
};
pub use credential::{CredentialOutcome, CredentialStore, Replace, SealedCredential, StaticKind};
pub use entry::{
    Columns, ConnectOutcome, ConnectionId, Deleted, Disconnect, Expiring, LatestDisconnect, NewConnection,
    Record, SealedTokens, StoreId, TokenDigest, TombstoneId, WrappedKey,
};
pub use event::{Event, EventCursor, EventKind, NewEvent, Numbered};
pub use pending_logins::{FoundLogin, LoginBounds, PendingLogins, PutOutcome, SealedLogin};
pub use reseal::{NewSeal, OldSeal, ResealOutcome, SealPosition};
pub use revocations::{QueueOutcome, Revocation, RevocationQueue, RevocationTerms};

use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::secret::SecretKey;

/// A place that keeps connections durably and lets exactly one caller at a time refresh each of them.
///
/// Every method is one transaction: it has happened as a whole and durably when it returns `Ok`, and not at all when
/// it returns `Err`. All errors are `store_failed`. Methods may be called from many tasks, processes and, where the
/// backend can, hosts at once. All backends pass one conformance suite.
///
/// Tokens are taken only under the newest key, and so are pending logins. [`connect`](Self::connect),
/// [`commit`](Self::commit), [`reseal`](Self::reseal) and their like compare the key that the sealed bytes name with it, inside their transaction. So once
/// [`add_key`](Self::add_key) has returned, no tokens under an older key are added any more, whoever still has that key.
#[async_trait]
pub trait TokenStore: CredentialStore + PendingLogins + RevocationQueue + fmt::Debug + Send + Sync {
    /// The connection of `account`, or `None` where there is none or it was disconnected.
    async fn load(&self, account: &AccountKey) -> Result<Option<Record>>;

    /// All connections of `owner`, sorted by provider and account.
    async fn list(&self, owner: &Owner) -> Result<Vec<Record>>;

    /// The connections of all owners that can be refreshed and whose access tokens end before `before`, sorted by that
    /// end, owner, provider and account: at most `limit` of them, and only those behind `after`.
    ///
    /// One whose present refresh token is known to be dead is left out, or the dead would gather at the front.
    async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>>;

    /// Stores a login: replaces whatever the account had, with its claim, its failure and its tombstone, makes the
    /// account the owner's active one, and takes the revocations that could end the new grant out of the queue.
    ///
    /// Not when the account has been disconnected since the login was begun, and is so still: when it has a tombstone,
    /// and another than in [`NewConnection::begun_after`].
    async fn connect(&self, login: NewConnection) -> Result<ConnectOutcome>;

    /// The tombstone of `account`, for a login that begins now.
    async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect>;

    /// Asks for the right to present the refresh token with digest `presented` for `lease` from now by the store's
    /// clock.
    ///
    /// The claim is lease and write-ahead mark in one: "presented, not yet acknowledged". It is granted when
    /// `connection` is still the account's, `presented` is still its refresh token's digest, and nobody alive holds
    /// a claim whose lease still runs.
    async fn claim(
        &self,
        account: &AccountKey,
        connection: ConnectionId,
        presented: TokenDigest,
        attempt: AttemptId,
        lease: Duration,
    ) -> Result<ClaimOutcome>;

    /// Stores the answer to a refresh, and with it ends the claim and forgets the failure.
    ///
    /// The fence: only when `commit.connection` is still the account's and `commit.revision` still its revision. The refresh token alone would not do: a server that does not rotate gives many answers to one,
    /// and an older one must not replace a newer. The claim need not be held any more: a late answer that passes the
    /// fence is the newest truth.
    async fn commit(&self, commit: Commit) -> Result<CommitOutcome>;

    /// Gives the claim back without new tokens, and records `failure` where there is one. Does nothing when
    /// `attempt` does not hold the account's claim any more.
    async fn abandon(&self, account: &AccountKey, attempt: AttemptId, failure: Option<Failure>)
    -> Result<()>;

    /// Deletes the connection, clears the owner's active account if it was this one, and queues the revocation if
    /// there is to be one. Returns what was there.
    ///
    /// Leaves a tombstone that answers late commits and closes the logins that have begun, also where nothing was.
    async fn disconnect(&self, account: &AccountKey, disconnect: Disconnect) -> Result<Option<Deleted>>;

    /// The owner's active account.
    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>>;

    /// Selects the owner's active account, or none. Deletes nothing. Returns `false`, and selects nothing, when the account
    /// has neither a connection nor a credential here.
    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool>;

    /// Writes an event of its own: something became known that the store has no other row for.
    ///
    /// Every other event is written by the method that makes the change, in the same transaction: by
    /// [`connect`](Self::connect) those of [`NewEvent::of_login`], by a stored [`commit`](Self::commit) `refreshed`, by
    /// [`abandon`](Self::abandon) what [`EventKind::of_failure`] says, by [`disconnect`](Self::disconnect) those of
    /// [`NewEvent::of_disconnect`], and by [`select`](Self::select), where it changes anything, that of
    /// [`NewEvent::of_selection`].
    async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()>;

    /// A place at the end of the event log: behind every event of now, before every event that is not seen yet.
    async fn event_cursor(&self) -> Result<EventCursor>;

    /// The events behind `cursor`, in the order in which they happened to each account, and moves it behind them.
    ///
    /// The log keeps the newest [`EventCursor::REACH`] events and few more; a cursor that is farther behind is told so.
    async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<Event>>;

    /// Whether no owner has any connection or static credential. A tombstone is none.
    async fn is_empty(&self) -> Result<bool>;

    /// The store's own name, given when it was made.
    async fn id(&self) -> Result<StoreId>;

    /// How far the store reaches, and so where its sealing key may be kept.
    fn reach(&self) -> Reach;

    /// Keeps everybody else from making data keys until the returned guard is dropped or its process dies.
    async fn lock_keys(&self) -> Result<KeysGuard>;

    /// The data keys of this store, wrapped; the newest last.
    async fn keys(&self) -> Result<Vec<WrappedKey>>;

    /// Adds a data key. Returns `false`, and adds nothing, when the store has one of that id or, with `first`, any.
    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool>;

    /// The sealed tokens that do not name the newest key, at most `limit` of them: those of connections, sorted by
    /// account, then those of queued revocations, sorted by connection. Starts behind `after`, wherever that is by now.
    async fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Result<Vec<OldSeal>>;

    /// Replaces sealed tokens by the same tokens sealed under the newest key, wherever they are by now, and changes
    /// nothing else: to claims, fences and failures the records are the same as before.
    async fn reseal(&self, batch: Vec<NewSeal>) -> Result<ResealOutcome>;

    /// Removes a data key that nothing sealed names, be it tokens, an open login or a credential. Returns `false`, and removes
    /// nothing, when something names it, or it is
    /// the newest, or not there.
    async fn remove_key(&self, id: [u8; 8]) -> Result<bool>;

    /// A mark that differs from every earlier one as soon as anybody has changed the store.
    ///
    /// On one host a change shows before the method that made it returns; where the store reaches many, the changes of
    /// other processes show within a second. Costs a few memory loads, at most one cheap system call.
    /// Take the mark *before* loading: a mark taken afterwards may already stand for a change that the load missed.
    fn change_mark(&self) -> Result<ChangeMark>;

    /// A mark that differs from every earlier one as soon as anybody else has changed the store: what is changed by this
    /// handle and its clones, its caller knows. Fails where [`change_mark`](Self::change_mark) does.
    ///
    /// It is for the time in which the store cannot be read. A store for which that is no common accident gives the other.
    fn others_mark(&self) -> Result<ChangeMark> {
        self.change_mark()
    }

    /// Makes sure that the mark is the one that other processes move. Call it once a second where nothing but marks is
    /// read; costs at most one cheap system call. A store whose mark cannot be taken away from it does nothing here.
    fn verify_change_mark(&self) -> Result<()> {
        Ok(())
    }

    /// The present moment by the clock that leases and deadlines are measured with.
    async fn now(&self) -> Result<Timestamp>;
}

/// See [`TokenStore::change_mark`]. Only equality has a meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChangeMark(pub u64);

/// See [`TokenStore::reach`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reach {
    /// One host. A key file may be made at `key_file`, beside the store.
    Host {
        /// Where: the store's own path with `.key` appended.
        key_file: PathBuf,
    },
    /// Many hosts, which share neither files nor keychains.
    Hosts,
    /// One process: the store ends with it, and so may the secret that stands for its key source.
    Process {
        /// Random, made with the store.
        secret: SecretKey,
    },
}

/// See [`TokenStore::lock_keys`].
pub struct KeysGuard(#[expect(dead_code, reason = "held for its `Drop`")] Box<dyn Any + Send>);

impl KeysGuard {
    /// A guard that lasts as long as `lock` does.
    pub fn new(lock: impl Any + Send) -> Self {
        Self(Box::new(lock))
    }
}

impl fmt::Debug for KeysGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeysGuard")
    }
}
