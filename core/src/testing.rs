//! For tests: a clock that moves when it is told to. Behind the feature `testing`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Clock, Timestamp};

/// A [`Clock`] that stands still until [`ManualClock::advance`] moves it.
pub struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(watch::Sender::new(now))
    }

    /// Moves the clock on, and wakes everybody whose time has come.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = now.plus(by));
    }

    /// Puts the clock to `now`, which may be earlier: system clocks do that too.
    pub fn set(&self, now: Timestamp) {
        self.0.send_replace(now);
    }

    /// How many sleepers there are, so that a test can wait until its subject waits.
    pub fn sleepers(&self) -> usize {
        self.0.receiver_count()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut moments = self.0.subscribe();
        let end = self.now().plus(duration);
        Box::pin(async move {
            // The wait fails when the clock is dropped; nobody is left then who could say what time it is.
            let _ = moments.wait_for(|now| *now >= end).await;
        })
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManualClock({})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(0));
        let mut sleep = clock.sleep(Duration::from_secs(10));
        clock.advance(Duration::from_secs(9));
        let poll = std::future::poll_fn(|context| std::task::Poll::Ready(sleep.as_mut().poll(context))).await;
        assert!(poll.is_pending());
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(1));
        sleep.await;
        assert_eq!(clock.sleepers(), 0);
    }
}
