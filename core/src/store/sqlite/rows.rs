//! Records as rows, and rows as records.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::holder::HolderId;
use crate::account::{AccountKey, AccountName, Owner, ProviderId};
use crate::clock::Timestamp;
use crate::store::{
    AttemptId, Claim, Columns, Commit, ConnectionId, Failure, FailureKind, NewConnection, Record,
    SealedTokens, TokenDigest,
};

/// A record with what only this backend knows of it.
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) record: Record,
    pub(super) holder: Option<HolderId>,
}

/// The connection of `account`; a tombstone is none.
pub(super) fn find(database: &Connection, account: &AccountKey) -> rusqlite::Result<Option<Found>> {
    database
        .prepare_cached(&format!("{SELECT} AND owner = ?1 AND provider = ?2 AND account = ?3"))?
        .query_row(names(account), read)
        .optional()
}

/// All connections of `owner`, sorted.
pub(super) fn list(database: &Connection, owner: &Owner) -> rusqlite::Result<Vec<Record>> {
    database
        .prepare_cached(&format!("{SELECT} AND owner = ?1 ORDER BY provider, account"))?
        .query_map([owner.as_str()], |row| Ok(read(row)?.record))?
        .collect()
}

/// Writes a login over whatever the account has.
pub(super) fn replace(database: &Connection, login: &NewConnection) -> rusqlite::Result<()> {
    let NewConnection { account, connection, columns, sealed, refresh_digest } = login;
    let id: i64 = database
        .prepare_cached(
            "INSERT INTO connection (owner, provider, account, connection, sealed, refresh_digest, issued_at,
                expires_at, scopes, account_login, account_id, base_url, created_at, updated_at)
             VALUES (:owner, :provider, :account, :connection, :sealed, :refresh_digest, :issued_at,
                :expires_at, :scopes, :account_login, :account_id, :base_url, :created_at, :created_at)
             ON CONFLICT DO UPDATE SET connection = excluded.connection, sealed = excluded.sealed,
                refresh_digest = excluded.refresh_digest, issued_at = excluded.issued_at,
                expires_at = excluded.expires_at, scopes = excluded.scopes,
                account_login = excluded.account_login, account_id = excluded.account_id,
                base_url = excluded.base_url, created_at = excluded.created_at,
                updated_at = excluded.updated_at, disconnected_at = NULL
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":owner": account.owner.as_str(),
                ":provider": account.provider.as_str(),
                ":account": account.account.as_str(),
                ":connection": connection.0,
                ":sealed": sealed.0,
                ":refresh_digest": refresh_digest.map(|digest| digest.0),
                ":issued_at": columns.issued_at.unix_millis(),
                ":expires_at": columns.expires_at.map(Timestamp::unix_millis),
                ":scopes": scopes_text(columns),
                ":account_login": columns.account_login,
                ":account_id": columns.account_id,
                ":base_url": columns.base_url,
                ":created_at": columns.created_at.unix_millis(),
            },
            |row| row.get(0),
        )?;
    clear(database, id).map(drop)
}

/// Writes the answer to a refresh into its connection, and returns that one's id; `None` where the fence stops it.
pub(super) fn renew(database: &Connection, commit: &Commit) -> rusqlite::Result<Option<i64>> {
    let (account, columns) = (&commit.account, &commit.columns);
    database
        .prepare_cached(
            "UPDATE connection SET sealed = :sealed, refresh_digest = :refresh_digest,
                issued_at = :issued_at, expires_at = :expires_at, scopes = :scopes,
                account_login = :account_login, account_id = :account_id, base_url = :base_url,
                created_at = :created_at, updated_at = :updated_at
             WHERE owner = :owner AND provider = :provider AND account = :account
                AND sealed IS NOT NULL AND connection = :connection AND refresh_digest = :presented
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":owner": account.owner.as_str(),
                ":provider": account.provider.as_str(),
                ":account": account.account.as_str(),
                ":connection": commit.connection.0,
                ":presented": commit.presented.0,
                ":sealed": commit.sealed.0,
                ":refresh_digest": commit.refresh_digest.0,
                ":issued_at": columns.issued_at.unix_millis(),
                ":expires_at": columns.expires_at.map(Timestamp::unix_millis),
                ":scopes": scopes_text(columns),
                ":account_login": columns.account_login,
                ":account_id": columns.account_id,
                ":base_url": columns.base_url,
                ":created_at": columns.created_at.unix_millis(),
                ":updated_at": commit.updated_at.unix_millis(),
            },
            |row| row.get(0),
        )
        .optional()
}

/// Leaves of the connection `id` what answers a late commit, and nothing else.
pub(super) fn bury(database: &Connection, id: i64, now: Timestamp) -> rusqlite::Result<()> {
    database
        .prepare_cached(
            "UPDATE connection SET sealed = NULL, refresh_digest = NULL, issued_at = NULL, expires_at = NULL,
                scopes = NULL, account_login = NULL, account_id = NULL, base_url = NULL, created_at = NULL,
                updated_at = NULL, disconnected_at = ?2
             WHERE id = ?1",
        )?
        .execute((id, now.unix_millis()))?;
    clear(database, id).map(drop)
}

/// Writes the claim of the connection `id`.
pub(super) fn write_claim(
    database: &Connection,
    id: i64,
    claim: Claim,
    holder: HolderId,
) -> rusqlite::Result<()> {
    database.prepare_cached("INSERT OR REPLACE INTO claim VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
        id,
        claim.attempt.0,
        claim.presented.0,
        claim.deadline.unix_millis(),
        holder,
    ))?;
    Ok(())
}

/// Writes the failure of the connection `id`.
pub(super) fn write_failure(database: &Connection, id: i64, failure: Failure) -> rusqlite::Result<()> {
    database.prepare_cached("INSERT OR REPLACE INTO failure VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute((
        id,
        failure.kind.to_text(),
        failure.presented.0,
        failure.in_a_row,
        failure.at.unix_millis(),
        failure.next_attempt_at.map(Timestamp::unix_millis),
    ))?;
    Ok(())
}

/// The account's names, in the order of the columns.
pub(super) fn names(account: &AccountKey) -> [&str; 3] {
    [account.owner.as_str(), account.provider.as_str(), account.account.as_str()]
}

/// Reads the account that the columns `owner`, `provider` and `account` starting at `first` name.
pub(super) fn account(row: &Row<'_>, first: usize) -> rusqlite::Result<AccountKey> {
    let damaged = |_| rusqlite::Error::InvalidColumnType(first, "account".to_owned(), Type::Text);
    Ok(AccountKey {
        owner: Owner::new(row.get::<_, String>(first)?).map_err(damaged)?,
        provider: ProviderId::new(row.get::<_, String>(first + 1)?).map_err(damaged)?,
        account: AccountName::new(row.get::<_, String>(first + 2)?).map_err(damaged)?,
    })
}

/// Ends the claim of the connection `id` and forgets its failure. Returns whose claim it was.
pub(super) fn clear(database: &Connection, id: i64) -> rusqlite::Result<Option<AttemptId>> {
    database.prepare_cached("DELETE FROM failure WHERE connection_id = ?1")?.execute([id])?;
    database
        .prepare_cached("DELETE FROM claim WHERE connection_id = ?1 RETURNING attempt")?
        .query_row([id], |row| row.get(0).map(AttemptId))
        .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Found> {
    let time = |column| Ok::<_, rusqlite::Error>(Timestamp::from_unix_millis(row.get(column)?));
    let time_if = |column| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_unix_millis))
    };
    let mut columns = Columns::new(time("issued_at")?, time("created_at")?);
    columns.expires_at = time_if("expires_at")?;
    columns.scopes = read_scopes(row)?;
    columns.account_login = row.get("account_login")?;
    columns.account_id = row.get("account_id")?;
    columns.base_url = row.get("base_url")?;
    let mut record = Record::from_login(NewConnection {
        account: account(row, 1)?,
        connection: ConnectionId(row.get("connection")?),
        columns,
        sealed: SealedTokens(row.get("sealed")?),
        refresh_digest: row.get::<_, Option<_>>("refresh_digest")?.map(TokenDigest),
    });
    record.updated_at = time("updated_at")?;
    if let Some(attempt) = row.get::<_, Option<_>>("attempt")? {
        record.claim = Some(Claim {
            attempt: AttemptId(attempt),
            presented: TokenDigest(row.get("claim_presented")?),
            deadline: time("deadline")?,
        });
    }
    if let Some(kind) = row.get::<_, Option<String>>("kind")? {
        record.failure = Some(Failure {
            kind: FailureKind::from_text(&kind)
                .ok_or_else(|| rusqlite::Error::InvalidColumnType(0, "kind".to_owned(), Type::Text))?,
            presented: TokenDigest(row.get("failure_presented")?),
            in_a_row: row.get("in_a_row")?,
            at: time("at")?,
            next_attempt_at: time_if("next_attempt_at")?,
        });
    }
    Ok(Found { id: row.get("id")?, record, holder: row.get("holder")? })
}

/// The scopes as JSON: a scope of a server that ignores RFC 6749 §3.3 may hold any character.
fn scopes_text(columns: &Columns) -> String {
    serde_json::Value::from(columns.scopes.clone()).to_string()
}

fn read_scopes(row: &Row<'_>) -> rusqlite::Result<Vec<String>> {
    serde_json::from_str(row.get_ref("scopes")?.as_str()?)
        .map_err(|_| rusqlite::Error::InvalidColumnType(0, "scopes".to_owned(), Type::Text))
}

const SELECT: &str =
    "SELECT connection.id, owner, provider, account, connection, sealed, refresh_digest, issued_at,
        expires_at, scopes, account_login, account_id, base_url, created_at, updated_at,
        attempt, claim.presented AS claim_presented, deadline, holder,
        kind, failure.presented AS failure_presented, in_a_row, at, next_attempt_at
    FROM connection
    LEFT JOIN claim ON claim.connection_id = connection.id
    LEFT JOIN failure ON failure.connection_id = connection.id
    WHERE sealed IS NOT NULL";
