//! When a token ends, as files write it.

use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::clock::Timestamp;

/// RFC 3339 in UTC, or seconds or milliseconds since the epoch; `None` for anything else.
pub(super) fn read(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => of_number(number.as_i64().or_else(|| whole(number.as_f64()?))?),
        Value::String(text) => match text.parse() {
            Ok(number) => of_number(number),
            Err(_) => of_text(text),
        },
        _ => None,
    }
}

/// Nobody's token ends before 1973, which so many milliseconds mean; nor after 5138, which so many seconds do.
fn of_number(number: i64) -> Option<Timestamp> {
    match number {
        ..0 => None,
        0..FIRST_IN_MILLIS => Some(Timestamp::from_unix_seconds(number)),
        _ => Some(Timestamp::from_unix_millis(number)),
    }
}

fn of_text(text: &str) -> Option<Timestamp> {
    let moment = humantime::parse_rfc3339(text).ok()?;
    let millis = moment.duration_since(UNIX_EPOCH).ok()?.as_millis();
    Some(Timestamp::from_unix_millis(i64::try_from(millis).ok()?))
}

#[expect(clippy::cast_possible_truncation, reason = "what lies outside is refused before")]
fn whole(number: f64) -> Option<i64> {
    (0.0..=MOST).contains(&number).then_some(number as i64)
}

const FIRST_IN_MILLIS: i64 = 100_000_000_000;
const MOST: f64 = 9e15;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_spelling_of_a_moment_is_read() {
        for value in [
            json!("2026-03-01T09:30:00Z"),
            json!(1_772_357_400),
            json!(1_772_357_400_000_i64),
            json!(1_772_357_400.25),
            json!("1772357400"),
        ] {
            assert_eq!(read(&value).unwrap().to_string(), "2026-03-01T09:30:00Z", "{value}");
        }
    }

    #[test]
    fn what_is_no_moment_is_not_guessed_at() {
        for value in [json!("soon"), json!(-1), json!(true), json!(1e300), json!(""), json!([1])] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
