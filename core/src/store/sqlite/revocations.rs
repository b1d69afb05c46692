//! The queue of revocations: its statements, and its face.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::{SqliteStore, keys, rows};
use crate::account::Owner;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::reseal::is_retired;
use crate::store::{
    ConnectionId, NewConnection, QueueOutcome, Record, Revocation, RevocationQueue, RevocationTerms,
};

#[async_trait]
impl RevocationQueue for SqliteStore {
    async fn queue_revocation(&self, record: Record, terms: RevocationTerms) -> Result<QueueOutcome> {
        let revocation = Revocation::new(record, terms, self.0.clock.now());
        self.write(move |transaction| {
            if is_retired(keys::newest(transaction)?, &revocation.record.sealed) {
                return Ok(QueueOutcome::Retired);
            }
            if !may_queue(transaction, &revocation.record)? {
                return Ok(QueueOutcome::GrantLivesOn);
            }
            let attempts = write(transaction, &revocation)?;
            Ok(QueueOutcome::Queued(Box::new(Revocation { attempts, ..revocation })))
        })
        .await
    }

    async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>> {
        let (moment, connection) = after.map_or((i64::MIN, [0; 16]), |last| {
            (last.next_attempt_at.unix_millis(), last.record.connection.0)
        });
        self.read(move |database| {
            database
                .prepare_cached(&format!(
                    "{SELECT} WHERE (next_attempt_at, connection) > (?1, ?2)
                     ORDER BY next_attempt_at, connection LIMIT ?3"
                ))?
                .query_map((moment, connection, limit), read)?
                .collect()
        })
        .await
    }

    async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>> {
        let owner = owner.clone();
        self.read(move |database| {
            database
                .prepare_cached(&format!("{SELECT} WHERE owner = ?1 ORDER BY next_attempt_at, connection"))?
                .query_map([owner.as_str()], read)?
                .collect()
        })
        .await
    }

    async fn take_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        let clock = Arc::clone(&self.0.clock);
        self.write(move |transaction| {
            // Read inside the transaction: the wait for it may have been long.
            let until = clock.now().plus(lease);
            let taken = transaction
                .prepare_cached(
                    "UPDATE revocation SET attempts = attempts + 1, next_attempt_at = ?3
                     WHERE connection = ?1 AND attempts = ?2",
                )?
                .execute((connection.0, attempts, until.unix_millis()))?;
            if taken == 0 {
                return Ok(None);
            }
            let sql = format!("{SELECT} WHERE connection = ?1");
            transaction.prepare_cached(&sql)?.query_row([connection.0], read).optional()
        })
        .await
    }

    async fn postpone_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        wait: Duration,
    ) -> Result<()> {
        let next = self.0.clock.now().plus(wait);
        self.write(move |transaction| {
            let sql = "UPDATE revocation SET next_attempt_at = ?3 WHERE connection = ?1 AND attempts = ?2";
            transaction.prepare_cached(sql)?.execute((connection.0, attempts, next.unix_millis())).map(drop)
        })
        .await
    }

    async fn settle_revocation(&self, connection: ConnectionId, attempts: u32) -> Result<bool> {
        self.write(move |transaction| {
            let sql = "DELETE FROM revocation WHERE connection = ?1 AND attempts = ?2";
            Ok(transaction.prepare_cached(sql)?.execute((connection.0, attempts))? == 1)
        })
        .await
    }
}

/// Writes `revocation` over what is queued of its connection, and returns its count.
pub(super) fn write(transaction: &Transaction<'_>, revocation: &Revocation) -> rusqlite::Result<u32> {
    let Record { account, connection, columns, sealed, refresh_digest, updated_at, .. } = &revocation.record;
    transaction
        .prepare_cached(
            "INSERT INTO revocation (connection, owner, provider, account, sealed, refresh_digest, issued_at,
                expires_at, scopes, account_login, account_id, base_url, created_at, updated_at, attempts,
                next_attempt_at, until)
             VALUES (:connection, :owner, :provider, :account, :sealed, :refresh_digest, :issued_at,
                :expires_at, :scopes, :account_login, :account_id, :base_url, :created_at, :updated_at,
                :attempts, :next_attempt_at, :until)
             ON CONFLICT DO UPDATE SET sealed = excluded.sealed, refresh_digest = excluded.refresh_digest,
                issued_at = excluded.issued_at, expires_at = excluded.expires_at, scopes = excluded.scopes,
                account_login = excluded.account_login, account_id = excluded.account_id,
                base_url = excluded.base_url, created_at = excluded.created_at,
                updated_at = excluded.updated_at, attempts = attempts + 1,
                next_attempt_at = excluded.next_attempt_at, until = excluded.until
             RETURNING attempts",
        )?
        .query_row(
            named_params! {
                ":connection": connection.0,
                ":owner": account.owner.as_str(),
                ":provider": account.provider.as_str(),
                ":account": account.account.as_str(),
                ":sealed": sealed.0,
                ":refresh_digest": refresh_digest.map(|digest| digest.0),
                ":issued_at": columns.issued_at.unix_millis(),
                ":expires_at": columns.expires_at.map(Timestamp::unix_millis),
                ":scopes": rows::scopes_text(columns),
                ":account_login": columns.account_login,
                ":account_id": columns.account_id,
                ":base_url": columns.base_url,
                ":created_at": columns.created_at.unix_millis(),
                ":updated_at": updated_at.unix_millis(),
                ":attempts": revocation.attempts,
                ":next_attempt_at": revocation.next_attempt_at.unix_millis(),
                ":until": revocation.until.unix_millis(),
            },
            |row| row.get(0),
        )
}

/// Deletes the revocations that could end the grant of `login`.
pub(super) fn cancel(transaction: &Transaction<'_>, login: &NewConnection) -> rusqlite::Result<()> {
    let [owner, provider, account] = rows::names(&login.account);
    transaction
        .prepare_cached(
            "DELETE FROM revocation
             WHERE owner = ?1 AND provider = ?2 AND (account = ?3 OR account_id = ?4)",
        )?
        .execute((owner, provider, account, &login.columns.account_id))?;
    Ok(())
}

/// Whether `record`, which came late, is to be revoked: what is queued is, and anything else unless its grant is to
/// live on.
fn may_queue(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<bool> {
    let [owner, provider, account] = rows::names(&record.account);
    transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM revocation WHERE connection = ?5)
                OR NOT EXISTS (SELECT 1 FROM connection WHERE owner = ?1 AND provider = ?2
                    AND (account = ?3 AND (sealed IS NOT NULL OR keeps_grant) OR account_id = ?4))",
        )?
        .query_row((owner, provider, account, &record.columns.account_id, record.connection.0), |row| {
            row.get(0)
        })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    Ok(Revocation {
        record: rows::connection(row)?,
        attempts: row.get("attempts")?,
        next_attempt_at: rows::time(row, "next_attempt_at")?,
        until: rows::time(row, "until")?,
    })
}

const SELECT: &str =
    "SELECT connection, owner, provider, account, sealed, refresh_digest, issued_at, expires_at,
        scopes, account_login, account_id, base_url, created_at, updated_at, attempts, next_attempt_at, until
    FROM revocation";
