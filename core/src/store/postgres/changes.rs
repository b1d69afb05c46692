//! The change mark: a number in memory that a task of the store keeps up to date.
//!
//! The task asks the database for its count of changes several times a second. It has a connection of its own, so
//! that a pool with much to do does not delay it. `LISTEN` would be quicker, but a pooler in transaction mode loses
//! what it is told, and leaves the listener behind on a connection of somebody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
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
    /// As `seen`, without the changes of this process.
    seen_of_others: AtomicU64,
    /// The database's count of changes, as far as `seen` stands for them.
    known: AtomicI64,
    started: Instant,
    outage_grace: Duration,
    /// When the database was last asked and did answer, in milliseconds after `started`.
    answered: AtomicU64,
}

impl Changes {
    /// The mark of a store whose database has just answered that it has seen `count` changes.
    pub(super) fn new(count: i64, outage_grace: Duration) -> Self {
        Self {
            seen: AtomicU64::new(0),
            seen_of_others: AtomicU64::new(0),
            known: AtomicI64::new(count),
            started: Instant::now(),
            outage_grace,
            answered: AtomicU64::new(0),
        }
    }

    /// The present mark.
    ///
    /// # Errors
    ///
    /// `store_failed` when the database has not answered for the grace.
    pub(super) fn mark(&self) -> Result<ChangeMark> {
        self.unless_silent(ChangeMark(self.seen.load(Ordering::Acquire)))
    }

    /// The present mark of what others do.
    ///
    /// # Errors
    ///
    /// As [`mark`](Self::mark).
    pub(super) fn others_mark(&self) -> Result<ChangeMark> {
        self.unless_silent(ChangeMark(self.seen_of_others.load(Ordering::Acquire)))
    }

    fn unless_silent(&self, mark: ChangeMark) -> Result<ChangeMark> {
        let answered = Duration::from_millis(self.answered.load(Ordering::Acquire));
        if self.started.elapsed().saturating_sub(answered) > self.outage_grace {
            return Err(fault::outage(self.outage_grace));
        }
        Ok(mark)
    }

    /// Says that something has changed, perhaps by others.
    fn changed(&self) {
        self.seen_of_others.fetch_add(1, Ordering::Release);
        self.seen.fetch_add(1, Ordering::Release);
    }

    /// Says that this process has changed something, and that the database has counted `count` changes with it. The
    /// watch need not say so again: one change must not cost every reader two loads.
    pub(super) fn changed_here(&self, count: i64) {
        let before = self.known.fetch_max(count, Ordering::AcqRel);
        if count > before.saturating_add(1) {
            // Others did so as well.
            self.changed();
        } else {
            self.seen.fetch_add(1, Ordering::Release);
        }
    }

    /// Takes notice of the `count` that the database had when it was asked; `known` was the count before that.
    ///
    /// A change of this process may have come in between, so what is lower than the count of now but not than `known`
    /// is only old. Anything lower still is the count of another database.
    fn counted(&self, known: i64, count: i64) {
        let before = self.known.fetch_max(count, Ordering::AcqRel);
        if count > before {
            self.changed();
        } else if count < known {
            self.known.store(count, Ordering::Release);
            self.changed();
        }
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
    /// Watches the database of `pool`.
    pub(super) fn start(changes: Arc<Changes>, pool: Arc<Pool>) -> Self {
        Self(tokio::spawn(watch(changes, pool)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(changes: Arc<Changes>, pool: Arc<Pool>) {
    let (mut link, mut pause) = (None, EVERY);
    loop {
        sleep(pause).await;
        let (asked, known) = (Instant::now(), changes.known.load(Ordering::Acquire));
        if let Ok(Ok(count)) = timeout(ANSWER_WITHIN, ask(&mut link, &pool)).await {
            changes.counted(known, count);
            if pause > EVERY {
                changes.changed();
            }
            changes.answered(asked);
            pause = EVERY;
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
        let changes = Changes::new(0, grace);
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
    #[test]
    fn each_change_moves_the_mark_once_and_the_others_mark_unless_it_was_ours() {
        let changes = Changes::new(7, Duration::MAX);
        let now = || [&changes.seen, &changes.seen_of_others].map(|mark| mark.load(Ordering::Acquire));
        let moves = |make: &dyn Fn()| {
            let before = now();
            make();
            let after = now();
            [after[0] - before[0], after[1] - before[1]]
        };
        assert_eq!(moves(&|| changes.counted(7, 7)), [0, 0], "nothing");
        assert_eq!(moves(&|| changes.changed_here(8)), [1, 0], "ours");
        assert_eq!(moves(&|| changes.counted(8, 8)), [0, 0], "ours, seen by the watch");
        assert_eq!(moves(&|| changes.counted(7, 7)), [0, 0], "asked before ours");
        assert_eq!(moves(&|| changes.counted(8, 9)), [1, 1], "another's");
        assert_eq!(moves(&|| changes.changed_here(11)), [1, 1], "ours, after another's");
        assert_eq!(moves(&|| changes.counted(9, 11)), [0, 0], "both are known");
        assert_eq!(moves(&|| changes.changed_here(12)), [1, 0], "ours, beside one that it did not count");
        assert_eq!(moves(&|| changes.counted(12, 13)), [1, 1], "which shows");
        assert_eq!(moves(&|| changes.counted(13, 5)), [1, 1], "a database that knows less");
        assert_eq!(moves(&|| changes.counted(5, 6)), [1, 1], "and goes on from there");
    }
}
