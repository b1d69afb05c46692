//! The event log. SQLite lets one transaction write at a time, so that its numbers have no gaps.

use rusqlite::{Connection, Row};

use super::rows;
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::store::event::{CUT_EVERY, Event, EventCursor, EventKind, NewEvent, Numbered};

/// Writes what happened at `at`, and forgets what is too old.
pub(super) fn write(
    database: &Connection,
    events: impl IntoIterator<Item = NewEvent>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    for NewEvent { kind, owner, account } in events {
        let sql = "INSERT INTO event (owner, provider, account, kind, detail, at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let number = database.prepare_cached(sql)?.insert((
            owner.as_str(),
            account.as_ref().map(|account| account.provider.as_str()),
            account.as_ref().map(|account| account.account.as_str()),
            kind.as_str(),
            kind.detail(),
            at.unix_millis(),
        ))?;
        if number % CUT_EVERY == 0 {
            let cut = "DELETE FROM event WHERE id <= ?1";
            database.prepare_cached(cut)?.execute([number - EventCursor::REACH])?;
        }
    }
    Ok(())
}

/// A place at the end of the log.
pub(super) fn end(database: &Connection) -> rusqlite::Result<EventCursor> {
    database
        .query_row("SELECT coalesce(max(id), 0) FROM event", [], |row| row.get(0))
        .map(EventCursor::behind)
}

/// The number of the newest event, and the events above the number `last`.
pub(super) fn above(database: &Connection, last: i64) -> rusqlite::Result<(i64, Vec<Numbered>)> {
    // One statement, so that nothing is written or forgotten between the one and the other.
    let mut statement = database.prepare_cached(
        "SELECT newest, id, owner, provider, account, kind, detail, at
         FROM (SELECT coalesce(max(id), 0) AS newest FROM event) LEFT JOIN event ON id > ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([last])?;
    let (mut newest, mut events) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        newest = row.get(0)?;
        if let Some(number) = row.get(1)? {
            // What this version cannot read was written by a later one.
            events.push((number, read(row).ok().flatten()));
        }
    }
    Ok((newest, events))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<Event>> {
    let detail: Option<String> = row.get("detail")?;
    let Some(kind) = EventKind::from_text(row.get_ref("kind")?.as_str()?, detail.as_deref()) else {
        return Ok(None);
    };
    let account: Option<AccountKey> = match row.get_ref("provider")? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(rows::account(row, 2)?),
    };
    let Ok(owner) = Owner::new(row.get::<_, String>("owner")?) else { return Ok(None) };
    let at = Timestamp::from_unix_millis(row.get("at")?);
    Ok(Some(NewEvent { kind, owner, account }.at(at)))
}
