//! The wrapped data keys, and the move of sealed tokens from the older ones to the newest.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::rows;
use crate::clock::Timestamp;
use crate::store::reseal::is_retired;
use crate::store::{ConnectionId, NewSeal, OldSeal, ResealOutcome, SealPosition, WrappedKey};

pub(super) fn all(database: &Connection) -> rusqlite::Result<Vec<WrappedKey>> {
    database
        .prepare("SELECT id, source, salt, wrapped, created_at FROM data_key ORDER BY position")?
        .query_map([], |row| {
            Ok(WrappedKey {
                id: row.get(0)?,
                source: row.get(1)?,
                salt: row.get(2)?,
                wrapped: row.get(3)?,
                created_at: Timestamp::from_unix_millis(row.get(4)?),
            })
        })?
        .collect()
}

/// The id of the newest key.
pub(super) fn newest(database: &Connection) -> rusqlite::Result<Option<[u8; 8]>> {
    database.prepare_cached(NEWEST)?.query_row([], |row| row.get(0)).optional()
}

pub(super) fn add(transaction: &Transaction<'_>, key: &WrappedKey, first: bool) -> rusqlite::Result<bool> {
    let WrappedKey { id, source, salt, wrapped, created_at } = key;
    let added = transaction.execute(
        "INSERT INTO data_key (id, source, salt, wrapped, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM data_key WHERE ?6 OR id = ?1)",
        (id, source, salt, wrapped, created_at.unix_millis(), first),
    )?;
    Ok(added == 1)
}

/// Removes the key, unless it is the newest or anything names it.
pub(super) fn remove(transaction: &Transaction<'_>, id: [u8; 8]) -> rusqlite::Result<bool> {
    let sql = format!(
        "DELETE FROM data_key WHERE id = ?1 AND id <> ({NEWEST})
            AND NOT EXISTS (SELECT 1 FROM connection WHERE substr(sealed, 2, 8) = ?1)
            AND NOT EXISTS (SELECT 1 FROM revocation WHERE substr(sealed, 2, 8) = ?1)
             AND NOT EXISTS (SELECT 1 FROM pending_login WHERE substr(sealed, 2, 8) = ?1)
             AND NOT EXISTS (SELECT 1 FROM credential WHERE substr(sealed, 2, 8) = ?1)"
    );
    Ok(transaction.execute(&sql, [id])? == 1)
}

/// What does not name the newest key, behind `after`.
pub(super) fn old_seals(
    database: &Connection,
    after: Option<&SealPosition>,
    limit: usize,
) -> rusqlite::Result<Vec<OldSeal>> {
    let (account, connection) = match after {
        None => (["", "", ""], None),
        Some(SealPosition::Connection(account)) => (rows::names(account), None),
        Some(SealPosition::Revocation(connection)) => (["", "", ""], Some(connection)),
    };
    let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    if connection.is_none() {
        let sql = format!(
            "{} AND (owner, provider, account) > (?1, ?2, ?3) AND substr(sealed, 2, 8) <> ({NEWEST})
             ORDER BY owner, provider, account LIMIT ?4",
            rows::SELECT
        );
        let [owner, provider, name] = account;
        found = database
            .prepare(&sql)?
            .query_map((owner, provider, name, size(limit)), |row| {
                let record = rows::read(row)?.record;
                Ok(OldSeal { position: SealPosition::Connection(record.account.clone()), record })
            })?
            .collect::<rusqlite::Result<_>>()?;
    }
    let sql = format!(
        "{QUEUED} WHERE connection > ?1 AND substr(sealed, 2, 8) <> ({NEWEST}) ORDER BY connection LIMIT ?2"
    );
    let behind = connection.map_or(&[][..], |ConnectionId(id)| id);
    let mut statement = database.prepare(&sql)?;
    let queued = statement.query_map((behind, size(limit - found.len())), |row| {
        let record = rows::read(row)?.record;
        Ok(OldSeal { position: SealPosition::Revocation(record.connection), record })
    })?;
    for seal in queued {
        found.push(seal?);
    }
    Ok(found)
}

/// Replaces each seal where it is by now: a disconnect moves it, as it is, from one table to the other.
pub(super) fn reseal(transaction: &Transaction<'_>, batch: &[NewSeal]) -> rusqlite::Result<ResealOutcome> {
    let newest = newest(transaction)?;
    if batch.iter().any(|seal| is_retired(newest, &seal.new)) {
        return Ok(ResealOutcome::Retired);
    }
    let mut resealed = 0;
    for NewSeal { account, connection, old, new } in batch {
        let [owner, provider, name] = rows::names(account);
        let mut changed = transaction
            .prepare_cached(
                "UPDATE connection SET sealed = ?1
                 WHERE owner = ?2 AND provider = ?3 AND account = ?4 AND sealed = ?5",
            )?
            .execute((&new.0, owner, provider, name, &old.0))?;
        changed += transaction
            .prepare_cached("UPDATE revocation SET sealed = ?1 WHERE connection = ?2 AND sealed = ?3")?
            .execute((&new.0, connection.0, &old.0))?;
        resealed += u64::from(changed > 0);
    }
    Ok(ResealOutcome::Resealed(resealed))
}

pub(super) const NEWEST: &str = "SELECT id FROM data_key ORDER BY position DESC LIMIT 1";

/// Empties the log of earlier pages, in which what was deleted or replaced would stay until others overwrite it.
pub(super) fn forget_log(database: &Connection) {
    let emptied = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    if let Err(error) = emptied {
        // What the caller asked for is done; somebody who reads for longer delays this, and no more.
        tracing::debug!(%error, "the store's log was not emptied");
    }
}

/// Queued revocations, in the columns of [`rows::SELECT`].
const QUEUED: &str =
    "SELECT 0 AS id, owner, provider, account, connection, sealed, refresh_digest, issued_at,
        expires_at, scopes, account_login, account_id, base_url, created_at, updated_at, 0 AS revision,
        NULL AS attempt, NULL AS holder, NULL AS kind
    FROM revocation";
