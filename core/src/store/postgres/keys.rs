//! The wrapped data keys, and the move of sealed tokens from the older ones to the newest.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::pool::{Pool, Transaction};
use super::rows;
use crate::error::Result;
use crate::store::reseal::is_retired;
use crate::store::{NewSeal, OldSeal, ResealOutcome, SealPosition, WrappedKey};

pub(super) async fn all(pool: &Pool) -> Result<Vec<WrappedKey>> {
    let sql = "SELECT id, source, salt, wrapped, created_at FROM loomkin_auth.data_key ORDER BY position";
    let rows = pool.read(sql, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(WrappedKey {
                id: rows::bytes(row, "id")?,
                source: rows::get(row, "source")?,
                salt: rows::bytes(row, "salt")?,
                wrapped: rows::get(row, "wrapped")?,
                created_at: rows::time(row, "created_at")?,
            })
        })
        .collect()
}

/// The id of the newest key, which stays the newest until the transaction ends.
///
/// The lock is one in the server's memory that writers share, so that they wait for a new key and never for each other.
/// Call this before any row is locked: a new key waits for all who have the lock, and they must not wait for one who
/// wants it.
pub(super) async fn newest(transaction: &Transaction) -> Result<Option<[u8; 8]>> {
    // Two statements, although sent at once: one that waits for a lock sees the newest key from before.
    let (kept, found) = tokio::join!(transaction.query(KEEP, &[]), transaction.query(NEWEST, &[]));
    kept?;
    found?.first().map(|row| rows::bytes(row, "id")).transpose()
}

pub(super) async fn add(transaction: &mut Transaction, key: &WrappedKey, first: bool) -> Result<bool> {
    let WrappedKey { id, source, salt, wrapped, created_at } = key;
    // Whoever stores tokens just now does it under the key that has been the newest so far, and is waited for; whoever
    // comes later sees this one. Two that add at the same moment would not see each other's key.
    transaction.query(CHANGE, &[]).await?;
    let added = transaction
        .execute(
            "INSERT INTO loomkin_auth.data_key (id, source, salt, wrapped, created_at)
             SELECT $1, $2, $3, $4, $5
             WHERE NOT EXISTS (SELECT FROM loomkin_auth.data_key WHERE $6 OR id = $1)",
            &[
                (&id.as_slice(), Type::BYTEA),
                (source, Type::TEXT),
                (&salt.as_slice(), Type::BYTEA),
                (wrapped, Type::BYTEA),
                (&created_at.unix_millis(), Type::INT8),
                (&first, Type::BOOL),
            ],
        )
        .await?;
    Ok(added == 1)
}

/// Removes the key, unless it is the newest or anything names it.
///
/// It needs no lock. One statement sees one moment, and a seal that moves between the tables is in one of them then. At
/// that moment a newer key is there, so nobody adds another seal under this one.
pub(super) async fn remove(transaction: &mut Transaction, id: [u8; 8]) -> Result<bool> {
    let sql = format!(
        "DELETE FROM loomkin_auth.data_key WHERE id = $1 AND id <> ({NEWEST})
            AND NOT EXISTS (SELECT FROM loomkin_auth.connection WHERE substring(sealed FROM 2 FOR 8) = $1)
            AND NOT EXISTS (SELECT FROM loomkin_auth.revocation WHERE substring(sealed FROM 2 FOR 8) = $1)
             AND NOT EXISTS (SELECT FROM loomkin_auth.pending_login WHERE substring(sealed FROM 2 FOR 8) = $1)
             AND NOT EXISTS (SELECT FROM loomkin_auth.credential WHERE substring(sealed FROM 2 FOR 8) = $1)"
    );
    Ok(transaction.execute(&sql, &[(&id.as_slice(), Type::BYTEA)]).await? == 1)
}

/// What does not name the newest key, behind `after`.
pub(super) async fn old_seals(
    pool: &Pool,
    after: Option<&SealPosition>,
    limit: usize,
) -> Result<Vec<OldSeal>> {
    let mut found = Vec::new();
    let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let behind = match after {
        Some(SealPosition::Revocation(connection)) => connection.0.as_slice(),
        Some(SealPosition::Connection(_)) | None => {
            let [owner, provider, name] = match after {
                Some(SealPosition::Connection(account)) => rows::names(account),
                _ => [""; 3],
            };
            let sql = format!(
                "{} AND (owner, provider, account) > ($1, $2, $3)
                    AND substring(sealed FROM 2 FOR 8) <> ({NEWEST})
                 ORDER BY owner, provider, account LIMIT $4",
                rows::SELECT
            );
            let params = [
                (&owner as _, Type::TEXT),
                (&provider as _, Type::TEXT),
                (&name as _, Type::TEXT),
                (&size(limit) as _, Type::INT8),
            ];
            for row in pool.read(&sql, &params).await? {
                let record = rows::read(&row)?.record;
                found.push(OldSeal { position: SealPosition::Connection(record.account.clone()), record });
            }
            &[]
        }
    };
    let sql = format!(
        "{QUEUED} WHERE connection > $1 AND substring(sealed FROM 2 FOR 8) <> ({NEWEST})
         ORDER BY connection LIMIT $2"
    );
    let queued: Vec<Row> =
        pool.read(&sql, &[(&behind, Type::BYTEA), (&size(limit - found.len()), Type::INT8)]).await?;
    for row in queued {
        let record = rows::read(&row)?.record;
        found.push(OldSeal { position: SealPosition::Revocation(record.connection), record });
    }
    Ok(found)
}

/// Replaces each seal where it is by now: a disconnect moves it, as it is, from one table to the other. The batch is in
/// the order of [`old_seals`], and all connections come before all revocations, so that nobody waits in a circle.
pub(super) async fn reseal(transaction: &mut Transaction, batch: &[NewSeal]) -> Result<ResealOutcome> {
    let newest = newest(transaction).await?;
    if batch.iter().any(|seal| is_retired(newest, &seal.new)) {
        return Ok(ResealOutcome::Retired);
    }
    let mut resealed = 0;
    let mut elsewhere = Vec::new();
    for seal in batch {
        let NewSeal { account, old, new, .. } = seal;
        let [owner, provider, name] = rows::names(account);
        let in_connections = transaction
            .execute(
                "UPDATE loomkin_auth.connection SET sealed = $1
                 WHERE owner = $2 AND provider = $3 AND account = $4 AND sealed = $5",
                &[
                    (&new.0, Type::BYTEA),
                    (&owner, Type::TEXT),
                    (&provider, Type::TEXT),
                    (&name, Type::TEXT),
                    (&old.0, Type::BYTEA),
                ],
            )
            .await?;
        if in_connections == 0 {
            elsewhere.push(seal);
        }
        resealed += in_connections;
    }
    elsewhere.sort_by_key(|seal| seal.connection.0);
    for NewSeal { connection, old, new, .. } in elsewhere {
        resealed += transaction
            .execute(
                "UPDATE loomkin_auth.revocation SET sealed = $1 WHERE connection = $2 AND sealed = $3",
                &[(&new.0, Type::BYTEA), (&connection.0.as_slice(), Type::BYTEA), (&old.0, Type::BYTEA)],
            )
            .await?;
    }
    Ok(ResealOutcome::Resealed(resealed))
}

/// Two locks that know each other, until the transaction ends: many may keep the newest key, one may change it.
const KEEP: &str = "SELECT pg_catalog.pg_advisory_xact_lock_shared(1282228597, 3)";
const CHANGE: &str = "SELECT pg_catalog.pg_advisory_xact_lock(1282228597, 3)";

pub(super) const NEWEST: &str = "SELECT id FROM loomkin_auth.data_key ORDER BY position DESC LIMIT 1";

/// Queued revocations, in the columns of [`rows::SELECT`].
const QUEUED: &str = "SELECT 0::int8 AS id, owner, provider, account, connection, sealed, refresh_digest,
        issued_at, expires_at, scopes, account_login, account_id, base_url, created_at, updated_at,
        0::int8 AS revision, NULL::bytea AS attempt, NULL::text AS kind,
        loomkin_auth.clock() AS now
    FROM loomkin_auth.revocation";
