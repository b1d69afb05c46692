//! Connections to the database: a few, shared, and held for one short transaction at a time.
//!
//! Nothing here outlives a transaction on the server: no setting, no lock, no named statement, no listener. So a
//! pooler in transaction mode may stand in between, and so the death of either end leaves nothing behind.

use std::future::Future;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult, TimeoutType};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::fault::{self, explain};
use super::target::{PATIENCE, Target};
use super::tls::MakeConnector;
use crate::error::{Error, ErrorCode, Result};

/// A parameter of a statement. Its type is named here, so that the server need not be asked for it beforehand.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// Makes connections.
pub(super) struct Dialler {
    target: Target,
    tls: MakeConnector,
}

impl Dialler {
    pub(super) async fn new(target: Target) -> Result<Self> {
        Ok(Self { tls: MakeConnector::new(&target).await?, target })
    }

    /// A connection of its own, outside the pool.
    pub(super) async fn dial(&self) -> Result<Link> {
        match timeout(PATIENCE, self.connect()).await {
            Ok(connected) => connected.map_err(|error| fault::explain_refusal(&error)),
            Err(_) => Err(fault::too_slow()),
        }
    }

    async fn connect(&self) -> Result<Link, tokio_postgres::Error> {
        let (client, connection) = self.target.config.connect(self.tls.clone()).await?;
        // How it ends is told to whoever uses it.
        let task = tokio::spawn(async move { drop(connection.await) });
        Ok(Link { client, task })
    }
}

/// One connection. Dropping it closes it at once, and with it whatever transaction was open.
pub(super) struct Link {
    client: Client,
    task: JoinHandle<()>,
}

impl Link {
    /// Runs one statement, as a transaction of its own unless one is open.
    pub(super) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.try_query(sql, params).await.map_err(Lost::into_error)
    }

    /// Begins a transaction with bounds that end with it.
    pub(super) async fn begin(&self) -> Result<()> {
        self.batch(BEGIN).await
    }

    /// Runs statements that take no parameters.
    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        self.try_batch(sql).await.map_err(Lost::into_error)
    }

    async fn try_query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Lost> {
        bounded(self.client.query_typed(sql, params)).await
    }

    async fn try_batch(&self, sql: &str) -> Result<(), Lost> {
        bounded(self.client.batch_execute(sql)).await
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The connections of one store.
pub(super) struct Pool {
    links: managed::Pool<Dialler>,
    /// One more than the connections that may have died unnoticed.
    attempts: usize,
}

impl Pool {
    pub(super) fn new(dialler: Dialler) -> Result<Self> {
        let size = dialler.target.pool_size;
        let links = managed::Pool::builder(dialler)
            .max_size(size)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| Error::new(ErrorCode::StoreFailed, "the store needs a tokio runtime"))?;
        Ok(Self { links, attempts: size + 1 })
    }

    pub(super) fn dialler(&self) -> &Dialler {
        self.links.manager()
    }

    /// Reads with one statement. A connection that breaks is replaced: reading twice does no harm.
    pub(super) async fn read(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        for left in (0..self.attempts).rev() {
            let link = self.link().await?;
            match link.try_query(sql, params).await {
                Ok(rows) => return Ok(rows),
                Err(lost) => {
                    drop(Object::take(link));
                    lost.or_again(left)?;
                }
            }
        }
        Err(fault::lost())
    }

    /// Begins a transaction. A connection that breaks is replaced: nothing has been asked of it yet.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        for left in (0..self.attempts).rev() {
            let link = self.link().await?;
            // Already whole here: a caller that goes away in between must not leave a transaction to the next one.
            let transaction = Transaction { link: Some(link), changed: false };
            match transaction.link()?.try_batch(BEGIN).await {
                Ok(()) => return Ok(transaction),
                Err(lost) => lost.or_again(left)?,
            }
        }
        Err(fault::lost())
    }

    async fn link(&self) -> Result<Object<Dialler>> {
        self.links.get().await.map_err(|error| match error {
            PoolError::Backend(error) => fault::explain_refusal(&error),
            PoolError::Timeout(TimeoutType::Wait) => fault::busy(),
            _ => fault::too_slow(),
        })
    }
}

impl managed::Manager for Dialler {
    type Error = tokio_postgres::Error;
    type Type = Link;

    async fn create(&self) -> Result<Link, Self::Error> {
        self.connect().await
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<Self::Error> {
        if link.client.is_closed() { Err(RecycleError::message("closed")) } else { Ok(()) }
    }
}

/// A transaction. Dropped before it is finished, it is undone: its connection is closed, not given back.
pub(super) struct Transaction {
    link: Option<Object<Dialler>>,
    changed: bool,
}

impl Transaction {
    /// Runs one statement that returns rows.
    pub(super) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.link()?.query(sql, params).await
    }

    /// Runs one statement that changes rows, and says how many it did.
    pub(super) async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let done = bounded(self.link()?.client.execute_typed(sql, params)).await;
        let rows = done.map_err(Lost::into_error)?;
        self.changed |= rows > 0;
        Ok(rows)
    }

    /// Runs one statement that changes rows, and returns what it says of each.
    pub(super) async fn change(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let rows = self.query(sql, params).await?;
        self.changed |= !rows.is_empty();
        Ok(rows)
    }

    /// Runs statements that take no parameters.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<()> {
        self.changed = true;
        self.link()?.batch(sql).await
    }

    /// Makes it durable. Where anything has changed, says how many changes there have been with this one; some that
    /// happened at the same moment may be missing from that.
    ///
    /// # Errors
    ///
    /// `store_failed`; whether it was kept is not known then.
    pub(super) async fn commit(mut self) -> Result<Option<i64>> {
        let link = self.link()?;
        let count = if self.changed {
            // Both at once, so that others wait for the counter no longer than the server needs. When the first is
            // refused, the second undoes the transaction.
            let (counted, committed) = tokio::join!(link.try_query(BUMP, &[]), link.try_batch("COMMIT"));
            let counted =
                counted.map_err(|lost| if lost.is_loss { fault::unknown_commit() } else { lost.error })?;
            committed.map_err(|_| fault::unknown_commit())?;
            Some(counted.first().and_then(|row| row.try_get(0).ok()).ok_or_else(fault::damaged)?)
        } else {
            link.batch("COMMIT").await?;
            None
        };
        // Only now may somebody else have the connection.
        drop(self.link.take());
        Ok(count)
    }

    fn link(&self) -> Result<&Link> {
        self.link.as_deref().ok_or_else(fault::lost)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            drop(Object::take(link));
        }
    }
}

/// Why a statement was not answered, and whether its connection was the reason.
struct Lost {
    error: Error,
    is_loss: bool,
}

impl Lost {
    fn into_error(self) -> Error {
        self.error
    }

    /// Nothing when another connection may have more luck and `left` attempts are left for it.
    fn or_again(self, left: usize) -> Result<()> {
        if self.is_loss && left > 0 { Ok(()) } else { Err(self.error) }
    }
}

async fn bounded<T>(asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Lost> {
    match timeout(ANSWER_WITHIN, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Lost { error: explain(&error), is_loss: fault::is_loss(&error) }),
        Err(_) => Err(Lost { error: fault::too_slow(), is_loss: false }),
    }
}

/// Longer than the server's own bounds, so that its word comes first where it has one.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Each bound ends with the transaction, as a pooler demands. A client that stops in the middle is thrown out, so
/// that its locks stand in nobody's way. An acknowledged refresh must outlive a crash of the server, whatever the
/// database's default is; a default that waits for standbys stays as it is.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SELECT pg_catalog.set_config('lock_timeout', '4s', true),
        pg_catalog.set_config('statement_timeout', '5s', true),
        pg_catalog.set_config('idle_in_transaction_session_timeout', '10s', true);
    SELECT pg_catalog.set_config('synchronous_commit', 'on', true)
        WHERE pg_catalog.current_setting('synchronous_commit') = 'off'";

/// The last statement of a transaction that changed something. One counter would make all writers of all hosts queue
/// at one row; transactions that run at the same moment are on different backends, and so mostly on different rows.
/// The sum is that of before.
const BUMP: &str =
    "UPDATE loomkin_auth.change SET count = count + 1 WHERE shard = pg_catalog.pg_backend_pid() % 16
     RETURNING (SELECT pg_catalog.sum(count)::int8 + 1 FROM loomkin_auth.change)";
