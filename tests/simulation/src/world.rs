//! One run: the world that a seed determines, and its course.

mod course;
mod views;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use loomkin_auth::lifecycle::Margins;
use loomkin_auth::store::memory::MemoryStore;
use loomkin_auth::store::vault::Vault;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use course::{Run, run};
pub(crate) use views::{account_key, account_number, token_number};

use crate::dice::Dice;
use crate::happening::Happening;
use crate::invariant::Invariant;
use crate::network::Fate;
use crate::plan::Plan;
use crate::process::Process;
use crate::server::Server;
use crate::trace::Line;
use crate::witness::Witness;

/// What all processes of a run share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) plan: Plan,
    pub(crate) began: Instant,
    /// The store as it is, without any process in between.
    pub(crate) rows: MemoryStore,
    /// Unseals what is stored, for the witness.
    vault: OnceLock<Vault>,
    server: Mutex<Server>,
    witness: Mutex<Witness>,
    trouble: Mutex<Trouble>,
    changes: Mutex<Changes>,
    is_troubled: AtomicBool,
    broken: Notify,
}

/// Until when, in milliseconds of the run, something is out of order.
#[derive(Debug, Default)]
struct Trouble {
    client_refused: Vec<u64>,
    server_down: Vec<u64>,
    store_down: u64,
}

/// The changes of the store, of which those of the last second may not be seen everywhere.
#[derive(Debug, Default)]
struct Changes {
    total: u64,
    recent: VecDeque<(u64, usize)>,
}

impl World {
    pub(crate) fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the run began, by a clock that nobody sets.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn lag_millis(&self) -> u64 {
        u64::try_from(self.plan.lag.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn count(&self, happening: Happening) {
        self.witness().trace.count(happening);
    }

    pub(crate) fn write(
        &self,
        process: Option<usize>,
        account: Option<usize>,
        what: &'static str,
        token: Option<u32>,
        result: &'static str,
    ) {
        let at = self.now();
        let mut witness = self.witness();
        witness.trace.write(Line { at, process, account, what, token, result });
        if witness.trace.len() > LONGEST_TRACE {
            witness.breach(Invariant::NoHang, "the run does not come to an end".to_owned());
        }
        if witness.trace.breach.is_some() {
            self.broken.notify_one();
        }
    }

    pub(crate) fn breach(&self, invariant: Invariant, what: String) {
        self.witness().breach(invariant, what);
        self.broken.notify_one();
    }

    /// Whether anything can still go wrong.
    pub(crate) fn is_troubled(&self) -> bool {
        self.is_troubled.load(Ordering::SeqCst)
    }

    /// What becomes of a request to the server of `account`.
    pub(crate) fn fate(&self, account: usize) -> Fate {
        if !self.is_troubled() {
            return Fate::Answered;
        }
        if self.now() < self.trouble().server_down[account] {
            return self.dice.choose(&[Fate::Unsent, Fate::Refused]);
        }
        let sum: f64 = self.plan.fates.iter().map(|(_, weight)| weight).sum();
        let mut left = sum * self.dice.number(0..=1_000_000) as f64 / 1_000_000.0;
        let drawn = self.plan.fates.iter().find(|(_, weight)| {
            left -= weight;
            left <= 0.0
        });
        drawn.map_or(Fate::Answered, |(fate, _)| *fate)
    }

    pub(crate) fn refuses_client(&self, account: usize) -> bool {
        self.is_troubled() && self.now() < self.trouble().client_refused[account]
    }

    pub(crate) fn store_is_down(&self) -> bool {
        self.now() < self.trouble().store_down
    }

    /// Notes that `process` has changed the store.
    pub(crate) fn changed_by(&self, process: &Process) {
        let mut changes = self.changes();
        changes.total += 1;
        if self.lag_millis() > 0 {
            changes.recent.push_back((self.now(), process.host));
        }
    }

    /// How many changes of others `process` sees: those of its own host at once, the others a little later.
    pub(crate) fn changes_seen_by(&self, process: &Process) -> u64 {
        let (now, lag) = (self.now(), self.lag_millis());
        let mut changes = self.changes();
        while changes.recent.front().is_some_and(|(at, _)| at + lag <= now) {
            changes.recent.pop_front();
        }
        let unseen = changes.recent.iter().filter(|(_, host)| *host != process.host).count() as u64;
        changes.total - unseen - process.own_changes.load(Ordering::SeqCst)
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a token is renewed, and when it is not given any more: those of the configuration's defaults.
pub(crate) const MARGINS: Margins =
    Margins { margin: Duration::from_secs(60), ahead: Duration::from_secs(300) };
const LONGEST_TRACE: usize = 200_000;
