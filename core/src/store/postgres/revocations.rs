//! The queue of revocations: its statements, and its face.

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::pool::{Param, Transaction};
use super::{PostgresStore, fault, keys, rows, transactions};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::reseal::is_retired;
use crate::store::{
    ConnectionId, NewConnection, QueueOutcome, Record, Revocation, RevocationQueue, RevocationTerms,
};

#[async_trait]
impl RevocationQueue for PostgresStore {
    async fn queue_revocation(&self, record: Record, terms: RevocationTerms) -> Result<QueueOutcome> {
        let revocation = Revocation::new(record, terms, transactions::now(&self.0.pool).await?);
        let mut transaction = self.begin().await?;
        if is_retired(keys::newest(&transaction).await?, &revocation.record.sealed) {
            return Ok(QueueOutcome::Retired);
        }
        if !may_queue(&transaction, &revocation.record).await? {
            return Ok(QueueOutcome::GrantLivesOn);
        }
        let attempts = write(&mut transaction, &revocation).await?;
        self.finish(transaction).await?;
        Ok(QueueOutcome::Queued(Box::new(Revocation { attempts, ..revocation })))
    }

    async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>> {
        let (moment, connection) = after.map_or((i64::MIN, [0; 16]), |last| {
            (last.next_attempt_at.unix_millis(), last.record.connection.0)
        });
        let sql = format!(
            "SELECT {COLUMNS} FROM loomkin_auth.revocation
             WHERE (next_attempt_at, connection) > ($1, $2)
             ORDER BY next_attempt_at, connection LIMIT $3"
        );
        let params: [Param<'_>; 3] =
            [(&moment, Type::INT8), (&connection.as_slice(), Type::BYTEA), (&i64::from(limit), Type::INT8)];
        self.0.pool.read(&sql, &params).await?.iter().map(read).collect()
    }

    async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM loomkin_auth.revocation WHERE owner = $1
             ORDER BY next_attempt_at, connection"
        );
        self.0.pool.read(&sql, &[(&owner.as_str(), Type::TEXT)]).await?.iter().map(read).collect()
    }

    async fn take_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        let sql = format!(
            "UPDATE loomkin_auth.revocation
             SET attempts = attempts + 1, next_attempt_at = loomkin_auth.clock() + $3
             WHERE connection = $1 AND attempts = $2 RETURNING {COLUMNS}"
        );
        let mut transaction = self.begin().await?;
        let params: [Param<'_>; 3] = [
            (&connection.0.as_slice(), Type::BYTEA),
            (&i64::from(attempts), Type::INT8),
            (&millis(lease), Type::INT8),
        ];
        let taken = transaction.change(&sql, &params).await?.first().map(read).transpose()?;
        self.finish(transaction).await?;
        Ok(taken)
    }

    async fn postpone_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        wait: Duration,
    ) -> Result<()> {
        let sql = "UPDATE loomkin_auth.revocation SET next_attempt_at = loomkin_auth.clock() + $3
            WHERE connection = $1 AND attempts = $2";
        let mut transaction = self.begin().await?;
        let params: [Param<'_>; 3] = [
            (&connection.0.as_slice(), Type::BYTEA),
            (&i64::from(attempts), Type::INT8),
            (&millis(wait), Type::INT8),
        ];
        transaction.execute(sql, &params).await?;
        self.finish(transaction).await
    }

    async fn settle_revocation(&self, connection: ConnectionId, attempts: u32) -> Result<bool> {
        let sql = "DELETE FROM loomkin_auth.revocation WHERE connection = $1 AND attempts = $2";
        let mut transaction = self.begin().await?;
        let params: [Param<'_>; 2] =
            [(&connection.0.as_slice(), Type::BYTEA), (&i64::from(attempts), Type::INT8)];
        let settled = transaction.execute(sql, &params).await?;
        self.finish(transaction).await?;
        Ok(settled == 1)
    }
}

/// Writes `revocation` over what is queued of its connection, and returns its count.
pub(super) async fn write(transaction: &mut Transaction, revocation: &Revocation) -> Result<u32> {
    let Record { account, connection, columns, sealed, refresh_digest, updated_at, .. } = &revocation.record;
    let [owner, provider, name] = rows::names(account);
    let rows = transaction
        .change(
            "INSERT INTO loomkin_auth.revocation AS queued (connection, owner, provider, account, sealed,
                refresh_digest, issued_at, expires_at, scopes, account_login, account_id, base_url, created_at,
                updated_at, attempts, next_attempt_at, until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
             ON CONFLICT (connection) DO UPDATE SET sealed = excluded.sealed,
                refresh_digest = excluded.refresh_digest, issued_at = excluded.issued_at,
                expires_at = excluded.expires_at, scopes = excluded.scopes,
                account_login = excluded.account_login, account_id = excluded.account_id,
                base_url = excluded.base_url, created_at = excluded.created_at,
                updated_at = excluded.updated_at, attempts = queued.attempts + 1,
                next_attempt_at = excluded.next_attempt_at, until = excluded.until
             RETURNING queued.attempts",
            &[
                (&connection.0.as_slice(), Type::BYTEA),
                (&owner, Type::TEXT),
                (&provider, Type::TEXT),
                (&name, Type::TEXT),
                (&sealed.0, Type::BYTEA),
                (&refresh_digest.as_ref().map(|digest| digest.0.as_slice()), Type::BYTEA),
                (&columns.issued_at.unix_millis(), Type::INT8),
                (&columns.expires_at.map(Timestamp::unix_millis), Type::INT8),
                (&rows::scopes_text(columns), Type::TEXT),
                (&columns.account_login, Type::TEXT),
                (&columns.account_id, Type::TEXT),
                (&columns.base_url, Type::TEXT),
                (&columns.created_at.unix_millis(), Type::INT8),
                (&updated_at.unix_millis(), Type::INT8),
                (&i64::from(revocation.attempts), Type::INT8),
                (&revocation.next_attempt_at.unix_millis(), Type::INT8),
                (&revocation.until.unix_millis(), Type::INT8),
            ],
        )
        .await?;
    attempts(rows.first().ok_or_else(fault::damaged)?)
}

/// Deletes the revocations that could end the grant of `login`. Two logins that delete the same ones lock them in one
/// order.
pub(super) async fn cancel(transaction: &mut Transaction, login: &NewConnection) -> Result<()> {
    let [owner, provider, name] = rows::names(&login.account);
    transaction
        .execute(
            "DELETE FROM loomkin_auth.revocation WHERE connection IN (
                SELECT connection FROM loomkin_auth.revocation
                WHERE owner = $1 AND provider = $2 AND (account = $3 OR account_id = $4)
                ORDER BY connection FOR UPDATE)",
            &[
                (&owner, Type::TEXT),
                (&provider, Type::TEXT),
                (&name, Type::TEXT),
                (&login.columns.account_id, Type::TEXT),
            ],
        )
        .await
        .map(drop)
}

/// Whether `record`, which came late, is to be revoked: what is queued is, and anything else unless its grant is to
/// live on.
async fn may_queue(transaction: &Transaction, record: &Record) -> Result<bool> {
    lock(transaction, &record.account).await?;
    let [owner, provider, name] = rows::names(&record.account);
    let rows = transaction
        .query(
            "SELECT EXISTS (SELECT FROM loomkin_auth.revocation WHERE connection = $5)
                OR NOT EXISTS (SELECT FROM loomkin_auth.connection WHERE owner = $1 AND provider = $2
                    AND (account = $3 AND (sealed IS NOT NULL OR keeps_grant) OR account_id = $4)) AS may",
            &[
                (&owner, Type::TEXT),
                (&provider, Type::TEXT),
                (&name, Type::TEXT),
                (&record.columns.account_id, Type::TEXT),
                (&record.connection.0.as_slice(), Type::BYTEA),
            ],
        )
        .await?;
    rows::get(rows.first().ok_or_else(fault::damaged)?, "may")
}

/// Keeps a login of `account` from being stored until the transaction ends.
async fn lock(transaction: &Transaction, account: &AccountKey) -> Result<()> {
    let [owner, provider, name] = rows::names(account);
    let sql = "SELECT FROM loomkin_auth.connection
        WHERE owner = $1 AND provider = $2 AND account = $3 FOR UPDATE";
    let names: [Param<'_>; 3] = [(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)];
    transaction.query(sql, &names).await.map(drop)
}

fn read(row: &Row) -> Result<Revocation> {
    Ok(Revocation {
        record: rows::connection(row)?,
        attempts: attempts(row)?,
        next_attempt_at: rows::time(row, "next_attempt_at")?,
        until: rows::time(row, "until")?,
    })
}

fn attempts(row: &Row) -> Result<u32> {
    rows::get::<i64>(row, "attempts")?.try_into().map_err(|_| fault::damaged())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

const COLUMNS: &str =
    "connection, owner, provider, account, sealed, refresh_digest, issued_at, expires_at, scopes,
    account_login, account_id, base_url, created_at, updated_at, attempts, next_attempt_at, until";
