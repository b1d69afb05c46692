//! The system's clock, moved by as much as a scenario wants, so that nothing has to be waited for.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use loomkin_auth::clock::{Clock, SystemClock, Timestamp};
use tokio::sync::watch;

/// A clock that runs, and can be put forward.
#[derive(Debug)]
pub struct MovedClock(watch::Sender<Duration>);

impl MovedClock {
    /// A clock that is `ahead` of the system's.
    pub fn new(ahead: Duration) -> Self {
        Self(watch::Sender::new(ahead))
    }

    /// Puts it forward, and wakes everybody whose time has come.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|ahead| *ahead += by);
    }

    /// Completes once somebody sleeps by this clock.
    pub async fn has_sleepers(&self) {
        // Nothing announces a subscription; letting the other tasks run is what brings it about.
        while self.0.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(*self.0.borrow())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut ahead = self.0.subscribe();
        let end = self.now().plus(duration);
        Box::pin(async move {
            loop {
                let now = SystemClock.now().plus(*ahead.borrow_and_update());
                if now >= end {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(end.time_left(now)) => {}
                    moved = ahead.changed() => if moved.is_err() { return },
                }
            }
        })
    }
}
