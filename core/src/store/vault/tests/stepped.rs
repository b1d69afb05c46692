//! A store at whose every single call something can be made to happen.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::protocol::state::StateDigest;
use crate::store::{
    self, ChangeMark, CredentialOutcome, CredentialStore, Deleted, Disconnect, FoundLogin, KeysGuard,
    LoginBounds, NewSeal, OldSeal, PendingLogins, PutOutcome, QueueOutcome, Reach, Replace, ResealOutcome,
    Revocation, RevocationQueue, RevocationTerms, SealPosition, SealedCredential, SealedLogin, StaticKind,
    StoreId, TokenDigest, WrappedKey,
};

/// What happens at the call that was chosen; every other call goes through.
pub(super) enum Event {
    /// The process dies before the call.
    EndsBefore,
    /// The process dies when the call has been done, and before it hears of it.
    EndsAfter,
    /// Somebody else does this first.
    Somebody(Acts),
    /// Somebody else does this once the call has been done, and before its caller hears of it.
    SomebodyAfter(Acts),
}

type Acts = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Event {
    pub(super) fn somebody<F: Future<Output = ()> + Send + 'static>(
        acts: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self::Somebody(Box::new(move || Box::pin(acts())))
    }

    pub(super) fn somebody_after<F: Future<Output = ()> + Send + 'static>(
        acts: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self::SomebodyAfter(Box::new(move || Box::pin(acts())))
    }
}

/// Counts its calls, from one, once it is told to.
pub(super) struct Stepped {
    inner: Arc<dyn TokenStore>,
    counts: AtomicBool,
    calls: AtomicUsize,
    at: usize,
    event: Event,
}

impl Stepped {
    pub(super) fn new(inner: Arc<dyn TokenStore>, at: usize, event: Event) -> Arc<Self> {
        Arc::new(Self { inner, counts: AtomicBool::new(false), calls: AtomicUsize::new(0), at, event })
    }

    /// The next call is the first.
    pub(super) fn count(&self) {
        self.counts.store(true, Ordering::SeqCst);
    }

    /// Whether the chosen call has been reached.
    pub(super) fn happened(&self) -> bool {
        self.calls.load(Ordering::SeqCst) >= self.at
    }

    async fn step<T>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        if !self.counts.load(Ordering::SeqCst) {
            return call.await;
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let dead = || Err(Error::new(ErrorCode::StoreFailed, "the process has ended"));
        match &self.event {
            Event::EndsBefore if number >= self.at => dead(),
            Event::EndsAfter if number > self.at => dead(),
            Event::EndsAfter if number == self.at => {
                call.await?;
                dead()
            }
            Event::Somebody(acts) if number == self.at => {
                acts().await;
                call.await
            }
            Event::SomebodyAfter(acts) if number == self.at => {
                let done = call.await;
                acts().await;
                done
            }
            _ => call.await,
        }
    }
}

impl fmt::Debug for Stepped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stepped({})", self.at)
    }
}

#[async_trait]
impl TokenStore for Stepped {
    async fn load(&self, account: &AccountKey) -> Result<Option<Record>> {
        self.step(self.inner.load(account)).await
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        self.step(self.inner.list(owner)).await
    }

    async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>> {
        self.step(self.inner.expiring(before, after, limit)).await
    }

    async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        self.step(self.inner.latest_disconnect(account)).await
    }

    async fn connect(&self, login: NewConnection) -> Result<ConnectOutcome> {
        self.step(self.inner.connect(login)).await
    }

    async fn claim(
        &self,
        account: &AccountKey,
        connection: ConnectionId,
        presented: TokenDigest,
        attempt: AttemptId,
        lease: Duration,
    ) -> Result<ClaimOutcome> {
        self.step(self.inner.claim(account, connection, presented, attempt, lease)).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        self.step(self.inner.commit(commit)).await
    }

    async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        self.step(self.inner.abandon(account, attempt, failure)).await
    }

    async fn disconnect(&self, account: &AccountKey, disconnect: Disconnect) -> Result<Option<Deleted>> {
        self.step(self.inner.disconnect(account, disconnect)).await
    }

    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        self.step(self.inner.active(owner)).await
    }

    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool> {
        self.step(self.inner.select(owner, account)).await
    }

    async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()> {
        self.step(self.inner.record_event(account, kind)).await
    }

    async fn event_cursor(&self) -> Result<EventCursor> {
        self.step(self.inner.event_cursor()).await
    }

    async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<store::Event>> {
        self.step(self.inner.events(cursor)).await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.step(self.inner.is_empty()).await
    }

    async fn id(&self) -> Result<StoreId> {
        self.inner.id().await
    }

    fn reach(&self) -> Reach {
        self.inner.reach()
    }

    async fn lock_keys(&self) -> Result<KeysGuard> {
        self.step(self.inner.lock_keys()).await
    }

    async fn keys(&self) -> Result<Vec<WrappedKey>> {
        self.step(self.inner.keys()).await
    }

    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool> {
        self.step(self.inner.add_key(key, first)).await
    }

    async fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Result<Vec<OldSeal>> {
        self.step(self.inner.old_seals(after, limit)).await
    }

    async fn reseal(&self, batch: Vec<NewSeal>) -> Result<ResealOutcome> {
        self.step(self.inner.reseal(batch)).await
    }

    async fn remove_key(&self, id: [u8; 8]) -> Result<bool> {
        self.step(self.inner.remove_key(id)).await
    }

    fn change_mark(&self) -> Result<ChangeMark> {
        self.inner.change_mark()
    }

    fn others_mark(&self) -> Result<ChangeMark> {
        self.inner.others_mark()
    }

    async fn now(&self) -> Result<Timestamp> {
        self.inner.now().await
    }
}

#[async_trait]
impl RevocationQueue for Stepped {
    async fn queue_revocation(&self, record: Record, terms: RevocationTerms) -> Result<QueueOutcome> {
        self.step(self.inner.queue_revocation(record, terms)).await
    }

    async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>> {
        self.step(self.inner.revocations(after, limit)).await
    }

    async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>> {
        self.step(self.inner.revocations_of(owner)).await
    }

    async fn take_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        self.step(self.inner.take_revocation(connection, attempts, lease)).await
    }

    async fn postpone_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        wait: Duration,
    ) -> Result<()> {
        self.step(self.inner.postpone_revocation(connection, attempts, wait)).await
    }

    async fn settle_revocation(&self, connection: ConnectionId, attempts: u32) -> Result<bool> {
        self.step(self.inner.settle_revocation(connection, attempts)).await
    }
}

#[async_trait]
impl PendingLogins for Stepped {
    async fn put_pending_login(&self, login: SealedLogin, bounds: LoginBounds) -> Result<PutOutcome> {
        self.step(self.inner.put_pending_login(login, bounds)).await
    }

    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin> {
        self.step(self.inner.pending_login(id)).await
    }

    async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        self.step(self.inner.close_pending_login(id)).await
    }

    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>> {
        self.step(self.inner.old_pending_logins(limit)).await
    }

    async fn reseal_pending_login(
        &self,
        id: StateDigest,
        old: SealedTokens,
        new: SealedTokens,
    ) -> Result<ResealOutcome> {
        self.step(self.inner.reseal_pending_login(id, old, new)).await
    }
}

#[async_trait]
impl CredentialStore for Stepped {
    async fn credentials(&self, owner: &Owner) -> Result<Vec<SealedCredential>> {
        self.step(self.inner.credentials(owner)).await
    }

    async fn store_credential(
        &self,
        credential: SealedCredential,
        replace: Replace,
    ) -> Result<CredentialOutcome> {
        self.step(self.inner.store_credential(credential, replace)).await
    }

    async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        self.step(self.inner.remove_credential(account, kind)).await
    }

    async fn old_credential(
        &self,
        after: Option<(&AccountKey, StaticKind)>,
    ) -> Result<Option<SealedCredential>> {
        self.step(self.inner.old_credential(after)).await
    }

    async fn reseal_credential(&self, old: &SealedCredential, new: SealedTokens) -> Result<ResealOutcome> {
        self.step(self.inner.reseal_credential(old, new)).await
    }
}
