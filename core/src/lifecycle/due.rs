//! When the schedule renews a connection: once it has grown stale, before a caller would have to wait, and at another
//! moment than every other process.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::expiry::{Margins, is_of_another_time};
use super::verdict::due_again;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::random::Random;
use crate::store::{Expiring, FailureKind};

/// Spreads the moments of one process. Of many processes usually one has renewed a connection before the others look,
/// and none of them has to remember what it has drawn.
#[derive(Debug)]
pub(super) struct Spread {
    seed: [u8; 32],
}

impl Spread {
    /// Another one in every process.
    ///
    /// # Errors
    ///
    /// As [`Random::fill`].
    pub(super) fn make(random: &dyn Random) -> Result<Self> {
        Ok(Self { seed: random.make_bytes()? })
    }

    /// When `found` is due: in the first half of the time in which it is stale, so that the second is left for trouble.
    ///
    /// While nobody knows how the latest refresh ended, it is not repeated before the margin, as by callers. What the
    /// back-off forbids is not due.
    pub(super) fn moment(&self, found: &Expiring, margins: Margins, now: Timestamp) -> Timestamp {
        let end = found.expires_at;
        let lifetime = end.time_left(found.issued_at);
        let allowed = found.failure.as_ref().and_then(|failure| due_again(failure, now));
        let moment = if is_of_another_time(found.issued_at, now) {
            now
        } else if lifetime < WORTH_RENEWING {
            // It is of no use to anybody; whether the next one is better can be seen once a minute.
            found.issued_at.plus(REST_OF_THE_USELESS)
        } else {
            let Margins { margin, ahead } = margins.of_lifetime(lifetime);
            let invalid = end.minus(margin);
            let is_uncertain = found.failure.is_some_and(|failure| failure.kind == FailureKind::Unknown);
            let (from, to) =
                if is_uncertain { (invalid, end) } else { (end.minus(ahead).min(invalid), invalid) };
            // At `from` itself the token is still what it was.
            let share = f64::from(self.draw(found)) / f64::from(u32::MAX);
            from.plus(to.time_left(from).mul_f64(share / 2.0)).plus(Duration::from_millis(1))
        };
        allowed.map_or(moment, |allowed| moment.max(allowed))
    }

    /// A number that is the same at every look at these tokens.
    pub(super) fn draw(&self, found: &Expiring) -> u32 {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(found.connection.0);
        hash.update(found.revision.to_le_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let [first, second, third, fourth, ..] = digest;
        u32::from_le_bytes([first, second, third, fourth])
    }
}

const WORTH_RENEWING: Duration = Duration::from_secs(1);
const REST_OF_THE_USELESS: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::store::{ConnectionId, Failure, TokenDigest};

    const MARGINS: Margins = Margins { margin: Duration::from_secs(60), ahead: Duration::from_secs(300) };

    fn second(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    /// A connection whose token was asked for at second 0 and ends at `end`.
    fn found(id: u8, end: i64) -> Expiring {
        Expiring {
            account: "github".parse().unwrap(),
            connection: ConnectionId([id; 16]),
            revision: 0,
            issued_at: second(0),
            expires_at: second(end),
            failure: None,
        }
    }

    fn failed(kind: FailureKind, at: i64, next: i64) -> Option<Failure> {
        let presented = TokenDigest([0; 32]);
        Some(Failure { kind, presented, in_a_row: 1, at: second(at), next_attempt_at: Some(second(next)) })
    }

    fn spread() -> Spread {
        Spread::make(&SystemRandom).unwrap()
    }

    #[test]
    fn moments_fill_the_first_half_of_the_time_in_which_a_token_is_stale() {
        let spread = spread();
        let mut moments: Vec<_> =
            (0..=255).map(|id| spread.moment(&found(id, 3600), MARGINS, second(0))).collect();
        moments.sort();
        assert!(second(3300) < moments[0] && moments[255] <= second(3420).plus(Duration::from_millis(1)));
        // Anything else is as good as impossible.
        assert!(moments[64] < second(3360) && second(3360) < moments[192], "{moments:?}");
    }

    #[test]
    fn the_moment_is_the_same_at_every_look_and_another_in_every_process_and_for_every_token() {
        let (one, other) = (spread(), spread());
        let mut renewed = found(1, 3600);
        renewed.revision = 1;
        let moment = |spread: &Spread, found| spread.moment(found, MARGINS, second(0));
        assert_eq!(moment(&one, &found(1, 3600)), one.moment(&found(1, 3600), MARGINS, second(3500)));
        let draws = [one.draw(&found(1, 3600)), other.draw(&found(1, 3600)), one.draw(&renewed)];
        assert!(draws[0] != draws[1] && draws[0] != draws[2]);
    }

    #[test]
    fn what_is_uncertain_is_due_inside_the_margin() {
        let spread = spread();
        for id in 0..100 {
            let mut found = found(id, 3600);
            found.failure = failed(FailureKind::Unknown, 3301, 3302);
            let moment = spread.moment(&found, MARGINS, second(3310));
            assert!(second(3540) < moment && moment < second(3571), "{moment:?}");
        }
    }

    #[test]
    fn a_back_off_is_waited_for_unless_it_is_of_another_time() {
        let mut found = found(1, 3600);
        found.failure = failed(FailureKind::Refused, 3301, 3555);
        assert_eq!(spread().moment(&found, MARGINS, second(3302)), second(3555));
        assert!(spread().moment(&found, MARGINS, second(3300)) < second(3421));
    }

    #[test]
    fn a_token_from_before_the_clock_was_put_back_is_due_at_once() {
        assert_eq!(spread().moment(&found(1, 3600), MARGINS, second(-9999)), second(-9999));
    }

    #[test]
    fn a_token_born_dead_rests_for_a_minute() {
        assert_eq!(spread().moment(&found(1, 0), MARGINS, second(1)), second(60));
    }
}
