//! The embedded store: one SQLite file for all processes of a host.

mod changes;
mod credentials;
mod events;
mod fault;
mod holder;
mod inspection;
mod keys;
mod lock;
mod pending_logins;
mod presence;
mod revocations;
mod rows;
mod schema;
mod shared_words;
mod transactions;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
pub use inspection::Inspection;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::changes::Changes;
use self::fault::Explain;
use self::holder::Holder;
use self::inspection::prepare;
use self::presence::Presence;
use super::blocking::blocking;
use super::files::{check_file, with_suffix};
use super::{
    AttemptId, ChangeMark, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId, Deleted,
    Disconnect, Event, EventCursor, EventKind, Expiring, Failure, KeysGuard, LatestDisconnect, NewConnection,
    NewEvent, NewSeal, OldSeal, Reach, Record, ResealOutcome, SealPosition, StoreId, TokenDigest, TokenStore,
    WrappedKey,
};
use crate::account::{AccountKey, Owner};
use crate::clock::{Clock, Timestamp};
use crate::error::Result;
use crate::random::Random;

/// A [`TokenStore`] in a SQLite file. Clones share its connections.
///
/// Beside `auth.db` and SQLite's own two files stand `auth.db.changes`, `auth.db.lock`, `auth.db.holders/` and, where
/// `auto` chose it, `auth.db.key`. All are 0600 in a 0700 directory.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    id: StoreId,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    changes: Changes,
    /// Made before the first claim: most processes never make one.
    holder: Mutex<Option<Holder>>,
    presence: Presence,
    reader: Mutex<Connection>,
    /// SQLite allows one writer at a time; in this process they queue here, in others at the file. Opened for the first
    /// of them: most processes never write.
    writer: Mutex<Option<Connection>>,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes an empty one with its directories. Leases run by `clock`.
    ///
    /// # Errors
    ///
    /// `store_failed` when a file or the directory is a link, is of the wrong kind, belongs to another user, is open
    /// to others or read-only; when the file is damaged, no store, or of a newer version; when the disk is full or
    /// does not keep file locks. What is there is never overwritten and never mended silently.
    pub async fn open(
        path: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self> {
        let path = path.into();
        let opened = {
            let (path, clock, random) = (path.clone(), Arc::clone(&clock), Arc::clone(&random));
            blocking(move || prepare(&path)?.then(|| Inner::open(path, clock, random)).transpose()).await?
        };
        if let Some(inner) = opened {
            return Ok(Self(Arc::new(inner)));
        }
        // Two processes that start at the same moment must end with one store.
        let lock = lock::acquire(&path, &*clock).await?;
        blocking(move || {
            let _lock = lock;
            if check_file(&path, WHAT)?.is_none() {
                schema::make(&path, &*random)?;
            }
            Ok(Self(Arc::new(Inner::open(path, clock, random)?)))
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            // Without a mark that can be trusted, what is read is just not remembered for long.
            let _marks_differ_meanwhile = inner.changes.look();
            let read = work(&locked(&inner.reader)).explain(&inner.path);
            inner.presence.check().and(read)
        })
        .await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.write(work)).await
    }
}

impl Inner {
    /// Opens the store that is at `path`.
    fn open(path: PathBuf, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self> {
        let presence = Presence::of(&path)?;
        let reader = schema::open(&path)?;
        presence.check()?;
        // The system lets nobody write: say so now, and not when a token has been spent.
        if reader.is_readonly("main").explain(&path)? {
            return Err(fault::read_only(&path));
        }
        reader.pragma_update(None, "query_only", "ON").explain(&path)?;
        Ok(Self {
            id: schema::id(&reader, &path)?,
            changes: Changes::open(&path)?,
            holder: Mutex::default(),
            presence,
            reader: Mutex::new(reader),
            writer: Mutex::default(),
            path,
            clock,
            random,
        })
    }

    /// Runs `work` as one write transaction, and says that the store has changed if it did change it.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let mut slot = locked(&self.writer);
        let writer = match &mut *slot {
            Some(writer) => writer,
            None => {
                let writer = schema::open(&self.path)?;
                // Not kept before it is known that it is of the file which the readers have.
                self.presence.check()?;
                slot.insert(writer)
            }
        };
        let before = writer.total_changes();
        // Not deferred: two transactions that first read and then write could not both go on.
        let transaction =
            writer.transaction_with_behavior(TransactionBehavior::Immediate).explain(&self.path)?;
        self.presence.check()?;
        let done = work(&transaction).explain(&self.path)?;
        if transaction.total_changes() == before {
            transaction.finish().explain(&self.path)?;
            return Ok(done);
        }
        let begun = self.changes.begin(&*self.random)?;
        let committed = transaction.commit();
        begun.finish();
        committed.explain(&self.path)?;
        // What came into a file without a name is not stored.
        self.presence.check()?;
        Ok(done)
    }

    /// Notes that a claim of this holder has ended, if it was of this holder.
    fn ended(&self, attempt: Option<AttemptId>) {
        if let (Some(attempt), Some(holder)) = (attempt, &mut *locked(&self.holder)) {
            holder.ended(attempt);
        }
    }
}

#[async_trait]
impl TokenStore for SqliteStore {
    async fn load(&self, account: &AccountKey) -> Result<Option<Record>> {
        let account = account.clone();
        self.read(move |database| Ok(rows::find(database, &account)?.map(|found| found.record))).await
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        let owner = owner.clone();
        self.read(move |database| rows::list(database, &owner)).await
    }

    async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>> {
        let after = after.cloned();
        self.read(move |database| rows::expiring(database, before, after.as_ref(), limit)).await
    }

    async fn connect(&self, login: NewConnection) -> Result<ConnectOutcome> {
        let now = self.0.clock.now();
        self.write(move |transaction| transactions::connect(transaction, &login, now)).await
    }

    async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        let account = account.clone();
        self.read(move |database| transactions::latest_disconnect(database, &account)).await
    }

    async fn claim(
        &self,
        account: &AccountKey,
        connection: ConnectionId,
        presented: TokenDigest,
        attempt: AttemptId,
        lease: Duration,
    ) -> Result<ClaimOutcome> {
        let (inner, account) = (Arc::clone(&self.0), account.clone());
        blocking(move || {
            let mut slot = locked(&inner.holder);
            let is_new = slot.is_none();
            let holder = match &mut *slot {
                Some(holder) => holder,
                None => slot.insert(Holder::make(&inner.path, &*inner.random)?),
            };
            // Noted before it is made: whatever happens next, the holder's file outlives a claim that names it.
            holder.outstanding.insert(attempt.0);
            let request =
                transactions::Request { account, connection, presented, attempt, holder: holder.id };
            let outcome = inner.write(|transaction| {
                if is_new {
                    holder::sweep(&inner.path, &transactions::holders(transaction)?);
                }
                // Read inside the transaction: the wait for it may have been long.
                let now = inner.clock.now();
                transactions::claim(transaction, &request, now, lease, |id| holder::may_live(&inner.path, id))
            });
            if !matches!(outcome, Ok(ClaimOutcome::Claimed { .. }) | Err(_)) {
                holder.ended(attempt);
            }
            outcome
        })
        .await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let now = inner.clock.now();
            let (outcome, ended) =
                inner.write(|transaction| transactions::commit(transaction, &commit, now))?;
            inner.ended(ended);
            Ok(outcome)
        })
        .await
    }

    async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        let (inner, account) = (Arc::clone(&self.0), account.clone());
        blocking(move || {
            let now = inner.clock.now();
            inner.write(|transaction| transactions::abandon(transaction, &account, attempt, failure, now))?;
            inner.ended(Some(attempt));
            Ok(())
        })
        .await
    }

    async fn disconnect(&self, account: &AccountKey, disconnect: Disconnect) -> Result<Option<Deleted>> {
        let (account, now) = (account.clone(), self.0.clock.now());
        self.write(move |transaction| transactions::disconnect(transaction, &account, &disconnect, now)).await
    }

    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        let owner = owner.clone();
        self.read(move |database| transactions::active(database, &owner)).await
    }

    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool> {
        let (owner, account, now) = (owner.clone(), account.cloned(), self.0.clock.now());
        self.write(move |transaction| transactions::select(transaction, &owner, account.as_ref(), now)).await
    }

    async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()> {
        let (event, now) = (NewEvent::of(account, kind), self.0.clock.now());
        self.write(move |transaction| events::write(transaction, [event], now)).await
    }

    async fn event_cursor(&self) -> Result<EventCursor> {
        self.read(events::end).await
    }

    async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<Event>> {
        let last = cursor.last();
        let (newest, rows) = self.read(move |database| events::above(database, last)).await?;
        Ok(cursor.advance(newest, rows, self.0.clock.now()))
    }

    async fn is_empty(&self) -> Result<bool> {
        self.read(transactions::is_empty).await
    }

    async fn id(&self) -> Result<StoreId> {
        Ok(self.0.id)
    }

    fn reach(&self) -> Reach {
        Reach::Host { key_file: with_suffix(&self.0.path, ".key") }
    }

    async fn lock_keys(&self) -> Result<KeysGuard> {
        Ok(KeysGuard::new(lock::acquire(&self.0.path, &*self.0.clock).await?))
    }

    async fn keys(&self) -> Result<Vec<WrappedKey>> {
        self.read(keys::all).await
    }

    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool> {
        self.write(move |transaction| keys::add(transaction, &key, first)).await
    }

    async fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Result<Vec<OldSeal>> {
        let after = after.cloned();
        self.read(move |database| keys::old_seals(database, after.as_ref(), limit)).await
    }

    async fn reseal(&self, batch: Vec<NewSeal>) -> Result<ResealOutcome> {
        self.write(move |transaction| keys::reseal(transaction, &batch)).await
    }

    async fn remove_key(&self, id: [u8; 8]) -> Result<bool> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let removed = inner.write(|transaction| keys::remove(transaction, id))?;
            if removed {
                locked(&inner.writer).as_ref().map(keys::forget_log);
            }
            Ok(removed)
        })
        .await
    }

    fn change_mark(&self) -> Result<ChangeMark> {
        Ok(self.0.changes.mark())
    }

    fn verify_change_mark(&self) -> Result<()> {
        self.0.presence.check()?;
        self.0.changes.look()
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.0.clock.now())
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}

/// What `mutex` guards. After a panic it is whole all the same: SQLite rolled its transaction back.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const WHAT: &str = "the store";

#[cfg(test)]
mod tests;
