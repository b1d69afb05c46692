//! The event log as rows of the file.

use super::*;
use crate::store::{Columns, SealedTokens, TombstoneId};

#[tokio::test]
async fn a_change_whose_event_cannot_be_written_is_not_made() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login()).await.unwrap();
    raw(&place)
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON event WHEN NEW.kind IN ('disconnected', 'active_changed')
             BEGIN SELECT RAISE(ABORT, 'full'); END",
        )
        .unwrap();
    store
        .disconnect(&login().account, Disconnect { tombstone: TombstoneId([0; 16]), revocation: None })
        .await
        .unwrap_err();
    store.select(&Owner::default(), None).await.unwrap_err();
    assert!(store.load(&login().account).await.unwrap().is_some());
    assert_eq!(store.active(&Owner::default()).await.unwrap(), Some(login().account));
}

#[tokio::test]
async fn the_log_stays_short() {
    let place = Place::new();
    let store = place.open().await;
    let mut cursor = store.event_cursor().await.unwrap();
    raw(&place)
        .execute(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
             INSERT INTO event (owner, provider, account, kind, at)
             SELECT 'local', 'github', 'default', 'refreshed', 0 FROM number",
            [EventCursor::REACH],
        )
        .unwrap();
    for _ in 0..64 {
        store.record_event(&login().account, EventKind::Connected).await.unwrap();
    }
    let (count, oldest): (i64, i64) = raw(&place)
        .query_row("SELECT count(*), min(id) FROM event", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!((count, oldest), (EventCursor::REACH, 65));
    assert_eq!(store.events(&mut cursor).await.unwrap()[0].kind, EventKind::Missed);
}

#[tokio::test]
async fn what_a_later_version_wrote_is_passed_over() {
    let place = Place::new();
    let store = place.open().await;
    let mut cursor = store.event_cursor().await.unwrap();
    for (provider, kind) in [("github", "invented"), ("No Name", "refreshed")] {
        let sql =
            "INSERT INTO event (owner, provider, account, kind, at) VALUES ('local', ?1, 'later', ?2, 0)";
        raw(&place).execute(sql, (provider, kind)).unwrap();
    }
    store.record_event(&login().account, EventKind::Refreshed).await.unwrap();
    let told = store.events(&mut cursor).await.unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].account, Some(login().account));
}

/// The file, as SQLite itself has it.
fn raw(place: &Place) -> Connection {
    Connection::open(place.path()).unwrap()
}

fn login() -> NewConnection {
    NewConnection {
        account: "github".parse().unwrap(),
        connection: ConnectionId([1; 16]),
        columns: Columns::new(Timestamp::from_unix_seconds(0), Timestamp::from_unix_seconds(0)),
        sealed: SealedTokens(vec![1; 64]),
        refresh_digest: None,
        begun_after: None,
    }
}
