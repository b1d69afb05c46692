//! How long to wait after a failure: exponential, capped, with full jitter.

use std::time::Duration;

use crate::error::Result;
use crate::random::Random;

/// The wait before the next attempt.
///
/// `failures` counts the failures in a row, this one included (at least 1). The result is spread evenly between
/// nothing and `500 ms × 2^(failures − 1)`, at most 5 minutes; a `retry_after` from the server is a lower bound, of
/// which no more than an hour is believed, and the jitter comes on top so that a thousand clients do not return at
/// the same moment.
///
/// # Errors
///
/// As [`Random::fill`].
pub fn wait_after(failures: u32, retry_after: Option<Duration>, random: &dyn Random) -> Result<Duration> {
    wait_within(LONGEST, failures, retry_after, random)
}

/// As [`wait_after`], but spread over at most `longest`.
///
/// # Errors
///
/// As there.
pub fn wait_within(
    longest: Duration,
    failures: u32,
    retry_after: Option<Duration>,
    random: &dyn Random,
) -> Result<Duration> {
    let doublings = failures.saturating_sub(1).min(MAX_DOUBLINGS);
    let jitter = random.make_jitter((FIRST * 2_u32.pow(doublings)).min(longest))?;
    Ok(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER) + jitter)
}

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(300);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
const MAX_DOUBLINGS: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws the largest number every time.
    #[derive(Debug)]
    struct Largest;

    impl Random for Largest {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill(0xff);
            Ok(())
        }
    }

    #[test]
    fn the_bound_doubles_and_stops_at_five_minutes() {
        let bounds: Vec<_> = [0, 1, 2, 3, 10, 11, u32::MAX]
            .map(|failures| wait_after(failures, None, &Largest).unwrap().as_millis())
            .into();
        assert_eq!(bounds, [500, 500, 1000, 2000, 256_000, 300_000, 300_000]);
    }

    #[test]
    fn a_retry_after_is_a_lower_bound_and_believed_for_an_hour_at_most() {
        let wait = |seconds| wait_after(1, Some(Duration::from_secs(seconds)), &Largest).unwrap();
        assert_eq!(wait(7), Duration::from_millis(7_500));
        assert_eq!(wait(u64::MAX), Duration::from_millis(3_600_500));
    }
}
