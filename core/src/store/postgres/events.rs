//! The event log.
//!
//! Many write it at once, and a row is numbered before its transaction ends: a lower number may appear after a higher
//! one, and one that was undone never does. [`EventCursor`] asks for the missing ones again.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::fault;
use super::pool::{Pool, Transaction};
use super::rows::{account, get, time};
use crate::account::Owner;
use crate::error::Result;
use crate::store::event::{CUT_EVERY, Event, EventCursor, EventKind, NewEvent, Numbered};

/// Writes what has happened, as the last step of a transaction. Those who change one account wait for each other before
/// that, and so its events are numbered in the order in which they happened.
pub(super) async fn write(
    transaction: &mut Transaction,
    events: impl IntoIterator<Item = NewEvent> + Send,
) -> Result<()> {
    // The old rows are locked by whoever comes first, and nobody waits for them.
    let sql = format!(
        "WITH written AS (
            INSERT INTO loomkin_auth.event (owner, provider, account, kind, detail, at)
            VALUES ($1, $2, $3, $4, $5, loomkin_auth.clock()) RETURNING id
        ), forgotten AS (
            DELETE FROM loomkin_auth.event WHERE id IN (
                SELECT event.id FROM loomkin_auth.event, written
                WHERE written.id % {CUT_EVERY} = 0 AND event.id <= written.id - {}
                FOR UPDATE OF event SKIP LOCKED)
        )
        SELECT id FROM written",
        EventCursor::REACH
    );
    for NewEvent { kind, owner, account } in events.into_iter().collect::<Vec<_>>() {
        transaction
            .change(
                &sql,
                &[
                    (&owner.as_str(), Type::TEXT),
                    (&account.as_ref().map(|account| account.provider.as_str()), Type::TEXT),
                    (&account.as_ref().map(|account| account.account.as_str()), Type::TEXT),
                    (&kind.as_str(), Type::TEXT),
                    (&kind.detail(), Type::TEXT),
                ],
            )
            .await?;
    }
    Ok(())
}

/// A place at the end of the log, with the gaps that its present writers may still fill.
pub(super) async fn end(pool: &Pool) -> Result<EventCursor> {
    let newest = "SELECT coalesce(max(id), 0) AS newest FROM loomkin_auth.event";
    let rows = pool.read(newest, &[]).await?;
    let newest: i64 = get(rows.first().ok_or_else(fault::damaged)?, "newest")?;
    let mut cursor = EventCursor::behind((newest - EventCursor::REACH).max(0));
    let _already_told = read(pool, &mut cursor).await?;
    Ok(cursor)
}

/// The events behind `cursor`, which is moved behind them.
pub(super) async fn read(pool: &Pool, cursor: &mut EventCursor) -> Result<Vec<Event>> {
    // One statement, so that nothing is written or forgotten between the one and the other.
    let sql = "SELECT newest, loomkin_auth.clock() AS now, id, owner, provider, account, kind, detail, at
        FROM (SELECT coalesce(max(id), 0) AS newest FROM loomkin_auth.event) AS log
        LEFT JOIN loomkin_auth.event ON id > $1 OR id = ANY($2) ORDER BY id";
    let rows = pool.read(sql, &[(&cursor.last(), Type::INT8), (&cursor.gaps(), Type::INT8_ARRAY)]).await?;
    let first = rows.first().ok_or_else(fault::damaged)?;
    let (newest, now) = (get(first, "newest")?, time(first, "now")?);
    Ok(cursor.advance(newest, rows.iter().filter_map(numbered).collect(), now))
}

/// The event of a row, unless the log had none to give. What this version cannot read was written by a later one.
fn numbered(row: &Row) -> Option<Numbered> {
    let number = get::<Option<i64>>(row, "id").ok()??;
    Some((number, event(row).ok().flatten()))
}

fn event(row: &Row) -> Result<Option<Event>> {
    let Some(kind) = EventKind::from_text(get(row, "kind")?, get(row, "detail")?) else { return Ok(None) };
    let account = match get::<Option<&str>>(row, "provider")? {
        Some(_) => Some(account(row)?),
        None => None,
    };
    let owner = Owner::new(get::<String>(row, "owner")?)?;
    Ok(Some(NewEvent { kind, owner, account }.at(time(row, "at")?)))
}
