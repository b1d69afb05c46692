//! Renewal ahead of the end, for processes that live long: no caller waits in normal life.
//!
//! The schedule looks at the store every few seconds and keeps in memory only what is due until the next look. It
//! waits in short steps that each read the clock anew: timers stand still while a machine is suspended, and clocks are
//! put right.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{self, AbortHandle, JoinError, JoinHandle, JoinSet};

use super::Lifecycle;
use super::due::Spread;
use super::expiry::{CLOCKS_DIFFER, Freshness, Margins};
use super::verdict::Purpose;
use crate::account::{AccountKey, ProviderId};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::store::{ChangeMark, ConnectionId, Expiring};

/// Renews connections ahead of their end, until it is dropped or the lifecycle is closed. A refresh that is in flight
/// by then goes on.
#[derive(Debug)]
#[must_use = "the schedule ends when this is dropped"]
pub struct Schedule(AbortHandle);

impl Drop for Schedule {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The schedules of a process: one, unless somebody needs another.
#[derive(Debug, Default)]
pub(super) struct Schedules(Mutex<Vec<JoinHandle<()>>>);

impl Schedules {
    fn add(&self, task: JoinHandle<()>) -> Schedule {
        let schedule = Schedule(task.abort_handle());
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
        schedule
    }

    /// Ends them all. Afterwards none of them starts anything.
    pub(super) async fn end(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            task.abort();
            let _cancelled = task.await;
        }
    }
}

impl Lifecycle {
    /// Renews every connection in the store that this configuration recognises, of all owners, shortly after it has
    /// grown stale, until the returned value is dropped. Must be called within a tokio runtime.
    ///
    /// Of many processes that do so, usually one asks the server and the others find that it is done. At most 16
    /// connections of a provider are renewed at once. What failed is tried again when its back-off is over, and never once the
    /// server has said that it is dead; a refresh whose outcome is unknown is repeated only when the token is about to
    /// end.
    ///
    /// # Errors
    ///
    /// `store_failed` when there is no randomness. Whatever happens later is logged, and tried again.
    pub fn renew_ahead(self: &Arc<Self>) -> Result<Schedule> {
        let keeper = Keeper {
            spread: Spread::make(&*self.random)?,
            due: BTreeMap::new(),
            renewals: JoinSet::new(),
            in_renewal: HashMap::new(),
            resting: HashMap::new(),
            last_look: None,
            looks_at_all: true,
            is_in_trouble: false,
            latest: self.clock.now(),
            lifecycle: self.clone(),
        };
        Ok(self.schedules.add(tokio::spawn(keeper.run())))
    }

    /// Renews what is due, unless somebody else has done so meanwhile.
    async fn renew_due(self: &Arc<Self>, due: &Due) -> Result<(), Setback> {
        let setback = |error| Setback { rests: Rests::Connection(due.connection), error };
        let entry = self.read(&due.account).await.map_err(setback)?;
        let purpose = match self.margins.freshness(&entry.record.columns, self.clock.now()) {
            Freshness::Fresh => return Ok(()),
            Freshness::Invalid => Purpose::Needed,
            Freshness::Stale => Purpose::Ahead,
        };
        // By itself, so that a provider which cannot even be discovered is not asked again for each connection.
        let discovered = self.server(&due.account).map_err(setback)?.provider().await;
        let provider = &due.account.provider;
        discovered.map_err(|error| Setback { rests: Rests::Provider(provider.clone()), error })?;
        self.renew(entry, purpose).await.map(drop).map_err(setback)
    }
}

/// The task of a schedule.
struct Keeper {
    lifecycle: Arc<Lifecycle>,
    spread: Spread,
    /// What is due until the next look, in order. One provider that hangs must not hold up the others.
    due: BTreeMap<ProviderId, VecDeque<Due>>,
    renewals: JoinSet<Result<(), Setback>>,
    in_renewal: HashMap<task::Id, Due>,
    /// What could not be renewed for reasons that are not in the store, and until when it is left alone.
    resting: HashMap<Rests, Timestamp>,
    last_look: Option<Look>,
    /// Whether tokens are looked for whose end is far away: they may come from before the clock was put back.
    looks_at_all: bool,
    /// Whether the last look failed.
    is_in_trouble: bool,
    /// What time it was when it was last asked.
    latest: Timestamp,
}

/// A connection to be renewed at a moment.
#[derive(Clone)]
struct Due {
    moment: Timestamp,
    /// Sorts what is due at the same moment.
    draw: u32,
    account: AccountKey,
    connection: ConnectionId,
    /// How long it is left alone when it could not be renewed.
    rest: Duration,
}

/// What is known of the last look at the store.
struct Look {
    at: Timestamp,
    /// Of the store, from before the look.
    mark: Option<ChangeMark>,
    /// No other look is made before this has passed.
    pause: Duration,
}

/// Who is left alone for a while.
#[derive(Eq, Hash, PartialEq)]
enum Rests {
    Connection(ConnectionId),
    Provider(ProviderId),
}

/// Why a connection was not renewed.
struct Setback {
    rests: Rests,
    error: Error,
}

impl Keeper {
    async fn run(mut self) {
        loop {
            let now = self.lifecycle.clock.now();
            self.notice(now);
            if self.is_time_to_look(now) {
                self.look(now).await;
            }
            let now = self.lifecycle.clock.now();
            self.begin(now);
            let wait = self.lifecycle.clock.sleep(self.until_next(now));
            tokio::select! {
                biased;
                Some(ended) = self.renewals.join_next_with_id() => self.note(ended),
                () = wait => {}
            }
        }
    }

    /// Notices that the clock was put back: what was planned by it means nothing any more.
    fn notice(&mut self, now: Timestamp) {
        if now.plus(CLOCKS_DIFFER) < self.latest {
            self.looks_at_all = true;
            self.last_look = None;
            self.resting.clear();
            self.due.clear();
        }
        self.latest = now;
    }

    fn is_time_to_look(&self, now: Timestamp) -> bool {
        let Some(look) = &self.last_look else { return true };
        let since = now.time_left(look.at);
        now < look.at
            || since >= LOOK_AFTER
            || since >= look.pause && self.lifecycle.vault.change_mark().ok() != look.mark
    }

    /// Looks for what is due before there will be another look.
    async fn look(&mut self, now: Timestamp) {
        // The mark comes first: a change during the look then shows as a change.
        let mark = self.lifecycle.vault.change_mark().ok();
        self.resting.retain(|_, until| now < *until);
        let found = self.find(now).await;
        // A look at a large or slow store must not become all that the store does.
        let took = self.lifecycle.clock.now().time_left(now);
        let mut look = Look { at: now, mark, pause: (took * 9).clamp(LOOK_AT_MOST, LOOK_AFTER) };
        match found {
            Ok((due, is_whole)) => {
                if std::mem::take(&mut self.is_in_trouble) {
                    tracing::info!("connections are renewed ahead again");
                }
                self.due = due;
                self.looks_at_all &= !is_whole;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_in_trouble, true) {
                    tracing::warn!(code = %error.code(), "the store does not say what is to be renewed: {error}");
                }
                look.pause = LOOK_AFTER;
            }
        }
        self.last_look = Some(look);
    }

    /// What is due soon after `now`, in order, and whether that is all of it.
    async fn find(&self, now: Timestamp) -> Result<(BTreeMap<ProviderId, VecDeque<Due>>, bool)> {
        let Margins { margin, ahead } = self.lifecycle.margins;
        let until = now.plus(HORIZON);
        let before = if self.looks_at_all { END_OF_TIME } else { until.plus(margin.max(ahead)) };
        let mut queues: BTreeMap<ProviderId, Vec<Due>> = BTreeMap::new();
        let mut is_whole = true;
        let mut last = None;
        loop {
            let mut page = self.lifecycle.vault.expiring(before, last.as_ref(), PAGE).await?;
            for found in page.iter().filter(|found| !self.is_left_alone(found)) {
                let due = self.plan(found, now);
                if due.moment < until {
                    let queue = queues.entry(found.account.provider.clone()).or_default();
                    if queue.len() < MOST_DUE {
                        queue.push(due);
                    } else {
                        is_whole = false;
                    }
                }
            }
            if page.len() < PAGE as usize {
                break;
            }
            last = page.pop();
        }
        let in_order = |(provider, mut queue): (_, Vec<Due>)| {
            queue.sort_unstable_by_key(|due| (due.moment, due.draw));
            (provider, queue.into())
        };
        Ok((queues.into_iter().map(in_order).collect(), is_whole))
    }

    fn plan(&self, found: &Expiring, now: Timestamp) -> Due {
        let lifetime = found.expires_at.time_left(found.issued_at);
        Due {
            // Those whose moment has passed have none of their own: where many processes begin at once, each takes
            // them in another order.
            moment: self.spread.moment(found, self.lifecycle.margins, now).max(now),
            draw: self.spread.draw(found),
            account: found.account.clone(),
            connection: found.connection,
            rest: (lifetime / 10).clamp(SHORTEST_REST, LONGEST_REST),
        }
    }

    /// Whether a connection is of another configuration, at rest, or being renewed already.
    fn is_left_alone(&self, found: &Expiring) -> bool {
        let provider = &found.account.provider;
        !self.lifecycle.servers.contains_key(provider)
            || self.resting.contains_key(&Rests::Connection(found.connection))
            || self.resting.contains_key(&Rests::Provider(provider.clone()))
            || self.in_renewal.values().any(|due| due.connection == found.connection)
    }

    /// Begins what is due at `now`, as far as there is room.
    fn begin(&mut self, now: Timestamp) {
        let mut queues = std::mem::take(&mut self.due);
        for (provider, queue) in &mut queues {
            for _ in 0..self.room(provider) {
                let Some(due) = queue.pop_front_if(|due| due.moment <= now) else { break };
                let (lifecycle, renewed) = (self.lifecycle.clone(), due.clone());
                let task = self.renewals.spawn(async move { lifecycle.renew_due(&renewed).await });
                self.in_renewal.insert(task.id(), due);
            }
        }
        self.due = queues;
    }

    /// How many more connections of `provider` may be renewed at once.
    fn room(&self, provider: &ProviderId) -> usize {
        MOST_AT_ONCE - self.in_renewal.values().filter(|due| due.account.provider == *provider).count()
    }

    /// Notes how a renewal has ended.
    fn note(&mut self, ended: Result<(task::Id, Result<(), Setback>), JoinError>) {
        let (id, setback) = match ended {
            Ok((id, result)) => (id, result.err()),
            Err(broken_off) => (broken_off.id(), None),
        };
        let (Some(due), Some(Setback { rests, error })) = (self.in_renewal.remove(&id), setback) else {
            return;
        };
        // One of another configuration is none of ours, and will be here for ever.
        if error.code() != ErrorCode::NotConnected {
            tracing::debug!(account = %due.account, code = %error.code(), "not renewed ahead: {error}");
        }
        // A back-off is in the store, where every process sees it, and so is a refusal for good.
        if let Rests::Provider(provider) = &rests {
            self.due.remove(provider);
        } else if error.retry_after().is_some() {
            return;
        }
        if self.resting.len() < MOST_RESTING {
            self.resting.insert(rests, self.lifecycle.clock.now().plus(due.rest));
        }
    }

    /// How long after `now` there may be something to do. Never long: the clock may jump.
    fn until_next(&self, now: Timestamp) -> Duration {
        let startable = self.due.iter().filter(|(provider, _)| self.room(provider) > 0);
        let moments = startable.filter_map(|(_, queue)| Some(queue.front()?.moment.time_left(now)));
        moments.min().unwrap_or(STEP).min(STEP)
    }
}

/// How long nothing is read anew: a wake-up is noticed after this, and a jump of the clock.
const STEP: Duration = Duration::from_secs(1);
/// How long after a look there is none, even where the store changes all the time.
const LOOK_AT_MOST: Duration = Duration::from_secs(1);
/// How long after a look there is another, even where the store does not change.
const LOOK_AFTER: Duration = Duration::from_secs(10);
/// How far a look sees: until the next, and a little further.
const HORIZON: Duration = Duration::from_secs(15);
const END_OF_TIME: Timestamp = Timestamp::from_unix_millis(i64::MAX);
/// How many connections are read at once.
const PAGE: u32 = 500;
/// How many that are due at a provider are kept in memory. The others are found when these are done.
const MOST_DUE: usize = 1000;
/// How many are renewed at once: a provider has others to serve.
const MOST_AT_ONCE: usize = 16;
const MOST_RESTING: usize = 100_000;
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);
