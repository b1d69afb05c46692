//! Revocations that wait: connections that were disconnected here and may still live at their server.

use std::time::Duration;

use async_trait::async_trait;

use super::{ConnectionId, Record};
use crate::account::Owner;
use crate::clock::Timestamp;
use crate::error::Result;

/// The part of a [`TokenStore`](super::TokenStore) that keeps what is still to be revoked.
///
/// A connection gets into it by [`disconnect`](super::TokenStore::disconnect), in the same transaction as its
/// tombstone. A new login takes it out again, because some servers end every grant of a user and a client when one of
/// its tokens is revoked: a login deletes the revocations of its own account, and those of the same owner and provider
/// whose `account_id` is its own.
///
/// Whoever wants to send one takes it first. `attempts` counts how often it was taken or written anew, and is the fence:
/// what one did not take itself, one can neither postpone nor settle. All moments are by the store's clock.
#[async_trait]
pub trait RevocationQueue: Send + Sync {
    /// Queues `record`, which came for a connection that was gone by then, in place of what is queued of it already.
    ///
    /// Where nothing is queued of it any more, the grant may be to live on: nothing is queued then when the account or
    /// another of the same owner, provider and `account_id` has a connection, or when the account was disconnected by a
    /// [`Disconnect`](super::Disconnect) without a revocation.
    async fn queue_revocation(&self, record: Record, terms: RevocationTerms) -> Result<QueueOutcome>;

    /// At most `limit` of all that waits, beginning behind `after`: sorted by their next attempt, the earliest first,
    /// and then by their connection.
    async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>>;

    /// All that waits of `owner`, in the same order.
    async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>>;

    /// Takes the revocation of `connection` for `lease` from now, if its count is still `attempts`. Whether it is due is
    /// the caller's to know.
    async fn take_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        lease: Duration,
    ) -> Result<Option<Revocation>>;

    /// Puts the next attempt off until `wait` from now, if the count is still `attempts`.
    async fn postpone_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        wait: Duration,
    ) -> Result<()>;

    /// Deletes it, if the count is still `attempts`, and says whether it did.
    async fn settle_revocation(&self, connection: ConnectionId, attempts: u32) -> Result<bool>;
}

/// What became of a record that was to be queued.
#[derive(Clone, Debug)]
pub enum QueueOutcome {
    /// It waits.
    Queued(Box<Revocation>),
    /// Its grant may be somebody's, and nothing is queued.
    GrantLivesOn,
    /// It is sealed under another key than the store's newest. Nothing was written: seal it anew.
    Retired,
}

/// A connection that was disconnected here and may still live at its server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Revocation {
    /// The connection as it was, without claim, failure and revision. Its columns are proved by unsealing.
    pub record: Record,
    /// How often it was taken or written anew.
    pub attempts: u32,
    /// When it may be taken next.
    pub next_attempt_at: Timestamp,
    /// When it is given up.
    pub until: Timestamp,
}

/// How a revocation waits.
#[derive(Clone, Copy, Debug)]
pub struct RevocationTerms {
    /// How long it is left to whoever queues it.
    pub lease: Duration,
    /// How long it waits before it is given up.
    pub lasts: Duration,
}

impl Revocation {
    /// The revocation of `record`, queued at `now` for the first time.
    pub(super) fn new(record: Record, terms: RevocationTerms, now: Timestamp) -> Self {
        let record = Record { claim: None, failure: None, revision: 0, ..record };
        Self { record, attempts: 0, next_attempt_at: now.plus(terms.lease), until: now.plus(terms.lasts) }
    }
}
