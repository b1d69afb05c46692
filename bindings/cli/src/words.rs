//! Time as people say it.

use std::time::Duration;

use loomkin_auth::clock::Timestamp;

/// `45 seconds`, `52 minutes`, `3 hours`, `20 days`: at least two of a unit, rounded down.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `in 52 minutes`, or `3 hours ago`.
pub(crate) fn distance(moment: Timestamp, now: Timestamp) -> String {
    if now < moment {
        format!("in {}", duration(moment.time_left(now)))
    } else {
        format!("{} ago", duration(now.time_left(moment)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_at_least_two_of_its_unit() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_moment_is_ahead_or_past() {
        let at = Timestamp::from_unix_seconds;
        assert_eq!(distance(at(600), at(0)), "in 10 minutes");
        assert_eq!(distance(at(0), at(600)), "10 minutes ago");
        assert_eq!(distance(at(0), at(0)), "0 seconds ago");
    }
}
