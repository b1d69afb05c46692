//! A process: what it may do at a port, and how it ends.
//!
//! Everything that a process does to the world goes through a port. So a process that has crashed is one whose calls of
//! ports do not return any more, and one that is stopped is one whose calls return later.

use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use loomkin_auth::clock::{Clock, Timestamp};
use loomkin_auth::error::Result;
use loomkin_auth::random::Random;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use crate::dice::Dice;
use crate::happening::Happening;
use crate::plan::LONGEST_STOP;
use crate::world::World;

/// One process of the simulated world.
pub(crate) struct Process {
    pub(crate) number: usize,
    pub(crate) place: usize,
    pub(crate) host: usize,
    pub(crate) world: Arc<World>,
    random: Dice,
    dead: AtomicBool,
    died: Notify,
    exit: Notify,
    stopped_until: Mutex<Option<Instant>>,
    /// How far its wall clock is ahead, in milliseconds.
    ahead: AtomicI64,
    /// When it was last stopped, or a store's call stalled, or its clock was set: in milliseconds of the run.
    held_up: AtomicU64,
    clock_set: AtomicU64,
    /// When the store last failed it.
    store_failed: AtomicU64,
    /// How many changes it has made to the store.
    pub(crate) own_changes: AtomicU64,
}

impl Process {
    pub(crate) fn new(world: Arc<World>, number: usize, place: usize) -> Arc<Self> {
        Arc::new(Self {
            number,
            place,
            host: world.plan.places[place],
            random: world.dice.fork(),
            world,
            dead: AtomicBool::new(false),
            died: Notify::new(),
            exit: Notify::new(),
            stopped_until: Mutex::new(None),
            ahead: AtomicI64::new(0),
            held_up: AtomicU64::new(0),
            clock_set: AtomicU64::new(0),
            store_failed: AtomicU64::new(0),
            own_changes: AtomicU64::new(0),
        })
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// From now on nothing that it has begun goes on.
    pub(crate) fn crash(&self) {
        if !self.dead.swap(true, Ordering::SeqCst) {
            self.died.notify_one();
        }
    }

    pub(crate) fn stop(&self, lasts: Duration) {
        let until = Instant::now() + lasts;
        *self.stopped_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        self.world.count(Happening::ProcessStopped);
        self.world.write(Some(self.number), None, "is stopped", None, "");
        self.hold_up(lasts);
    }

    /// Notes that it loses `lasts` from now on, through no fault of its own.
    pub(crate) fn hold_up(&self, lasts: Duration) {
        let until = self.world.now() + u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        self.held_up.fetch_max(until, Ordering::SeqCst);
    }

    pub(crate) fn was_held_up_since(&self, at: u64) -> bool {
        self.held_up.load(Ordering::SeqCst) > at
    }

    pub(crate) fn set_clock(&self, ahead_millis: i64) {
        self.ahead.store(ahead_millis, Ordering::SeqCst);
        self.clock_set.store(self.world.now(), Ordering::SeqCst);
    }

    pub(crate) fn clock_was_set_since(&self, at: u64) -> bool {
        self.clock_set.load(Ordering::SeqCst) >= at
    }

    pub(crate) fn store_failed(&self) {
        self.store_failed.store(self.world.now().max(1), Ordering::SeqCst);
    }

    pub(crate) fn store_has_failed_since(&self, at: u64) -> bool {
        self.store_failed.load(Ordering::SeqCst) >= at.max(1)
    }

    pub(crate) fn ahead_millis(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Its wall clock.
    pub(crate) fn wall(&self) -> Timestamp {
        let since = i64::try_from(self.world.now()).unwrap_or(i64::MAX);
        Timestamp::from_unix_millis(EPOCH_MILLIS + since + self.ahead_millis())
    }

    pub(crate) fn ask_to_exit(&self) {
        self.exit.notify_one();
    }

    pub(crate) async fn asked_to_exit(&self) {
        self.exit.notified().await;
    }

    pub(crate) async fn died(&self) {
        self.died.notified().await;
    }

    /// A point at which it may crash or be stopped; comes back only as long as it lives and runs.
    pub(crate) async fn reach(&self, what: &'static str) {
        self.gate().await;
        if self.world.is_troubled() {
            let rates = &self.world.plan.process;
            if self.world.dice.chance(rates.crashes) {
                self.world.count(Happening::ProcessCrashed);
                self.world.write(Some(self.number), None, "crashes", None, what);
                self.crash();
            } else if self.world.dice.chance(rates.exits) {
                self.ask_to_exit();
            } else if self.world.dice.chance(rates.stops) {
                self.stop(self.world.dice.millis(1_000..=LONGEST_STOP.as_millis() as u64));
            }
            self.gate().await;
        }
    }

    pub(crate) async fn gate(&self) {
        while let Some(until) = self.stopped() {
            sleep_until(until).await;
        }
        if self.is_dead() {
            pending().await
        }
    }

    fn stopped(&self) -> Option<Instant> {
        let until = *self.stopped_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| *until > Instant::now())
    }

    /// `work`, which goes on only while the process runs.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut gate: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
        poll_fn(move |context| {
            loop {
                if let Some(waiting) = &mut gate {
                    if waiting.as_mut().poll(context).is_pending() {
                        return Poll::Pending;
                    }
                    gate = None;
                }
                if !self.is_dead() && self.stopped().is_none() {
                    return work.as_mut().poll(context);
                }
                gate = Some(Box::pin(self.gate()));
            }
        })
        .await
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({})", self.number)
    }
}

/// The process's wall clock, and timers that do not care about it.
#[derive(Debug)]
pub(crate) struct ProcessClock(pub(crate) Arc<Process>);

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.0.wall()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let process = self.0.clone();
        let timer = sleep(duration);
        Box::pin(async move {
            timer.await;
            process.gate().await;
        })
    }
}

/// The process's random bytes, which its seed decides.
#[derive(Debug)]
pub(crate) struct ProcessRandom(pub(crate) Arc<Process>);

impl Random for ProcessRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        self.0.random.fill(bytes);
        Ok(())
    }
}

/// When every run begins.
pub(crate) const EPOCH_MILLIS: i64 = 1_800_000_000_000;
