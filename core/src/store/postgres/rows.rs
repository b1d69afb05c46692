//! Records as rows, and rows as records.

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::fault;
use super::pool::{Param, Pool, Transaction};
use crate::account::{AccountKey, AccountName, Owner, ProviderId};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::{
    AttemptId, Claim, Columns, Commit, ConnectionId, Disconnect, Expiring, Failure, FailureKind,
    NewConnection, Record, SealedTokens, TokenDigest, TombstoneId,
};

/// A record with what only this backend knows of it.
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) record: Record,
    /// When it was read, by the database's clock.
    pub(super) now: Timestamp,
}

/// The connection of `account`; a tombstone is none.
pub(super) async fn find(pool: &Pool, account: &AccountKey) -> Result<Option<Record>> {
    let sql = format!("{SELECT} AND owner = $1 AND provider = $2 AND account = $3");
    let [owner, provider, name] = names(account);
    let rows = pool.read(&sql, &[(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)]).await?;
    rows.first().map(|row| Ok(read(row)?.record)).transpose()
}

/// The connection of `account`, which nobody else can change until the transaction ends.
pub(super) async fn find_locked(transaction: &Transaction, account: &AccountKey) -> Result<Option<Found>> {
    let [owner, provider, name] = names(account);
    let names: [Param<'_>; 3] = [(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)];
    let lock = "SELECT FROM loomkin_auth.connection
        WHERE owner = $1 AND provider = $2 AND account = $3 AND sealed IS NOT NULL FOR UPDATE";
    let read_it = format!("{SELECT} AND owner = $1 AND provider = $2 AND account = $3");
    // Two statements, although sent at once: one that waits for a lock sees the claim, and the time, from before.
    let (locked, rows) = tokio::join!(transaction.query(lock, &names), transaction.query(&read_it, &names));
    // What appeared after the first is not locked.
    if locked?.is_empty() {
        return Ok(None);
    }
    rows?.first().map(read).transpose()
}

/// All connections of `owner`, sorted.
pub(super) async fn list(pool: &Pool, owner: &Owner) -> Result<Vec<Record>> {
    let sql = format!("{SELECT} AND owner = $1 ORDER BY provider, account");
    let rows = pool.read(&sql, &[(&owner.as_str(), Type::TEXT)]).await?;
    rows.iter().map(|row| Ok(read(row)?.record)).collect()
}

/// What ends before `before`, behind `after`, sorted.
pub(super) async fn expiring(
    pool: &Pool,
    before: Timestamp,
    after: Option<&Expiring>,
    limit: u32,
) -> Result<Vec<Expiring>> {
    let [owner, provider, name] = after.map_or([""; 3], |after| names(&after.account));
    let params: [Param<'_>; 6] = [
        (&before.unix_millis(), Type::INT8),
        (&after.map_or(i64::MIN, |after| after.expires_at.unix_millis()), Type::INT8),
        (&owner, Type::TEXT),
        (&provider, Type::TEXT),
        (&name, Type::TEXT),
        (&i64::from(limit), Type::INT8),
    ];
    let rows = pool.read(EXPIRING, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Expiring {
                account: account(row)?,
                connection: ConnectionId(bytes(row, "connection")?),
                revision: get::<i64>(row, "revision")?.try_into().map_err(|_| fault::damaged())?,
                issued_at: time(row, "issued_at")?,
                expires_at: time(row, "expires_at")?,
                failure: failure(row)?,
            })
        })
        .collect()
}

/// Writes a login over whatever the account has, unless that is a tombstone which closes it. Says whether it did.
pub(super) async fn replace(transaction: &mut Transaction, login: &NewConnection) -> Result<bool> {
    let NewConnection { account, connection, columns, sealed, refresh_digest, begun_after } = login;
    let tombstone = begun_after.as_ref().and_then(|latest| latest.0.as_ref());
    let [owner, provider, name] = names(account);
    let created_at = columns.created_at.unix_millis();
    let rows = transaction
        .change(
            "INSERT INTO loomkin_auth.connection (owner, provider, account, connection, sealed, refresh_digest,
                issued_at, expires_at, scopes, account_login, account_id, base_url, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
             ON CONFLICT (owner, provider, account) DO UPDATE SET connection = excluded.connection,
                sealed = excluded.sealed, refresh_digest = excluded.refresh_digest,
                issued_at = excluded.issued_at, expires_at = excluded.expires_at, scopes = excluded.scopes,
                account_login = excluded.account_login, account_id = excluded.account_id,
                base_url = excluded.base_url, created_at = excluded.created_at,
                updated_at = excluded.updated_at, disconnected_at = NULL,
                revision = 0
             WHERE connection.sealed IS NOT NULL OR $14 OR connection.connection = $15
             RETURNING id",
            &[
                (&owner, Type::TEXT),
                (&provider, Type::TEXT),
                (&name, Type::TEXT),
                (&connection.0.as_slice(), Type::BYTEA),
                (&sealed.0, Type::BYTEA),
                (&refresh_digest.as_ref().map(|digest| digest.0.as_slice()), Type::BYTEA),
                (&columns.issued_at.unix_millis(), Type::INT8),
                (&columns.expires_at.map(Timestamp::unix_millis), Type::INT8),
                (&scopes_text(columns), Type::TEXT),
                (&columns.account_login, Type::TEXT),
                (&columns.account_id, Type::TEXT),
                (&columns.base_url, Type::TEXT),
                (&created_at, Type::INT8),
                (&begun_after.is_none(), Type::BOOL),
                (&tombstone.map(|tombstone| tombstone.0.as_slice()), Type::BYTEA),
            ],
        )
        .await?;
    let Some(row) = rows.first() else { return Ok(false) };
    clear(transaction, get(row, "id")?).await?;
    Ok(true)
}

/// Writes the answer to a refresh into the connection `id`, whose row is locked by then, ends the claim and forgets the
/// failure. One statement, because a pool with much to do feels each.
pub(super) async fn renew(transaction: &mut Transaction, id: i64, commit: &Commit) -> Result<()> {
    let columns = &commit.columns;
    transaction
        .execute(
            "WITH ended AS (DELETE FROM loomkin_auth.claim WHERE connection_id = $1),
                forgotten AS (DELETE FROM loomkin_auth.failure WHERE connection_id = $1)
             UPDATE loomkin_auth.connection SET sealed = $2, refresh_digest = $3, issued_at = $4,
                expires_at = $5, scopes = $6, account_login = $7, account_id = $8, base_url = $9,
                created_at = $10, updated_at = $11, revision = revision + 1
             WHERE id = $1",
            &[
                (&id, Type::INT8),
                (&commit.sealed.0, Type::BYTEA),
                (&commit.refresh_digest.0.as_slice(), Type::BYTEA),
                (&columns.issued_at.unix_millis(), Type::INT8),
                (&columns.expires_at.map(Timestamp::unix_millis), Type::INT8),
                (&scopes_text(columns), Type::TEXT),
                (&columns.account_login, Type::TEXT),
                (&columns.account_id, Type::TEXT),
                (&columns.base_url, Type::TEXT),
                (&columns.created_at.unix_millis(), Type::INT8),
                (&commit.updated_at.unix_millis(), Type::INT8),
            ],
        )
        .await
        .map(drop)
}

/// Makes sure that `account` has a row, be it a tombstone, and keeps everybody else from it until the transaction ends.
pub(super) async fn lock(
    transaction: &mut Transaction,
    account: &AccountKey,
    tombstone: TombstoneId,
) -> Result<()> {
    let [owner, provider, name] = names(account);
    transaction
        .execute(
            "INSERT INTO loomkin_auth.connection (owner, provider, account, connection, disconnected_at)
             VALUES ($1, $2, $3, $4, loomkin_auth.clock())
             ON CONFLICT (owner, provider, account) DO UPDATE SET owner = excluded.owner",
            &[
                (&owner, Type::TEXT),
                (&provider, Type::TEXT),
                (&name, Type::TEXT),
                (&tombstone.0.as_slice(), Type::BYTEA),
            ],
        )
        .await
        .map(drop)
}

/// Leaves of what `account` has what answers a late commit and closes a login, and nothing else.
pub(super) async fn bury(
    transaction: &mut Transaction,
    account: &AccountKey,
    disconnect: &Disconnect,
) -> Result<()> {
    let [owner, provider, name] = names(account);
    let rows = transaction
        .change(
            "UPDATE loomkin_auth.connection SET connection = $4, sealed = NULL, refresh_digest = NULL,
                issued_at = NULL, expires_at = NULL, scopes = NULL, account_login = NULL, account_id = NULL,
                base_url = NULL, created_at = NULL, updated_at = NULL,
                disconnected_at = loomkin_auth.clock(), keeps_grant = $5
             WHERE owner = $1 AND provider = $2 AND account = $3
             RETURNING id",
            &[
                (&owner, Type::TEXT),
                (&provider, Type::TEXT),
                (&name, Type::TEXT),
                (&disconnect.tombstone.0.as_slice(), Type::BYTEA),
                (&disconnect.revocation.is_none(), Type::BOOL),
            ],
        )
        .await?;
    clear(transaction, get(rows.first().ok_or_else(fault::damaged)?, "id")?).await
}

/// Writes the claim of the connection `id`.
pub(super) async fn write_claim(transaction: &mut Transaction, id: i64, claim: Claim) -> Result<()> {
    transaction
        .execute(
            "INSERT INTO loomkin_auth.claim (connection_id, attempt, presented, deadline)
             VALUES ($1, $2, $3, $4) ON CONFLICT (connection_id) DO UPDATE SET attempt = excluded.attempt,
                presented = excluded.presented, deadline = excluded.deadline",
            &[
                (&id, Type::INT8),
                (&claim.attempt.0.as_slice(), Type::BYTEA),
                (&claim.presented.0.as_slice(), Type::BYTEA),
                (&claim.deadline.unix_millis(), Type::INT8),
            ],
        )
        .await
        .map(drop)
}

/// Ends the claim of the connection `id`.
pub(super) async fn end_claim(transaction: &mut Transaction, id: i64) -> Result<()> {
    let sql = "DELETE FROM loomkin_auth.claim WHERE connection_id = $1";
    transaction.execute(sql, &[(&id, Type::INT8)]).await.map(drop)
}

/// Writes the failure of the connection `id`.
pub(super) async fn write_failure(transaction: &mut Transaction, id: i64, failure: Failure) -> Result<()> {
    transaction
        .execute(
            "INSERT INTO loomkin_auth.failure (connection_id, kind, presented, in_a_row, at, next_attempt_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (connection_id) DO UPDATE SET kind = excluded.kind,
                presented = excluded.presented, in_a_row = excluded.in_a_row, at = excluded.at,
                next_attempt_at = excluded.next_attempt_at",
            &[
                (&id, Type::INT8),
                (&failure.kind.to_text(), Type::TEXT),
                (&failure.presented.0.as_slice(), Type::BYTEA),
                (&i64::from(failure.in_a_row), Type::INT8),
                (&failure.at.unix_millis(), Type::INT8),
                (&failure.next_attempt_at.map(Timestamp::unix_millis), Type::INT8),
            ],
        )
        .await
        .map(drop)
}

/// The account's names, in the order of the columns.
pub(super) fn names(account: &AccountKey) -> [&str; 3] {
    [account.owner.as_str(), account.provider.as_str(), account.account.as_str()]
}

/// Reads the account that the columns `owner`, `provider` and `account` name.
pub(super) fn account(row: &Row) -> Result<AccountKey> {
    let damaged = |_| fault::damaged();
    Ok(AccountKey {
        owner: Owner::new(get::<String>(row, "owner")?).map_err(damaged)?,
        provider: ProviderId::new(get::<String>(row, "provider")?).map_err(damaged)?,
        account: AccountName::new(get::<String>(row, "account")?).map_err(damaged)?,
    })
}

/// The value of a column.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T> {
    row.try_get(column).map_err(|_| fault::damaged())
}

/// The bytes of a column that has exactly so many.
pub(super) fn bytes<const N: usize>(row: &Row, column: &str) -> Result<[u8; N]> {
    get::<&[u8]>(row, column)?.try_into().map_err(|_| fault::damaged())
}

/// The moment of a column.
pub(super) fn time(row: &Row, column: &str) -> Result<Timestamp> {
    get(row, column).map(Timestamp::from_unix_millis)
}

/// Reads the columns that are written with the tokens.
pub(super) fn connection(row: &Row) -> Result<Record> {
    let mut columns = Columns::new(time(row, "issued_at")?, time(row, "created_at")?);
    columns.expires_at = time_if(row, "expires_at")?;
    columns.scopes = serde_json::from_str(get(row, "scopes")?).map_err(|_| fault::damaged())?;
    columns.account_login = get(row, "account_login")?;
    columns.account_id = get(row, "account_id")?;
    columns.base_url = get(row, "base_url")?;
    let mut record = Record::from_login(NewConnection {
        account: account(row)?,
        connection: ConnectionId(bytes(row, "connection")?),
        columns,
        sealed: SealedTokens(get(row, "sealed")?),
        refresh_digest: if has(row, "refresh_digest")? {
            Some(TokenDigest(bytes(row, "refresh_digest")?))
        } else {
            None
        },
        begun_after: None,
    });
    record.updated_at = time(row, "updated_at")?;
    Ok(record)
}

fn time_if(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_unix_millis))
}

fn has(row: &Row, column: &str) -> Result<bool> {
    Ok(get::<Option<&[u8]>>(row, column)?.is_some())
}

/// Ends the claim and forgets the failure. The row of the connection is locked by then, by an earlier statement: one
/// that has waited for the lock itself does not see the newest claim.
async fn clear(transaction: &mut Transaction, id: i64) -> Result<()> {
    let sql = "WITH ended AS (DELETE FROM loomkin_auth.claim WHERE connection_id = $1)
        DELETE FROM loomkin_auth.failure WHERE connection_id = $1";
    transaction.execute(sql, &[(&id, Type::INT8)]).await.map(drop)
}

/// Reads a row with the columns of [`SELECT`].
pub(super) fn read(row: &Row) -> Result<Found> {
    let mut record = connection(row)?;
    record.revision = get::<i64>(row, "revision")?.try_into().map_err(|_| fault::damaged())?;
    if has(row, "attempt")? {
        record.claim = Some(Claim {
            attempt: AttemptId(bytes(row, "attempt")?),
            presented: TokenDigest(bytes(row, "claim_presented")?),
            deadline: time(row, "deadline")?,
        });
    }
    record.failure = failure(row)?;
    Ok(Found { id: get(row, "id")?, record, now: time(row, "now")? })
}

fn failure(row: &Row) -> Result<Option<Failure>> {
    let Some(kind) = get::<Option<&str>>(row, "kind")? else { return Ok(None) };
    Ok(Some(Failure {
        kind: FailureKind::from_text(kind),
        presented: TokenDigest(bytes(row, "failure_presented")?),
        in_a_row: get::<i64>(row, "in_a_row")?.try_into().map_err(|_| fault::damaged())?,
        at: time(row, "at")?,
        next_attempt_at: time_if(row, "next_attempt_at")?,
    }))
}

/// The scopes as JSON: a scope of a server that ignores RFC 6749 §3.3 may hold any character.
pub(super) fn scopes_text(columns: &Columns) -> String {
    serde_json::Value::from(columns.scopes.clone()).to_string()
}

/// All connections; conditions may be added.
pub(super) const SELECT: &str =
    "SELECT connection.id, owner, provider, account, connection, sealed, refresh_digest, issued_at,
        expires_at, scopes, account_login, account_id, base_url, created_at, updated_at, revision,
        attempt, claim.presented AS claim_presented, deadline,
        kind, failure.presented AS failure_presented, in_a_row, at, next_attempt_at,
        loomkin_auth.clock() AS now
    FROM loomkin_auth.connection
    LEFT JOIN loomkin_auth.claim ON claim.connection_id = connection.id
    LEFT JOIN loomkin_auth.failure ON failure.connection_id = connection.id
    WHERE sealed IS NOT NULL";

/// In the order of the index `expiring`. A kind of failure that a later version made up is left to that version.
const EXPIRING: &str = "
    SELECT owner, provider, account, connection, revision, issued_at, expires_at,
        kind, presented AS failure_presented, in_a_row, at, next_attempt_at
    FROM loomkin_auth.connection
    LEFT JOIN loomkin_auth.failure ON connection_id = connection.id AND presented = refresh_digest
    WHERE refresh_digest IS NOT NULL AND expires_at IS NOT NULL AND expires_at < $1
        AND (expires_at, owner, provider, account) > ($2, $3, $4, $5)
        AND (kind IS NULL OR kind IN ('refused', 'unknown'))
    ORDER BY expires_at, owner, provider, account LIMIT $6";
