//! How long a token is good, and how long before its end it counts as used up.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::Columns;

/// How long a returned token is good at least: this, or a tenth of the token's lifetime where that is less.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Margin(pub Duration);

impl Margin {
    /// Whether the token lasts for the margin from `now` on. Without a known end it does, until a server says no.
    pub fn is_fresh(self, token: &Columns, now: Timestamp) -> bool {
        token.expires_at.is_none_or(|end| {
            let lifetime = end.time_left(token.issued_at);
            end.time_left(now) >= self.0.min(lifetime / 10).max(Duration::from_millis(1))
        })
    }
}

/// Whether the token has not ended yet.
pub(super) fn is_good(token: &Columns, now: Timestamp) -> bool {
    token.expires_at.is_none_or(|end| now < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(lifetime_seconds: i64) -> Columns {
        let issued_at = Timestamp::from_unix_seconds(1000);
        let mut columns = Columns::new(issued_at, issued_at);
        columns.expires_at = Some(Timestamp::from_unix_seconds(1000 + lifetime_seconds));
        columns
    }

    #[test]
    fn a_long_lived_token_is_fresh_until_the_margin() {
        let (margin, token) = (Margin(Duration::from_secs(60)), token(3600));
        let end = token.expires_at.unwrap();
        assert!(margin.is_fresh(&token, end.minus(Duration::from_secs(60))));
        assert!(!margin.is_fresh(&token, end.minus(Duration::from_millis(59_999))));
    }

    #[test]
    fn a_short_lived_token_is_fresh_until_a_tenth_of_its_lifetime() {
        let (margin, token) = (Margin(Duration::from_secs(60)), token(5));
        let end = token.expires_at.unwrap();
        assert!(margin.is_fresh(&token, end.minus(Duration::from_millis(500))));
        assert!(!margin.is_fresh(&token, end.minus(Duration::from_millis(499))));
    }

    #[test]
    fn a_token_born_dead_is_never_fresh_and_never_good() {
        for lifetime in [0, -5] {
            let token = token(lifetime);
            assert!(!Margin(Duration::ZERO).is_fresh(&token, token.expires_at.unwrap()));
            assert!(!is_good(&token, token.issued_at));
        }
    }

    #[test]
    fn a_token_without_an_end_is_fresh() {
        let issued_at = Timestamp::from_unix_seconds(0);
        let token = Columns::new(issued_at, issued_at);
        assert!(
            Margin(Duration::from_secs(60)).is_fresh(&token, issued_at.plus(Duration::from_secs(1 << 40)))
        );
    }
}
