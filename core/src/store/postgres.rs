//! The store of many hosts: a PostgreSQL database.

mod changes;
mod credentials;
mod events;
mod fault;
mod keys;
mod pending_logins;
mod pool;
mod revocations;
mod rows;
mod schema;
mod target;
mod tls;
mod transactions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::changes::{Changes, Watch};
use self::pool::{Dialler, Pool, Transaction};
use self::target::Target;
use self::transactions::Request;
use super::{
    AttemptId, ChangeMark, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId, Deleted,
    Disconnect, Event, EventCursor, EventKind, Expiring, Failure, KeysGuard, LatestDisconnect, NewConnection,
    NewEvent, NewSeal, OldSeal, Reach, Record, ResealOutcome, SealPosition, StoreId, TokenDigest, TokenStore,
    WrappedKey,
};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::random::Random;
use crate::secret::Secret;

/// A [`TokenStore`] in a PostgreSQL database, for any number of hosts. Clones share its connections.
///
/// It lives in a schema of its own, `loomkin_auth`, and needs nothing of a session: a pooler in transaction mode may
/// stand in between. Leases run by the database's clock, and a claim ends with its lease alone. The changes of other
/// processes show within a second; while the database does not answer, [`change_mark`](TokenStore::change_mark) goes
/// on for `outage_grace` and then fails.
///
/// Every method takes a connection of the pool for one short transaction, and gives up after five seconds without
/// one. A connection that was lost is replaced. When it was lost while the database stored a change, the method fails
/// although the change may have been kept.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    id: StoreId,
    pool: Arc<Pool>,
    changes: Arc<Changes>,
    /// Ends with the last clone.
    _watch: Watch,
}

impl PostgresStore {
    /// Opens the store in the database at `url`, and makes its tables where there are none. `outage_grace` is how long
    /// the change mark is given while the database does not answer.
    ///
    /// Beside what libpq and `tokio_postgres` share, such as several hosts, `url` may say:
    ///
    /// - `sslmode`: `require`, `verify-ca` and `verify-full` all mean TLS with a verified certificate and host name;
    ///   `prefer` the same where the server offers TLS, and none where not; `disable` none. Without it, a database on
    ///   this machine is reached without TLS, and every other one by verified TLS.
    /// - `sslrootcert`: a PEM file with the authorities to trust beside the system's.
    /// - `pool_size`: how many connections there may be, from 1 to 64; four, unless it is said. One more watches for
    ///   changes.
    ///
    /// # Errors
    ///
    /// `config_invalid` when `url` or what it names cannot be used. `store_failed` when the database cannot be reached
    /// or refuses the user; when the store is of a newer version.
    pub async fn open(url: &Secret, outage_grace: Duration, random: &dyn Random) -> Result<Self> {
        let pool = Arc::new(Pool::new(Dialler::new(Target::parse(url)?).await?)?);
        let (id, count) = schema::prepare(&pool, random).await?;
        let changes = Arc::new(Changes::new(count, outage_grace));
        let watch = Watch::start(Arc::clone(&changes), Arc::clone(&pool));
        Ok(Self(Arc::new(Inner { id, pool, changes, _watch: watch })))
    }

    async fn begin(&self) -> Result<Transaction> {
        self.0.pool.begin().await
    }

    /// Commits, and says that the store has changed if it did.
    async fn finish(&self, transaction: Transaction) -> Result<()> {
        if let Some(count) = transaction.commit().await? {
            self.0.changes.changed_here(count);
        }
        Ok(())
    }
}

#[async_trait]
impl TokenStore for PostgresStore {
    async fn load(&self, account: &AccountKey) -> Result<Option<Record>> {
        rows::find(&self.0.pool, account).await
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        rows::list(&self.0.pool, owner).await
    }

    async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>> {
        rows::expiring(&self.0.pool, before, after, limit).await
    }

    async fn connect(&self, login: NewConnection) -> Result<ConnectOutcome> {
        let mut transaction = self.begin().await?;
        let outcome = transactions::connect(&mut transaction, &login).await?;
        self.finish(transaction).await?;
        Ok(outcome)
    }

    async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        transactions::latest_disconnect(&self.0.pool, account).await
    }

    async fn claim(
        &self,
        account: &AccountKey,
        connection: ConnectionId,
        presented: TokenDigest,
        attempt: AttemptId,
        lease: Duration,
    ) -> Result<ClaimOutcome> {
        let request = Request { account, connection, presented, attempt, lease };
        let mut transaction = self.begin().await?;
        let outcome = transactions::claim(&mut transaction, request).await?;
        self.finish(transaction).await?;
        Ok(outcome)
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        let mut transaction = self.begin().await?;
        let outcome = transactions::commit(&mut transaction, &commit).await?;
        self.finish(transaction).await?;
        Ok(outcome)
    }

    async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        let mut transaction = self.begin().await?;
        transactions::abandon(&mut transaction, account, attempt, failure).await?;
        self.finish(transaction).await
    }

    async fn disconnect(&self, account: &AccountKey, disconnect: Disconnect) -> Result<Option<Deleted>> {
        let mut transaction = self.begin().await?;
        let was = transactions::disconnect(&mut transaction, account, &disconnect).await?;
        self.finish(transaction).await?;
        Ok(was)
    }

    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        transactions::active(&self.0.pool, owner).await
    }

    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let selected = transactions::select(&mut transaction, owner, account).await?;
        self.finish(transaction).await?;
        Ok(selected)
    }

    async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()> {
        let mut transaction = self.begin().await?;
        events::write(&mut transaction, [NewEvent::of(account, kind)]).await?;
        self.finish(transaction).await
    }

    async fn event_cursor(&self) -> Result<EventCursor> {
        events::end(&self.0.pool).await
    }

    async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<Event>> {
        events::read(&self.0.pool, cursor).await
    }

    async fn is_empty(&self) -> Result<bool> {
        transactions::is_empty(&self.0.pool).await
    }

    async fn id(&self) -> Result<StoreId> {
        Ok(self.0.id)
    }

    fn reach(&self) -> Reach {
        Reach::Hosts
    }

    async fn lock_keys(&self) -> Result<KeysGuard> {
        // Outside the pool: whoever holds the guard needs the pool to go on.
        let link = self.0.pool.dialler().dial().await?;
        link.begin().await?;
        link.batch(schema::LOCK_KEYS).await?;
        Ok(KeysGuard::new(link))
    }

    async fn keys(&self) -> Result<Vec<WrappedKey>> {
        keys::all(&self.0.pool).await
    }

    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let added = keys::add(&mut transaction, &key, first).await?;
        self.finish(transaction).await?;
        Ok(added)
    }

    async fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Result<Vec<OldSeal>> {
        keys::old_seals(&self.0.pool, after, limit).await
    }

    async fn reseal(&self, batch: Vec<NewSeal>) -> Result<ResealOutcome> {
        let mut transaction = self.begin().await?;
        let outcome = keys::reseal(&mut transaction, &batch).await?;
        self.finish(transaction).await?;
        Ok(outcome)
    }

    async fn remove_key(&self, id: [u8; 8]) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let removed = keys::remove(&mut transaction, id).await?;
        self.finish(transaction).await?;
        Ok(removed)
    }

    fn change_mark(&self) -> Result<ChangeMark> {
        self.0.changes.mark()
    }

    fn others_mark(&self) -> Result<ChangeMark> {
        self.0.changes.others_mark()
    }

    async fn now(&self) -> Result<Timestamp> {
        transactions::now(&self.0.pool).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("id", &self.0.id).finish_non_exhaustive()
    }
}
