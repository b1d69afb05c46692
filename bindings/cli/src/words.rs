//! Times and places as people say them.

use std::time::Duration;

use loomkin_auth::clock::Timestamp;
use loomkin_auth::store::key::KeySetting;

/// `45 seconds`, `52 minutes`, `3 hours`, `20 days`: at least two of a unit where there are two, rounded to the nearest.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.saturating_add(Duration::from_millis(500)).as_secs();
    let nearest = |unit: u64| seconds.saturating_add(unit / 2) / unit;
    let (count, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7_200 => (nearest(60), "minute"),
        7_200..172_800 => (nearest(3_600), "hour"),
        _ => (nearest(86_400), "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `14:05`: minutes and seconds, as a countdown shows them.
pub(crate) fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `in 52 minutes`, or `3 hours ago`.
pub(crate) fn distance(moment: Timestamp, now: Timestamp) -> String {
    if now < moment {
        format!("in {}", duration(moment.time_left(now)))
    } else {
        format!("{} ago", duration(now.time_left(moment)))
    }
}

/// `the variable AUTH_KEY`, `the keychain`, or the path of the file.
pub(crate) fn place_of_key(source: &KeySetting) -> String {
    match source {
        KeySetting::Env(name) => format!("the variable {name}"),
        KeySetting::File(path) => path.display().to_string(),
        KeySetting::Keychain => "the keychain".to_owned(),
        // The store of a process, which says `auto` for itself.
        _ => "this process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_at_least_two_of_its_unit() {
        for (millis, words) in [
            (0, "0 seconds"),
            (1_000, "1 second"),
            (119_499, "119 seconds"),
            (119_500, "2 minutes"),
            (599_900, "10 minutes"),
            (7_139_000, "119 minutes"),
            (7_200_000, "2 hours"),
            (172_799_000, "48 hours"),
            (172_800_000, "2 days"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), words);
        }
        assert!(duration(Duration::MAX).ends_with(" days"));
    }

    #[test]
    fn a_countdown_goes_down_to_nothing() {
        for (millis, words) in
            [(0, "0:00"), (999, "0:00"), (61_000, "1:01"), (899_999, "14:59"), (3_600_000, "60:00")]
        {
            assert_eq!(countdown(Duration::from_millis(millis)), words);
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
