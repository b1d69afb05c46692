//! A store whose writes fail when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::clock::Timestamp;
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::store::{
    AttemptId, ChangeMark, ClaimOutcome, Commit, CommitOutcome, ConnectionId, Event, EventCursor, EventKind,
    Failure, KeysGuard, NewConnection, Reach, Record, StoreId, TokenDigest, TokenStore, WrappedKey,
};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn TokenStore>,
    pub(crate) claims_fail: AtomicBool,
    pub(crate) commits_fail: AtomicBool,
    pub(crate) claims: AtomicUsize,
    /// Claims and commits wait while this is `false`.
    pub(crate) open: watch::Sender<bool>,
    pub(crate) commits: AtomicUsize,
    /// Whether no two marks are equal, as after a writer that died between its commit and its mark.
    pub(crate) marks_differ: AtomicBool,
    marks: AtomicU64,
    /// Whether the store cannot be reached: it has no mark and no events.
    pub(crate) is_away: AtomicBool,
    /// Whether somebody refreshes the account just after the next reader has read the events that there are.
    pub(crate) one_more_while_reading: AtomicBool,
    /// How often somebody asked for the mark.
    pub(crate) looks: AtomicUsize,
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<dyn TokenStore>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            claims_fail: AtomicBool::default(),
            commits_fail: AtomicBool::default(),
            claims: AtomicUsize::default(),
            open: watch::Sender::new(true),
            commits: AtomicUsize::default(),
            marks_differ: AtomicBool::default(),
            marks: AtomicU64::default(),
            is_away: AtomicBool::default(),
            one_more_while_reading: AtomicBool::default(),
            looks: AtomicUsize::default(),
        })
    }
}

impl FaultyStore {
    async fn opened(&self) {
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

fn full_disk() -> Error {
    Error::new(ErrorCode::StoreFailed, "the disk is full")
}

#[async_trait]
impl TokenStore for FaultyStore {
    async fn claim(
        &self,
        account: &AccountKey,
        connection: ConnectionId,
        presented: TokenDigest,
        attempt: AttemptId,
        lease: Duration,
    ) -> Result<ClaimOutcome> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        self.opened().await;
        match self.claims_fail.load(Ordering::SeqCst) {
            true => Err(full_disk()),
            false => self.inner.claim(account, connection, presented, attempt, lease).await,
        }
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.opened().await;
        match self.commits_fail.load(Ordering::SeqCst) {
            true => Err(full_disk()),
            false => self.inner.commit(commit).await,
        }
    }

    async fn load(&self, account: &AccountKey) -> Result<Option<Record>> {
        self.inner.load(account).await
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        self.inner.list(owner).await
    }

    async fn connect(&self, login: NewConnection) -> Result<()> {
        self.inner.connect(login).await
    }

    async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        self.inner.abandon(account, attempt, failure).await
    }

    async fn disconnect(&self, account: &AccountKey) -> Result<Option<Record>> {
        self.inner.disconnect(account).await
    }

    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        self.inner.active(owner).await
    }

    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<()> {
        self.inner.select(owner, account).await
    }

    async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()> {
        self.inner.record_event(account, kind).await
    }

    async fn event_cursor(&self) -> Result<EventCursor> {
        self.inner.event_cursor().await
    }

    async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<Event>> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(full_disk());
        }
        let events = self.inner.events(cursor).await?;
        if !events.is_empty() && self.one_more_while_reading.swap(false, Ordering::SeqCst) {
            self.inner.record_event(&crate::support::account(), EventKind::Refreshed).await?;
        }
        Ok(events)
    }

    async fn is_empty(&self) -> Result<bool> {
        self.inner.is_empty().await
    }

    async fn id(&self) -> Result<StoreId> {
        self.inner.id().await
    }

    fn reach(&self) -> Reach {
        self.inner.reach()
    }

    async fn lock_keys(&self) -> Result<KeysGuard> {
        self.inner.lock_keys().await
    }

    async fn keys(&self) -> Result<Vec<WrappedKey>> {
        self.inner.keys().await
    }

    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool> {
        self.inner.add_key(key, first).await
    }

    fn change_mark(&self) -> Result<ChangeMark> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(full_disk());
        }
        match self.marks_differ.load(Ordering::SeqCst) {
            true => Ok(ChangeMark(self.marks.fetch_add(1, Ordering::SeqCst))),
            false => self.inner.change_mark(),
        }
    }

    async fn now(&self) -> Result<Timestamp> {
        self.inner.now().await
    }
}
