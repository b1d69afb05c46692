//! Where connections are kept: the port, its records, and the backends behind it.
//!
//! A backend sees sealed bytes and the plain columns beside them, never a token. Sealing stands in front of it.

mod claim;
mod entry;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use claim::{
    AttemptId, Claim, ClaimOutcome, Commit, CommitOutcome, Failure, FailureKind, ReconnectReason,
};
pub use entry::{Columns, ConnectionId, NewConnection, Record, SealedTokens, TokenDigest, WrappedKey};

use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;

/// A place that keeps connections durably and lets exactly one caller at a time refresh each of them.
///
/// Every method is one transaction: it has happened as a whole and durably when it returns `Ok`, and not at all when
/// it returns `Err`. All errors are `store_failed`. Methods may be called from many tasks, processes and, where the
/// backend can, hosts at once. All backends pass one conformance suite.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// The connection of `account`, or `None` where there is none or it was disconnected.
    async fn load(&self, account: &AccountKey) -> Result<Option<Record>>;

    /// All connections of `owner`, sorted by provider and account.
    async fn list(&self, owner: &Owner) -> Result<Vec<Record>>;

    /// Stores a login: replaces whatever the account had, with its claim, its failure and its tombstone, and makes
    /// the account the owner's active one.
    async fn connect(&self, login: NewConnection) -> Result<()>;

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
    /// The fence: only when `commit.connection` is still the account's and `commit.presented` is still its refresh
    /// token's digest. The claim need not be held any more: a late answer that passes the fence is the newest truth.
    async fn commit(&self, commit: Commit) -> Result<CommitOutcome>;

    /// Gives the claim back without new tokens, and records `failure` where there is one. Does nothing when
    /// `attempt` does not hold the account's claim any more.
    async fn abandon(&self, account: &AccountKey, attempt: AttemptId, failure: Option<Failure>)
    -> Result<()>;

    /// Deletes the connection, leaves a tombstone that answers a late commit, and clears the owner's active account
    /// if it was this one. Returns what was there.
    async fn disconnect(&self, account: &AccountKey) -> Result<Option<Record>>;

    /// The owner's active account.
    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>>;

    /// Selects the owner's active account, or none. Deletes nothing.
    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<()>;

    /// The data keys of this store, wrapped; the newest last.
    async fn keys(&self) -> Result<Vec<WrappedKey>>;

    /// Adds a data key. Returns `false`, and adds nothing, when the store has one of that id or, with `first`, any.
    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool>;

    /// A mark that differs from every earlier one as soon as anybody has changed the store.
    ///
    /// On one host a change shows before the method that made it returns. Costs at most one cheap system call.
    fn change_mark(&self) -> Result<ChangeMark>;

    /// The present moment by the clock that leases and deadlines are measured with.
    async fn now(&self) -> Result<Timestamp>;
}

/// See [`TokenStore::change_mark`]. Only equality has a meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChangeMark(pub u64);
