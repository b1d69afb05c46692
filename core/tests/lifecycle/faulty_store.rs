//! A store whose writes fail when told to.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::clock::Timestamp;
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::protocol::state::StateDigest;
use loomkin_auth::store::{
    AttemptId, ChangeMark, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId,
    CredentialOutcome, CredentialStore, Deleted, Disconnect, Event, EventCursor, EventKind, Expiring,
    Failure, FoundLogin, KeysGuard, LatestDisconnect, LoginBounds, NewConnection, NewSeal, OldSeal,
    PendingLogins, PutOutcome, QueueOutcome, Reach, Record, Replace, ResealOutcome, Revocation,
    RevocationQueue, RevocationTerms, SealPosition, SealedCredential, SealedLogin, SealedTokens, StaticKind,
    StoreId, TokenDigest, TokenStore, WrappedKey,
};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn TokenStore>,
    /// How many logins are refused from now on, and how many after those are stored and not answered.
    pub(crate) connects_fail: AtomicUsize,
    pub(crate) connect_answers_lost: AtomicUsize,
    pub(crate) connects: AtomicUsize,
    pub(crate) claims_fail: AtomicBool,
    pub(crate) commits_fail: AtomicBool,
    pub(crate) commits_panic: AtomicBool,
    pub(crate) claims: AtomicUsize,
    /// Claims and commits wait while this is `false`.
    pub(crate) open: watch::Sender<bool>,
    pub(crate) commits: AtomicUsize,
    pub(crate) searches_fail: AtomicBool,
    pub(crate) searches: AtomicUsize,
    pub(crate) loads: AtomicUsize,
    /// Revocations wait while this is `false` before they are taken, and `takers` counts them.
    pub(crate) takes: watch::Sender<bool>,
    pub(crate) takers: watch::Sender<usize>,
    /// The same for what is to be queued late.
    pub(crate) queues: watch::Sender<bool>,
    pub(crate) queuers: watch::Sender<usize>,
    pub(crate) disconnects_fail_for: Mutex<Option<AccountKey>>,
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
            connects_fail: AtomicUsize::default(),
            connect_answers_lost: AtomicUsize::default(),
            connects: AtomicUsize::default(),
            claims_fail: AtomicBool::default(),
            commits_fail: AtomicBool::default(),
            commits_panic: AtomicBool::default(),
            claims: AtomicUsize::default(),
            open: watch::Sender::new(true),
            commits: AtomicUsize::default(),
            searches_fail: AtomicBool::default(),
            searches: AtomicUsize::default(),
            loads: AtomicUsize::default(),
            takes: watch::Sender::new(true),
            takers: watch::Sender::new(0),
            queues: watch::Sender::new(true),
            queuers: watch::Sender::new(0),
            disconnects_fail_for: Mutex::default(),
            marks_differ: AtomicBool::default(),
            marks: AtomicU64::default(),
            is_away: AtomicBool::default(),
            one_more_while_reading: AtomicBool::default(),
            looks: AtomicUsize::default(),
        })
    }
}

/// Whether there was one left; there is one less from now on.
fn take_one(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

async fn opened(gate: &watch::Sender<bool>) {
    gate.subscribe().wait_for(|open| *open).await.unwrap();
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
        opened(&self.open).await;
        match self.claims_fail.load(Ordering::SeqCst) {
            true => Err(full_disk()),
            false => self.inner.claim(account, connection, presented, attempt, lease).await,
        }
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        opened(&self.open).await;
        assert!(!self.commits_panic.load(Ordering::SeqCst), "as the test asked for");
        match self.commits_fail.load(Ordering::SeqCst) {
            true => Err(full_disk()),
            false => self.inner.commit(commit).await,
        }
    }

    async fn load(&self, account: &AccountKey) -> Result<Option<Record>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(account).await
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        self.inner.list(owner).await
    }

    async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>> {
        self.searches.fetch_add(1, Ordering::SeqCst);
        match self.searches_fail.load(Ordering::SeqCst) {
            true => Err(full_disk()),
            false => self.inner.expiring(before, after, limit).await,
        }
    }

    async fn connect(&self, login: NewConnection) -> Result<ConnectOutcome> {
        self.connects.fetch_add(1, Ordering::SeqCst);
        if take_one(&self.connects_fail) {
            return Err(full_disk());
        }
        let outcome = self.inner.connect(login).await;
        if take_one(&self.connect_answers_lost) { Err(full_disk()) } else { outcome }
    }

    async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        self.inner.latest_disconnect(account).await
    }

    async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        self.inner.abandon(account, attempt, failure).await
    }

    async fn disconnect(&self, account: &AccountKey, disconnect: Disconnect) -> Result<Option<Deleted>> {
        if self.disconnects_fail_for.lock().unwrap().as_ref() == Some(account) {
            return Err(full_disk());
        }
        self.inner.disconnect(account, disconnect).await
    }

    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        self.inner.active(owner).await
    }

    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool> {
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

    async fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Result<Vec<OldSeal>> {
        self.inner.old_seals(after, limit).await
    }

    async fn reseal(&self, batch: Vec<NewSeal>) -> Result<ResealOutcome> {
        self.inner.reseal(batch).await
    }

    async fn remove_key(&self, id: [u8; 8]) -> Result<bool> {
        self.inner.remove_key(id).await
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

#[async_trait]
impl RevocationQueue for FaultyStore {
    async fn take_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        self.takers.send_modify(|takers| *takers += 1);
        opened(&self.takes).await;
        self.inner.take_revocation(connection, attempts, lease).await
    }

    async fn queue_revocation(&self, record: Record, terms: RevocationTerms) -> Result<QueueOutcome> {
        self.queuers.send_modify(|queuers| *queuers += 1);
        opened(&self.queues).await;
        self.inner.queue_revocation(record, terms).await
    }

    async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>> {
        self.inner.revocations(after, limit).await
    }

    async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>> {
        self.inner.revocations_of(owner).await
    }

    async fn postpone_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        wait: Duration,
    ) -> Result<()> {
        self.inner.postpone_revocation(connection, attempts, wait).await
    }

    async fn settle_revocation(&self, connection: ConnectionId, attempts: u32) -> Result<bool> {
        self.inner.settle_revocation(connection, attempts).await
    }
}

#[async_trait]
impl PendingLogins for FaultyStore {
    async fn put_pending_login(&self, login: SealedLogin, bounds: LoginBounds) -> Result<PutOutcome> {
        self.inner.put_pending_login(login, bounds).await
    }

    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin> {
        self.inner.pending_login(id).await
    }

    async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        self.inner.close_pending_login(id).await
    }

    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>> {
        self.inner.old_pending_logins(limit).await
    }

    async fn reseal_pending_login(
        &self,
        id: StateDigest,
        old: SealedTokens,
        new: SealedTokens,
    ) -> Result<ResealOutcome> {
        self.inner.reseal_pending_login(id, old, new).await
    }
}

#[async_trait]
impl CredentialStore for FaultyStore {
    async fn credentials(&self, owner: &Owner) -> Result<Vec<SealedCredential>> {
        self.inner.credentials(owner).await
    }

    async fn store_credential(
        &self,
        credential: SealedCredential,
        replace: Replace,
    ) -> Result<CredentialOutcome> {
        self.inner.store_credential(credential, replace).await
    }

    async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        self.inner.remove_credential(account, kind).await
    }

    async fn old_credential(
        &self,
        after: Option<(&AccountKey, StaticKind)>,
    ) -> Result<Option<SealedCredential>> {
        self.inner.old_credential(after).await
    }

    async fn reseal_credential(&self, old: &SealedCredential, new: SealedTokens) -> Result<ResealOutcome> {
        self.inner.reseal_credential(old, new).await
    }
}
