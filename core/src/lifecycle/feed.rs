//! Events as they happen, to whoever listens.
//!
//! One task of a process reads the store's event log, for as long as anybody listens: at once when this process has
//! changed something, and else when the change mark has moved. What it reads goes into a queue of fixed length, out of
//! which every subscription takes at its own pace. Whoever is too slow misses events, is told so, and keeps nobody
//! waiting: a refresh writes its event into the store and knows of no listener.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender, WeakSender};
use tokio::task::JoinHandle;

use crate::account::Owner;
use crate::clock::Clock;
use crate::error::Result;
use crate::store::vault::Vault;
use crate::store::{Event, EventCursor};

/// The feed of a process, which runs while somebody listens.
#[derive(Debug, Default)]
pub(super) struct Feed(Mutex<Weak<Running>>);

/// The task that reads the log. It ends with this value.
#[derive(Debug)]
struct Running {
    task: JoinHandle<()>,
    /// Weak, so that the listeners notice when the task is gone, as it is when its runtime ends.
    queue: WeakSender<Arc<Event>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a listener has not taken yet. Dropping it ends the listening.
#[derive(Debug)]
pub struct Subscription {
    owner: Option<Owner>,
    queue: Receiver<Arc<Event>>,
    clock: Arc<dyn Clock>,
    _running: Arc<Running>,
}

impl Subscription {
    /// The next event; waits for it where there is none.
    ///
    /// [`EventKind::Missed`](crate::store::EventKind::Missed) comes in place of events that were not taken in time.
    /// `None` once the runtime has ended on which the first of all present subscriptions was made. Dropping the
    /// returned future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.queue.recv().await {
                Ok(event) if self.is_meant(&event) => return Some(Arc::unwrap_or_clone(event)),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some(Event::missed(self.clock.now())),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Whether it is the owner's, or everybody's.
    fn is_meant(&self, event: &Event) -> bool {
        self.owner.is_none() || event.owner.is_none() || self.owner == event.owner
    }
}

impl Feed {
    /// Listens to what happens in `vault` from now on, to `owner` or to everybody.
    pub(super) async fn subscribe(
        &self,
        vault: &Vault,
        clock: &Arc<dyn Clock>,
        owner: Option<&Owner>,
    ) -> Result<Subscription> {
        // Held while the first listener asks the store where its log ends: there is one task.
        let mut feed = self.0.lock().await;
        let present =
            feed.upgrade().and_then(|running| Some((running.queue.upgrade()?.subscribe(), running)));
        let (queue, running) = match present {
            Some(present) => present,
            None => {
                let cursor = vault.event_cursor().await?;
                let (sender, queue) = broadcast::channel(QUEUE);
                let weak = sender.downgrade();
                let task = tokio::spawn(read_on(vault.clone(), Arc::clone(clock), cursor, sender));
                let running = Arc::new(Running { task, queue: weak });
                *feed = Arc::downgrade(&running);
                (queue, running)
            }
        };
        Ok(Subscription { owner: owner.cloned(), queue, clock: Arc::clone(clock), _running: running })
    }
}

/// Puts into `queue` whatever happens behind `cursor`. While the store fails it goes on trying, and says nothing: those
/// who use the store hear of it.
async fn read_on(vault: Vault, clock: Arc<dyn Clock>, mut cursor: EventCursor, queue: Sender<Arc<Event>>) {
    let (mut read_at, mut pause) = (None, LOOK_EVERY);
    loop {
        // Before reading, so that a change while reading is seen at the next look.
        let mark = vault.change_mark().ok();
        if mark.is_none() || mark != read_at {
            match vault.events(&mut cursor).await {
                Ok(events) => {
                    for event in events {
                        // Nobody may be listening any more; then this task ends too.
                        let _listeners = queue.send(Arc::new(event));
                    }
                    (read_at, pause) = (mark, LOOK_EVERY);
                }
                Err(_) => (read_at, pause) = (None, (pause * 2).min(LOOK_EVERY_IN_AN_OUTAGE)),
            }
        }
        tokio::select! {
            () = vault.has_written() => {}
            () = clock.sleep(pause) => {}
        }
    }
}

/// As many events as the log keeps: a burst that the feed can read is one that a listener can take.
const QUEUE: usize = 4096;
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOK_EVERY_IN_AN_OUTAGE: Duration = Duration::from_secs(1);
