//! A store that ends with its process: for tests, and for apps that log in anew each time.

mod credentials;
mod keys;
mod log;
mod pending_logins;
mod revocations;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::log::Log;
use super::claim::{Verdict, judge};
use super::reseal::is_retired;
use super::{
    AttemptId, ChangeMark, Claim, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId, Deleted,
    Disconnect, Event, EventCursor, EventKind, Expiring, Failure, KeysGuard, LatestDisconnect, NewConnection,
    NewEvent, NewSeal, OldSeal, Reach, Record, ResealOutcome, Revocation, SealPosition, SealedCredential,
    StaticKind, StoreId, TokenDigest, TokenStore, TombstoneId, WrappedKey,
};
use crate::account::{AccountKey, Owner};
use crate::clock::{Clock, Timestamp};
use crate::error::Result;
use crate::random::Random;
use crate::secret::SecretKey;

/// A [`TokenStore`] in memory. Clones and other handles of one store share it, as processes share a file.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    id: StoreId,
    secret: SecretKey,
    rows: Mutex<Rows>,
    keys_lock: Arc<tokio::sync::Mutex<()>>,
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Rows {
    connections: BTreeMap<AccountKey, Record>,
    tombstones: BTreeMap<AccountKey, Tombstone>,
    /// By their connections.
    revocations: BTreeMap<[u8; 16], Revocation>,
    pending_logins: Vec<pending_logins::Row>,
    credentials: BTreeMap<(AccountKey, StaticKind), SealedCredential>,
    active: BTreeMap<Owner, AccountKey>,
    keys: Vec<WrappedKey>,
    log: Log,
}

impl Rows {
    /// Makes `account` the owner's active one, or none, and says whether another one was.
    fn activate(&mut self, owner: &Owner, account: Option<&AccountKey>) -> bool {
        let before = match account {
            Some(account) => self.active.insert(owner.clone(), account.clone()),
            None => self.active.remove(owner),
        };
        before.as_ref() != account
    }
}

/// What is left of a connection.
#[derive(Debug)]
struct Tombstone {
    id: TombstoneId,
    /// Whether the grant was to live on at the server.
    keeps_grant: bool,
}

impl MemoryStore {
    /// An empty store whose leases run by `clock`.
    ///
    /// # Errors
    ///
    /// `store_failed` when `random` gives nothing.
    pub fn new(clock: Arc<dyn Clock>, random: &dyn Random) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            clock,
            id: StoreId(random.make_bytes()?),
            secret: SecretKey::new(&random.make_bytes()?),
            rows: Mutex::default(),
            keys_lock: Arc::default(),
            changes: AtomicU64::new(0),
        })))
    }

    /// Ends the lease of the account's claim now: what a backend does that notices the death of a holder.
    #[cfg(any(test, feature = "testing"))]
    pub fn end_lease(&self, account: &AccountKey) {
        let now = self.0.clock.now();
        if let Some(claim) = self.rows().connections.get_mut(account).and_then(|record| record.claim.as_mut())
        {
            claim.deadline = claim.deadline.min(now);
        }
    }

    /// The rows. A panic elsewhere leaves them whole: every method changes them in one step.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that something has changed, while the caller still holds the rows.
    fn changed(&self, _rows: &MutexGuard<'_, Rows>) {
        self.0.changes.fetch_add(1, Ordering::Release);
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn load(&self, account: &AccountKey) -> Result<Option<Record>> {
        Ok(self.rows().connections.get(account).cloned())
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        Ok(self
            .rows()
            .connections
            .values()
            .filter(|record| record.account.owner == *owner)
            .cloned()
            .collect())
    }

    async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>> {
        let rows = self.rows();
        let mut found: Vec<_> = rows
            .connections
            .values()
            .filter_map(|record| Some(((record.columns.expires_at?, &record.account), record)))
            .filter(|(place, _)| place.0 < before && after.is_none_or(|after| after.place() < *place))
            .collect();
        found.sort_unstable_by_key(|(place, _)| *place);
        Ok(found.into_iter().filter_map(|(_, record)| Expiring::of(record)).take(limit as usize).collect())
    }

    async fn connect(&self, login: NewConnection) -> Result<ConnectOutcome> {
        let mut rows = self.rows();
        if is_retired(rows.newest_key(), &login.sealed) {
            return Ok(ConnectOutcome::Retired);
        }
        let tombstone = rows.tombstones.get(&login.account).map(|tombstone| tombstone.id);
        if tombstone.is_some() && login.begun_after.is_some_and(|latest| latest.0 != tombstone) {
            return Ok(ConnectOutcome::Disconnected);
        }
        rows.tombstones.remove(&login.account);
        rows.cancel_revocations(&login);
        let activated = rows.activate(&login.account.owner, Some(&login.account));
        rows.log.write(NewEvent::of_login(&login.account, activated), self.0.clock.now());
        rows.connections.insert(login.account.clone(), Record::from_login(login));
        self.changed(&rows);
        Ok(ConnectOutcome::Connected)
    }

    async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        Ok(LatestDisconnect(self.rows().tombstones.get(account).map(|tombstone| tombstone.id)))
    }

    async fn claim(
        &self,
        account: &AccountKey,
        connection: ConnectionId,
        presented: TokenDigest,
        attempt: AttemptId,
        lease: Duration,
    ) -> Result<ClaimOutcome> {
        let now = self.0.clock.now();
        let mut rows = self.rows();
        // Whoever made a claim here lives: it is this process.
        let verdict = judge(rows.connections.get(account), connection, presented, now, || true);
        let Some(record) = rows.connections.get_mut(account) else { return Ok(ClaimOutcome::Gone) };
        let outcome = match verdict {
            Verdict::Gone => return Ok(ClaimOutcome::Gone),
            Verdict::Held { remaining } => return Ok(ClaimOutcome::Held { remaining }),
            Verdict::Moved => return Ok(ClaimOutcome::Moved(Box::new(record.clone()))),
            Verdict::Grant { orphaned } => {
                record.claim = Some(Claim { attempt, presented, deadline: now.plus(lease) });
                ClaimOutcome::Claimed { record: Box::new(record.clone()), orphaned }
            }
        };
        self.changed(&rows);
        Ok(outcome)
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        let mut rows = self.rows();
        let newest_key = rows.newest_key();
        // Where nothing is connected, there is a tombstone.
        let Some(record) = rows.connections.get_mut(&commit.account) else {
            return Ok(CommitOutcome::Disconnected);
        };
        if record.connection != commit.connection || record.revision != commit.revision {
            return Ok(CommitOutcome::Superseded(Box::new(record.clone())));
        }
        if is_retired(newest_key, &commit.sealed) {
            return Ok(CommitOutcome::Retired);
        }
        record.columns = commit.columns;
        record.sealed = commit.sealed;
        record.refresh_digest = Some(commit.refresh_digest);
        record.revision += 1;
        record.updated_at = commit.updated_at;
        record.claim = None;
        record.failure = None;
        rows.log.write([NewEvent::of(&commit.account, EventKind::Refreshed)], self.0.clock.now());
        self.changed(&rows);
        Ok(CommitOutcome::Committed)
    }

    async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        let mut rows = self.rows();
        let Some(record) = rows.connections.get_mut(account) else { return Ok(()) };
        if record.claim.is_none_or(|claim| claim.attempt != attempt) {
            return Ok(());
        }
        record.claim = None;
        record.failure = failure.or(record.failure);
        let event = failure.map(|failure| NewEvent::of(account, EventKind::of_failure(&failure)));
        rows.log.write(event, self.0.clock.now());
        self.changed(&rows);
        Ok(())
    }

    async fn disconnect(&self, account: &AccountKey, disconnect: Disconnect) -> Result<Option<Deleted>> {
        let now = self.0.clock.now();
        let mut rows = self.rows();
        let Disconnect { tombstone, revocation } = disconnect;
        let tombstone = Tombstone { id: tombstone, keeps_grant: revocation.is_none() };
        rows.tombstones.insert(account.clone(), tombstone);
        self.changed(&rows);
        let Some(record) = rows.connections.remove(account) else { return Ok(None) };
        let was_active = rows.active.get(&account.owner) == Some(account);
        if was_active {
            rows.active.remove(&account.owner);
        }
        let revoked = revocation.is_none().then_some(false);
        rows.log.write(NewEvent::of_disconnect(account, revoked, was_active), now);
        let revocation = revocation.map(|terms| Revocation::new(record.clone(), terms, now));
        rows.revocations.extend(revocation.clone().map(|revocation| (record.connection.0, revocation)));
        Ok(Some(Deleted { record, revocation }))
    }

    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        Ok(self.rows().active.get(owner).cloned())
    }

    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool> {
        let mut rows = self.rows();
        let holds = |account| {
            rows.connections.contains_key(account)
                || rows.credentials.keys().any(|(whose, _)| whose == account)
        };
        if account.is_some_and(|account| !holds(account)) {
            return Ok(false);
        }
        if rows.activate(owner, account) {
            rows.log.write([NewEvent::of_selection(owner, account)], self.0.clock.now());
            self.changed(&rows);
        }
        Ok(true)
    }

    async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()> {
        let mut rows = self.rows();
        rows.log.write([NewEvent::of(account, kind)], self.0.clock.now());
        self.changed(&rows);
        Ok(())
    }

    async fn event_cursor(&self) -> Result<EventCursor> {
        Ok(EventCursor::behind(self.rows().log.newest()))
    }

    async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<Event>> {
        let rows = self.rows();
        Ok(cursor.advance(rows.log.newest(), rows.log.above(cursor.last()), self.0.clock.now()))
    }

    async fn is_empty(&self) -> Result<bool> {
        let rows = self.rows();
        Ok(rows.connections.is_empty() && rows.credentials.is_empty())
    }

    async fn id(&self) -> Result<StoreId> {
        Ok(self.0.id)
    }

    fn reach(&self) -> Reach {
        Reach::Process { secret: self.0.secret.clone() }
    }

    async fn lock_keys(&self) -> Result<KeysGuard> {
        Ok(KeysGuard::new(Arc::clone(&self.0.keys_lock).lock_owned().await))
    }

    async fn keys(&self) -> Result<Vec<WrappedKey>> {
        Ok(self.rows().keys.clone())
    }

    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool> {
        let mut rows = self.rows();
        if rows.keys.iter().any(|known| first || known.id == key.id) {
            return Ok(false);
        }
        rows.keys.push(key);
        self.changed(&rows);
        Ok(true)
    }

    async fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Result<Vec<OldSeal>> {
        Ok(self.rows().old_seals(after, limit))
    }

    async fn reseal(&self, batch: Vec<NewSeal>) -> Result<ResealOutcome> {
        let mut rows = self.rows();
        if batch.iter().any(|seal| is_retired(rows.newest_key(), &seal.new)) {
            return Ok(ResealOutcome::Retired);
        }
        let mut resealed = 0;
        for NewSeal { account, connection, old, new } in batch {
            let Rows { connections, revocations, .. } = &mut *rows;
            let queued = revocations.get_mut(&connection.0).map(|waiting| &mut waiting.record);
            let mut places = connections.get_mut(&account).into_iter().chain(queued);
            if let Some(record) = places.find(|record| record.sealed == old) {
                record.sealed = new;
                resealed += 1;
            }
        }
        if resealed > 0 {
            self.changed(&rows);
        }
        Ok(ResealOutcome::Resealed(resealed))
    }

    async fn remove_key(&self, id: [u8; 8]) -> Result<bool> {
        let mut rows = self.rows();
        let queued = rows.revocations.values().map(|waiting| &waiting.record);
        let records = rows.connections.values().chain(queued).map(|record| &record.sealed);
        let logins = rows.pending_logins.iter().filter_map(pending_logins::Row::sealed);
        let credentials = rows.credentials.values().map(|credential| &credential.sealed);
        let mut sealed = records.chain(logins).chain(credentials);
        let is_named = sealed.any(|sealed| sealed.key_id() == Some(id));
        let found = rows.keys.iter().position(|key| key.id == id);
        let Some(place) = found.filter(|_| !is_named && rows.newest_key() != Some(id)) else {
            return Ok(false);
        };
        rows.keys.remove(place);
        self.changed(&rows);
        Ok(true)
    }

    fn change_mark(&self) -> Result<ChangeMark> {
        Ok(ChangeMark(self.0.changes.load(Ordering::Acquire)))
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.0.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::store::conformance::{Subject, conformance};
    use crate::testing::ManualClock;

    #[tokio::test]
    async fn it_keeps_every_promise_of_a_store() {
        conformance(|| async {
            let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000)));
            let store = Arc::new(MemoryStore::new(clock.clone(), &SystemRandom).unwrap());
            Subject { other: store.clone(), store, advance: Box::new(move |by| clock.advance(by)) }
        })
        .await;
    }
}
