//! The device authorization grant (RFC 8628 §3.3 to §3.5): asks again and again until the person has decided elsewhere.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Clock, Timestamp};
use crate::error::Result;
use crate::protocol::device::DeviceAuthorization;
use crate::protocol::device::pace::{Decision, Pace, out_of_time};
use crate::protocol::device::poll::PollAnswer;
use crate::secret::Secret;

/// A device login that waits for the person. It polls only while [`until_decided`](Self::until_decided) is awaited.
#[derive(Debug)]
pub struct DeviceLogin {
    authorization: DeviceAuthorization,
    pace: Pace,
    progress: watch::Sender<DeviceProgress>,
    clock: Arc<dyn Clock>,
}

/// How far a device login is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DeviceProgress {
    /// How often the server has been asked.
    pub polls: u32,
    /// How long it wants to be left alone between two polls; it grows where the server says `slow_down`.
    pub interval: Duration,
    /// When it is asked again.
    pub next_poll_at: Timestamp,
    /// Why the latest poll had no answer that says anything, in our own words; `None` when it had one.
    pub trouble: Option<String>,
}

impl DeviceLogin {
    /// A login whose `authorization` the person has yet to see. The first poll comes one interval from now.
    pub fn new(authorization: DeviceAuthorization, clock: Arc<dyn Clock>) -> Self {
        let pace = Pace::new(&authorization);
        let progress = DeviceProgress {
            polls: 0,
            interval: pace.interval(),
            next_poll_at: clock.now().plus(pace.interval()),
            trouble: None,
        };
        Self { authorization, pace, progress: watch::Sender::new(progress), clock }
    }

    /// What to show to the person.
    pub fn authorization(&self) -> &DeviceAuthorization {
        &self.authorization
    }

    /// How far it is, now and later: a receiver that wakes up when that changes, and fails when the login is dropped.
    pub fn progress(&self) -> watch::Receiver<DeviceProgress> {
        self.progress.subscribe()
    }

    /// Polls by `poll`, which is given the device code, until the person has decided.
    ///
    /// Dropping the returned future stops the polling; calling this again goes on with it at the same pace.
    ///
    /// # Errors
    ///
    /// `login_closed` when the code has expired; else the error that [`PollAnswer::Over`] holds.
    pub async fn until_decided<T, F>(&mut self, poll: impl Fn(Secret) -> F) -> Result<T>
    where
        F: Future<Output = PollAnswer<T>>,
    {
        loop {
            let next_poll_at = self.progress.borrow().next_poll_at;
            if self.pace.is_over(next_poll_at) {
                return Err(out_of_time());
            }
            self.clock.sleep(next_poll_at.time_left(self.clock.now())).await;
            // A machine that was suspended wakes up long after the poll that it waited for.
            let now = self.clock.now();
            if self.pace.is_over(now) {
                return Err(out_of_time());
            }
            // Told before the poll, so that whoever takes over from a dropped future keeps the distance to it.
            self.progress.send_modify(|progress| {
                progress.polls += 1;
                progress.next_poll_at = now.plus(self.pace.interval());
            });
            let answer = poll(self.authorization.device_code().clone()).await;
            if let Some(ended) = self.take(answer) {
                return ended;
            }
        }
    }

    /// Takes the answer to a poll, also to one that has outlived the future that sent it. Returns how the login has ended, or
    /// `None` where it goes on.
    pub fn take<T>(&mut self, answer: PollAnswer<T>) -> Option<Result<T>> {
        let trouble = match &answer {
            PollAnswer::Trouble { error, .. } => Some(error.message().to_owned()),
            _ => None,
        };
        let now = self.clock.now();
        match self.pace.decide(answer, now) {
            Decision::Done(grant) => Some(Ok(grant)),
            Decision::Closed(error) => Some(Err(error)),
            Decision::Wait(wait) => {
                self.progress.send_modify(|progress| {
                    progress.interval = self.pace.interval();
                    progress.next_poll_at = now.plus(wait);
                    progress.trouble = trouble;
                });
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
