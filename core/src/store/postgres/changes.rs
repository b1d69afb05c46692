//! The change mark: a number in memory that a task of the store keeps up to date.
//!
//! The task asks the database for its count of changes several times a second. It has a connection of its own, so
//! that a pool with much to do does not delay it. `LISTEN` would be quicker, but a pooler in transaction mode loses
//! what it is told, and leaves the listener behind on a connection of somebody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::fault;
use super::pool::{Link, Pool};
use crate::error::Result;
use crate::store::ChangeMark;

/// The mark of one store.
#[derive(Debug)]
pub(super) struct Changes {
    /// Goes up with every change that is seen, and with every outage: after a fail-over the count may be an old one.
    seen: AtomicU64,
    started: Instant,
    outage_grace: Duration,
    /// When the database was last asked and did answer, in milliseconds after `started`.
    answered: AtomicU64,
}

impl Changes {
    /// The mark of a store whose database has just answered.
    pub(super) fn new(outage_grace: Duration) -> Self {
        let started = Instant::now();
        Self { seen: AtomicU64::new(0), started, outage_grace, answered: AtomicU64::new(0) }
    }

    /// The present mark.
    ///
    /// # Errors
    ///
    /// `store_failed` when the database has not answered for the grace.
    pub(super) fn mark(&self) -> Result<ChangeMark> {
        let mark = ChangeMark(self.seen.load(Ordering::Acquire));
        let answered = Duration::from_millis(self.answered.load(Ordering::Acquire));
        if self.started.elapsed().saturating_sub(answered) > self.outage_grace {
            return Err(fault::outage(self.outage_grace));
        }
        Ok(mark)
    }

    /// Says that something has changed.
    pub(super) fn changed(&self) {
        self.seen.fetch_add(1, Ordering::Release);
    }

    /// Says that the database answered what it was asked at `asked`.
    fn answered(&self, asked: Instant) {
        let at = asked.saturating_duration_since(self.started).as_millis();
        self.answered.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Release);
    }
}

/// Keeps a mark up to date until it is dropped.
#[derive(Debug)]
pub(super) struct Watch(JoinHandle<()>);

impl Watch {
    /// Watches the database of `pool`, whose count of changes was `count` when `changes` was made.
    pub(super) fn start(changes: Arc<Changes>, pool: Arc<Pool>, count: i64) -> Self {
        Self(tokio::spawn(watch(changes, pool, count)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(changes: Arc<Changes>, pool: Arc<Pool>, mut known: i64) {
    let (mut link, mut pause) = (None, EVERY);
    loop {
        sleep(pause).await;
        let asked = Instant::now();
        if let Ok(Ok(count)) = timeout(ANSWER_WITHIN, ask(&mut link, &pool)).await {
            if count != known || pause > EVERY {
                changes.changed();
            }
            changes.answered(asked);
            (known, pause) = (count, EVERY);
        } else {
            (link, pause) = (None, (pause * 2).min(EVERY_IN_AN_OUTAGE));
        }
    }
}

async fn ask(link: &mut Option<Link>, pool: &Pool) -> Result<i64> {
    let link = match link {
        Some(link) => link,
        None => link.insert(pool.dialler().dial().await?),
    };
    let rows = link.query(COUNT, &[]).await?;
    rows.first().and_then(|row| row.try_get(0).ok()).ok_or_else(fault::damaged)
}

/// How many changes there have been. A transaction that is seen has been counted, and one that is not has not.
pub(super) const COUNT: &str = "SELECT pg_catalog.sum(count)::int8 FROM loomkin_auth.change";

/// Other hosts' changes show after this time and one round trip.
const EVERY: Duration = Duration::from_millis(250);
const EVERY_IN_AN_OUTAGE: Duration = Duration::from_secs(2);

/// A host that vanished answers nothing, not even "no".
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[tokio::test(start_paused = true)]
    async fn the_mark_fails_once_the_database_has_been_silent_for_the_grace() {
        let grace = Duration::from_secs(60);
        let changes = Changes::new(grace);
        let mark = changes.mark().unwrap();
        sleep(grace).await;
        assert_eq!(changes.mark().unwrap(), mark);
        sleep(Duration::from_millis(1)).await;
        let error = changes.mark().unwrap_err();
        assert_eq!(error.code(), ErrorCode::StoreFailed);
        assert_eq!(error.message(), "the database has not answered for 1m");
        changes.answered(Instant::now());
        assert_eq!(changes.mark().unwrap(), mark);
        changes.changed();
        assert_ne!(changes.mark().unwrap(), mark);
    }
}
