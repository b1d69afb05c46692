//! The words are those of the shared list, and a cursor tells everything once.

use serde_json::Value;

use super::*;

#[test]
fn the_events_are_those_of_the_shared_list() {
    let list: Value = serde_json::from_str(include_str!("../../../../tests/vectors/events.json")).unwrap();
    let revoked = [None, Some(false), Some(true)].map(|revoked| EventKind::Disconnected { revoked });
    let reasons = [ReconnectReason::Expired, ReconnectReason::Interrupted, ReconnectReason::Revoked];
    let next_attempt_at = Some(Timestamp::from_unix_millis(1_800_000_000_000));
    let failed = [
        EventKind::RefreshFailed { kind: FailureKind::Refused, next_attempt_at },
        EventKind::RefreshFailed { kind: FailureKind::Unknown, next_attempt_at: None },
    ];
    let ours: Vec<Value> = [EventKind::ActiveChanged, EventKind::Connected]
        .into_iter()
        .chain(revoked)
        .chain([EventKind::Missed])
        .chain(reasons.map(|reason| EventKind::ReconnectRequired { reason }))
        .chain(failed)
        .chain([EventKind::Refreshed])
        .map(|kind| serde_json::json!({ "event": kind.as_str(), "fields": fields(kind), "detail": kind.detail() }))
        .collect();
    assert_eq!(list["events"].as_array().unwrap(), &ours);
}

/// Without `..`, so that a new field does not go unnoticed.
fn fields(kind: EventKind) -> Value {
    match kind {
        EventKind::ActiveChanged | EventKind::Connected | EventKind::Missed | EventKind::Refreshed => {
            serde_json::json!({})
        }
        EventKind::Disconnected { revoked } => serde_json::json!({ "revoked": revoked }),
        EventKind::ReconnectRequired { reason } => serde_json::json!({ "reason": reason.as_str() }),
        EventKind::RefreshFailed { kind, next_attempt_at } => serde_json::json!({
            "kind": kind.to_text(),
            "next_attempt_at": next_attempt_at.map(Timestamp::unix_millis),
        }),
    }
}

#[test]
fn what_a_log_keeps_reads_back_and_what_a_later_version_wrote_is_nothing() {
    let list: Value = serde_json::from_str(include_str!("../../../../tests/vectors/events.json")).unwrap();
    for row in list["events"].as_array().unwrap() {
        let (name, detail) = (row["event"].as_str().unwrap(), row["detail"].as_str());
        let read = EventKind::from_text(name, detail).map(|kind| (kind.as_str(), kind.detail()));
        // No log keeps what its readers are told of it.
        let kept = (name != "missed").then(|| (name, detail.map(str::to_owned)));
        assert_eq!(read, kept, "{row}");
    }
    for (name, detail) in [
        ("invented", None),
        ("connected", Some("by_device")),
        ("disconnected", Some("perhaps")),
        ("reconnect_required", None),
        ("reconnect_required", Some("bored")),
        ("refresh_failed", None),
        ("refresh_failed", Some("permanent:revoked")),
        ("refresh_failed", Some("refused soon")),
    ] {
        assert_eq!(EventKind::from_text(name, detail), None, "{name} {detail:?}");
    }
}

#[test]
fn an_event_shows_no_owner() {
    let account = AccountKey::for_owner("github".parse().unwrap(), Owner::new("ada@example.com").unwrap());
    let event = NewEvent::of(&account, EventKind::Connected).at(now(0));
    assert!(!format!("{event:?}").contains("ada"));
}

fn now(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn rows(numbers: impl IntoIterator<Item = i64>) -> Vec<Numbered> {
    let account = "github".parse().unwrap();
    // The moment tells them apart.
    let event = |number| NewEvent::of(&account, EventKind::Refreshed).at(Timestamp::from_unix_millis(number));
    numbers.into_iter().map(|number| (number, Some(event(number)))).collect()
}

/// The numbers of the events that are told; `None` where some are missed.
fn told(events: &[Event]) -> Option<Vec<i64>> {
    let number = |event: &Event| (event.kind != EventKind::Missed).then(|| event.at.unix_millis());
    events.iter().map(number).collect()
}

#[test]
fn a_number_that_appears_late_is_told_once() {
    let mut cursor = EventCursor::behind(10);
    assert_eq!(told(&cursor.advance(14, rows([11, 14]), now(0))), Some(vec![11, 14]));
    assert_eq!((cursor.last(), cursor.gaps()), (14, vec![12, 13]));
    assert_eq!(told(&cursor.advance(15, rows([13, 15]), now(1))), Some(vec![13, 15]));
    assert_eq!((cursor.last(), cursor.gaps()), (15, vec![12]));
    assert_eq!(told(&cursor.advance(15, rows([12]), now(2))), Some(vec![12]));
    assert_eq!((cursor.last(), cursor.gaps()), (15, vec![]));
}

#[test]
fn a_number_that_never_appears_is_given_up_after_a_minute() {
    let mut cursor = EventCursor::behind(0);
    let _ = cursor.advance(2, rows([2]), now(0));
    let _ = cursor.advance(2, rows([]), now(59));
    assert_eq!(cursor.gaps(), [1]);
    let _ = cursor.advance(2, rows([]), now(60));
    assert_eq!(cursor.gaps(), [] as [i64; 0]);
}

#[test]
fn an_event_of_a_later_version_leaves_no_gap() {
    let mut cursor = EventCursor::behind(0);
    assert_eq!(cursor.advance(1, vec![(1, None)], now(0)), []);
    assert_eq!(cursor, EventCursor::behind(1));
}

#[test]
fn a_place_that_was_cut_off_is_told_so_once_and_goes_on_with_the_log() {
    let mut cursor = EventCursor::behind(7);
    let newest = 7 + EventCursor::REACH;
    assert!(told(&cursor.clone().advance(newest, rows(8..=newest), now(0))).is_some());

    // Number 8 is gone; one of those that are left is not finished yet.
    let unfinished = newest - 5;
    let left = rows((9..=newest + 1).filter(|number| *number != unfinished));
    assert_eq!(told(&cursor.advance(newest + 1, left, now(0))), None);
    assert_eq!((cursor.last(), cursor.gaps()), (newest + 1, vec![unfinished]));
    assert_eq!(
        told(&cursor.advance(newest + 2, rows([unfinished, newest + 2]), now(1))),
        Some(vec![unfinished, newest + 2])
    );
}

#[test]
fn a_log_that_was_put_back_is_read_on_from_its_end() {
    let mut cursor = EventCursor::behind(100);
    assert_eq!(told(&cursor.advance(90, rows([]), now(0))), None);
    assert_eq!(told(&cursor.advance(91, rows([91]), now(0))), Some(vec![91]));
}

#[test]
fn gaps_beyond_the_reach_of_the_log_are_forgotten() {
    let mut cursor = EventCursor::behind(0);
    let _ = cursor.advance(2, rows([2]), now(0));
    let _ = cursor.advance(1 + EventCursor::REACH, rows(3..=1 + EventCursor::REACH), now(1));
    assert_eq!(cursor.gaps(), [] as [i64; 0]);
}
