//! How long a token is good, and how long before its end it counts as used up.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::Columns;

/// How long before its end a token counts as used up, and how long before that it is renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Margins {
    /// A returned token is good for at least this, or a tenth of its lifetime where that is less.
    pub margin: Duration,
    /// Renewal starts this long before the end, or a fifth of the lifetime where that is less.
    pub ahead: Duration,
}

/// What a token is worth to a caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Freshness {
    /// Good for longer than anybody looks ahead.
    Fresh,
    /// Inside the margin, or ended: a caller waits for another.
    Invalid,
    /// Good for a caller, and time to renew it in the background.
    Stale,
}

impl Margins {
    /// What `token` is worth at `now`. Without a known end it is fresh, until a server says no.
    pub fn freshness(self, token: &Columns, now: Timestamp) -> Freshness {
        let Some(end) = token.expires_at else { return Freshness::Fresh };
        let Self { margin, ahead } = self.of_lifetime(end.time_left(token.issued_at));
        let left = end.time_left(now);
        if left < margin {
            Freshness::Invalid
        } else if left < ahead || is_of_another_time(token.issued_at, now) {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }

    /// What is left of them for a token that lives for `lifetime` in all.
    pub(super) fn of_lifetime(self, lifetime: Duration) -> Self {
        Self { margin: self.margin.min(lifetime / 10).max(SHORTEST), ahead: self.ahead.min(lifetime / 5) }
    }
}

/// Whether a token that was asked for at `issued_at` comes from before the clock was put back. How long it lived is
/// known then, but not when it ends by the present clock.
pub(super) fn is_of_another_time(issued_at: Timestamp, now: Timestamp) -> bool {
    now.plus(CLOCKS_DIFFER) < issued_at
}

/// Whether the token has not ended yet.
pub(super) fn is_good(token: &Columns, now: Timestamp) -> bool {
    token.expires_at.is_none_or(|end| now < end)
}

/// Whether the server gave the token no time to live.
pub(super) fn is_born_dead(token: &Columns) -> bool {
    token.expires_at.is_some_and(|end| end <= token.issued_at)
}

/// By how much the clocks of hosts that share a store may differ, and a clock be set right, without anybody noticing.
pub(super) const CLOCKS_DIFFER: Duration = Duration::from_secs(120);
/// A token that has ended is invalid even where the margin is nothing.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    const MARGINS: Margins = Margins { margin: Duration::from_secs(60), ahead: Duration::from_secs(300) };

    fn token(lifetime_seconds: i64) -> Columns {
        let issued_at = Timestamp::from_unix_seconds(1000);
        let mut columns = Columns::new(issued_at, issued_at);
        columns.expires_at = Some(Timestamp::from_unix_seconds(1000 + lifetime_seconds));
        columns
    }

    /// What a token of this lifetime is worth when it has this many milliseconds left.
    fn freshness(lifetime_seconds: i64, left: u64) -> Freshness {
        let token = token(lifetime_seconds);
        MARGINS.freshness(&token, token.expires_at.unwrap().minus(Duration::from_millis(left)))
    }

    #[test]
    fn a_long_lived_token_grows_stale_and_then_invalid_at_the_configured_moments() {
        assert_eq!(freshness(3600, 300_000), Freshness::Fresh);
        assert_eq!(freshness(3600, 299_999), Freshness::Stale);
        assert_eq!(freshness(3600, 60_000), Freshness::Stale);
        assert_eq!(freshness(3600, 59_999), Freshness::Invalid);
    }

    #[test]
    fn a_short_lived_token_does_so_at_a_fifth_and_a_tenth_of_its_lifetime() {
        assert_eq!(freshness(5, 1_000), Freshness::Fresh);
        assert_eq!(freshness(5, 999), Freshness::Stale);
        assert_eq!(freshness(5, 500), Freshness::Stale);
        assert_eq!(freshness(5, 499), Freshness::Invalid);
    }

    #[test]
    fn a_token_from_before_the_clock_was_put_back_is_stale() {
        let mut token = token(3600);
        let tolerated = token.issued_at.minus(CLOCKS_DIFFER);
        let put_back = tolerated.minus(Duration::from_millis(1));
        assert_eq!(MARGINS.freshness(&token, tolerated), Freshness::Fresh);
        assert_eq!(MARGINS.freshness(&token, put_back), Freshness::Stale);
        token.expires_at = None;
        assert_eq!(MARGINS.freshness(&token, put_back), Freshness::Fresh);
    }

    #[test]
    fn a_token_born_dead_is_never_fresh_and_never_good() {
        let none = Margins { margin: Duration::ZERO, ahead: Duration::ZERO };
        for lifetime in [0, -5] {
            let token = token(lifetime);
            assert_eq!(none.freshness(&token, token.expires_at.unwrap()), Freshness::Invalid);
            assert!(!is_good(&token, token.issued_at));
        }
    }

    #[test]
    fn a_token_without_an_end_is_fresh() {
        let issued_at = Timestamp::from_unix_seconds(0);
        let token = Columns::new(issued_at, issued_at);
        assert_eq!(MARGINS.freshness(&token, issued_at.plus(Duration::from_secs(1 << 40))), Freshness::Fresh);
    }
}
