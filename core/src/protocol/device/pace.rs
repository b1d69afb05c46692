//! When to poll, and when to stop (RFC 8628 §3.3, §3.5). A value that is told what came: it waits for nothing itself.

use std::time::Duration;

use super::DeviceAuthorization;
use super::poll::PollAnswer;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};

/// The rhythm of one device login.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    interval: Duration,
    ends_at: Timestamp,
    failures: u32,
}

/// What to do after a poll.
#[derive(Debug)]
pub enum Decision<T> {
    /// The login is over without a grant.
    Closed(Error),
    /// The person has allowed the access, and this came of it.
    Done(T),
    /// Poll again after this long.
    Wait(Duration),
}

impl Pace {
    /// The rhythm that `authorization` asks for.
    pub fn new(authorization: &DeviceAuthorization) -> Self {
        Self { interval: authorization.interval(), ends_at: authorization.expires_at(), failures: 0 }
    }

    /// How long to wait between two polls while nothing fails.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// What to do with `answer`, which came at `now`.
    ///
    /// | Answer | Decision |
    /// | --- | --- |
    /// | granted | done |
    /// | over | closed |
    /// | pending | wait for the interval |
    /// | slow down | wait for the interval, which is 5 seconds longer from now on |
    /// | trouble | wait for twice the interval, then four times, up to a minute; the interval stays as it is |
    ///
    /// `Retry-After` is a lower bound. Where the next poll would come after the end of the code the login is closed at
    /// once: an approval could not be heard of any more.
    pub fn decide<T>(&mut self, answer: PollAnswer<T>, now: Timestamp) -> Decision<T> {
        let failures = std::mem::take(&mut self.failures);
        let wait = match answer {
            PollAnswer::Granted(grant) => return Decision::Done(grant),
            PollAnswer::Over(error) => return Decision::Closed(error),
            PollAnswer::Pending => self.interval,
            PollAnswer::SlowDown { retry_after } => {
                self.interval += SLOW_DOWN;
                self.interval.max(retry_after.unwrap_or_default())
            }
            PollAnswer::Trouble { retry_after, .. } => {
                self.failures = failures.saturating_add(1);
                let doubled = self.interval * 2_u32.pow(self.failures.min(MAX_DOUBLINGS));
                doubled.min(LONGEST_BACK_OFF).max(self.interval).max(retry_after.unwrap_or_default())
            }
        };
        if self.is_over(now.plus(wait)) { Decision::Closed(out_of_time()) } else { Decision::Wait(wait) }
    }

    /// Whether a poll at `moment` would come after the end of the code.
    pub fn is_over(&self, moment: Timestamp) -> bool {
        moment >= self.ends_at
    }
}

/// Nobody has decided while the code was good.
pub(crate) fn out_of_time() -> Error {
    Error::new(ErrorCode::LoginClosed, "nobody allowed the access before the code expired")
        .with_advice("Begin a new login, and enter the new code.")
}

const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);
const MAX_DOUBLINGS: u32 = 6;
const SLOW_DOWN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixture::NOW;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn pace(interval: u64, lifetime: u64) -> Pace {
        Pace { interval: seconds(interval), ends_at: NOW.plus(seconds(lifetime)), failures: 0 }
    }

    fn pending() -> PollAnswer<&'static str> {
        PollAnswer::Pending
    }

    fn slow_down(retry_after: Option<u64>) -> PollAnswer<&'static str> {
        PollAnswer::SlowDown { retry_after: retry_after.map(seconds) }
    }

    fn trouble(retry_after: Option<u64>) -> PollAnswer<&'static str> {
        let error = Error::new(ErrorCode::Unavailable, "away");
        PollAnswer::Trouble { error, retry_after: retry_after.map(seconds) }
    }

    fn over(code: ErrorCode) -> PollAnswer<&'static str> {
        PollAnswer::Over(Error::new(code, "over"))
    }

    /// A decision in words: `wait 5`, `done tokens`, `access_denied`.
    fn words(decision: Decision<&str>) -> String {
        match decision {
            Decision::Closed(error) => error.code().to_string(),
            Decision::Done(grant) => format!("done {grant}"),
            Decision::Wait(wait) => format!("wait {}", wait.as_secs()),
        }
    }

    #[test]
    fn every_answer_has_its_decision() {
        // (interval, lifetime, elapsed, answer, decision)
        let table = [
            (5, 900, 5, pending(), "wait 5"),
            (1, 900, 5, pending(), "wait 1"),
            (60, 900, 5, pending(), "wait 60"),
            (5, 900, 5, slow_down(None), "wait 10"),
            (60, 900, 5, slow_down(None), "wait 65"),
            (5, 900, 5, slow_down(Some(30)), "wait 30"),
            (5, 900, 5, slow_down(Some(1)), "wait 10"),
            (5, 900, 5, trouble(None), "wait 10"),
            (5, 900, 5, trouble(Some(1)), "wait 10"),
            (5, 900, 5, trouble(Some(120)), "wait 120"),
            (40, 900, 5, trouble(None), "wait 60"),
            (90, 900, 5, trouble(None), "wait 90"),
            (5, 900, 5, over(ErrorCode::AccessDenied), "access_denied"),
            (5, 900, 5, over(ErrorCode::ServerMisbehaved), "server_misbehaved"),
            (5, 900, 5, PollAnswer::Granted("tokens"), "done tokens"),
            // At the end of the code.
            (5, 900, 894, pending(), "wait 5"),
            (5, 900, 895, pending(), "login_closed"),
            (5, 900, 889, slow_down(None), "wait 10"),
            (5, 900, 890, slow_down(None), "login_closed"),
            (5, 900, 890, trouble(None), "login_closed"),
            (5, 900, 5, trouble(Some(3600)), "login_closed"),
            (5, 900, 899, PollAnswer::Granted("tokens"), "done tokens"),
            (5, 900, 1000, PollAnswer::Granted("tokens"), "done tokens"),
            (5, 900, 1000, over(ErrorCode::AccessDenied), "access_denied"),
            (5, 900, 1000, pending(), "login_closed"),
        ];
        for (interval, lifetime, elapsed, answer, decision) in table {
            let case = format!("{interval} s, {elapsed} of {lifetime} s, {answer:?}");
            let decided = pace(interval, lifetime).decide(answer, NOW.plus(seconds(elapsed)));
            assert_eq!(words(decided), decision, "{case}");
        }
    }

    #[test]
    fn slowing_down_is_for_good_and_ends_with_the_code() {
        let mut pace = pace(5, 300);
        let (mut now, mut waits) = (NOW, Vec::new());
        while let Decision::Wait(wait) = pace.decide(slow_down(None), now) {
            waits.push(wait.as_secs());
            now = now.plus(wait);
        }
        assert_eq!(waits, [10, 15, 20, 25, 30, 35, 40, 45, 50]);
        let mut pace = self::pace(5, 900);
        assert_eq!(words(pace.decide(slow_down(None), NOW)), "wait 10");
        assert_eq!(words(pace.decide(pending(), NOW)), "wait 10");
        assert_eq!(words(pace.decide(trouble(None), NOW)), "wait 20");
        assert_eq!(words(pace.decide(pending(), NOW)), "wait 10");
    }

    #[test]
    fn trouble_doubles_the_wait_and_an_answer_ends_that() {
        let mut pace = pace(5, 3600);
        let waits: Vec<_> = (0..40).map(|_| words(pace.decide(trouble(None), NOW))).collect();
        assert_eq!(waits[..5], ["wait 10", "wait 20", "wait 40", "wait 60", "wait 60"]);
        assert_eq!(waits[39], "wait 60");
        assert_eq!(words(pace.decide(pending(), NOW)), "wait 5");
        assert_eq!(words(pace.decide(trouble(None), NOW)), "wait 10");
    }
}
