//! Records as rows, and rows as records.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::holder::HolderId;
use crate::account::{AccountKey, AccountName, Owner, ProviderId};
use crate::clock::Timestamp;
use crate::store::{
    AttemptId, Claim, Columns, Commit, ConnectionId, Disconnect, Expiring, Failure, FailureKind,
    NewConnection, Record, SealedTokens, TokenDigest,
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

/// What ends before `before`, behind `after`, sorted.
pub(super) fn expiring(
    database: &Connection,
    before: Timestamp,
    after: Option<&Expiring>,
    limit: u32,
) -> rusqlite::Result<Vec<Expiring>> {
    let [owner, provider, name] = after.map_or([""; 3], |after| names(&after.account));
    database
        .prepare_cached(EXPIRING)?
        .query_map(
            named_params! {
                ":before": before.unix_millis(),
                ":after": after.map_or(i64::MIN, |after| after.expires_at.unix_millis()),
                ":owner": owner,
                ":provider": provider,
                ":account": name,
                ":limit": limit,
            },
            |row| {
                Ok(Expiring {
                    account: account(row, 0)?,
                    connection: ConnectionId(row.get("connection")?),
                    revision: row.get("revision")?,
                    issued_at: time(row, "issued_at")?,
                    expires_at: time(row, "expires_at")?,
                    failure: failure(row)?,
                })
            },
        )?
        .collect()
}

/// Writes a login over whatever the account has, unless that is a tombstone which closes it. Says whether it did.
pub(super) fn replace(database: &Connection, login: &NewConnection) -> rusqlite::Result<bool> {
    let NewConnection { account, connection, columns, sealed, refresh_digest, begun_after } = login;
    let id: Option<i64> = database
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
                updated_at = excluded.updated_at, disconnected_at = NULL,
                revision = 0
             WHERE sealed IS NOT NULL OR :whatever_was OR connection = :tombstone
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
                ":whatever_was": begun_after.is_none(),
                ":tombstone": begun_after.and_then(|latest| latest.0).map(|tombstone| tombstone.0),
            },
            |row| row.get(0),
        )
        .optional()?;
    id.map_or(Ok(None), |id| clear(database, id))?;
    Ok(id.is_some())
}

/// Writes the answer to a refresh into its connection, and returns that one's id; `None` where the fence stops it.
pub(super) fn renew(database: &Connection, commit: &Commit) -> rusqlite::Result<Option<i64>> {
    let (account, columns) = (&commit.account, &commit.columns);
    database
        .prepare_cached(
            "UPDATE connection SET sealed = :sealed, refresh_digest = :refresh_digest,
                issued_at = :issued_at, expires_at = :expires_at, scopes = :scopes,
                account_login = :account_login, account_id = :account_id, base_url = :base_url,
                created_at = :created_at, updated_at = :updated_at, revision = revision + 1
             WHERE owner = :owner AND provider = :provider AND account = :account
                AND sealed IS NOT NULL AND connection = :connection AND revision = :revision
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":owner": account.owner.as_str(),
                ":provider": account.provider.as_str(),
                ":account": account.account.as_str(),
                ":connection": commit.connection.0,
                ":revision": commit.revision,
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

/// Leaves of what `account` has, if anything, what answers a late commit and closes a login, and nothing else.
pub(super) fn bury(
    database: &Connection,
    account: &AccountKey,
    disconnect: &Disconnect,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let id = database
        .prepare_cached(
            "INSERT INTO connection (owner, provider, account, connection, disconnected_at, keeps_grant)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET connection = excluded.connection, sealed = NULL, refresh_digest = NULL,
                issued_at = NULL, expires_at = NULL, scopes = NULL, account_login = NULL, account_id = NULL,
                base_url = NULL, created_at = NULL, updated_at = NULL,
                disconnected_at = excluded.disconnected_at, keeps_grant = excluded.keeps_grant
             RETURNING id",
        )?
        .query_row(
            (
                account.owner.as_str(),
                account.provider.as_str(),
                account.account.as_str(),
                disconnect.tombstone.0,
                now.unix_millis(),
                disconnect.revocation.is_none(),
            ),
            |row| row.get(0),
        )?;
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

/// Reads the columns that are written with the tokens; the account is named from the second column on.
pub(super) fn connection(row: &Row<'_>) -> rusqlite::Result<Record> {
    let mut columns = Columns::new(time(row, "issued_at")?, time(row, "created_at")?);
    columns.expires_at = time_if(row, "expires_at")?;
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
        begun_after: None,
    });
    record.updated_at = time(row, "updated_at")?;
    Ok(record)
}

/// The moment of a column.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_unix_millis)
}

fn time_if(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<_>>(column)?.map(Timestamp::from_unix_millis))
}

/// Ends the claim of the connection `id` and forgets its failure. Returns whose claim it was.
pub(super) fn clear(database: &Connection, id: i64) -> rusqlite::Result<Option<AttemptId>> {
    database.prepare_cached("DELETE FROM failure WHERE connection_id = ?1")?.execute([id])?;
    database
        .prepare_cached("DELETE FROM claim WHERE connection_id = ?1 RETURNING attempt")?
        .query_row([id], |row| row.get(0).map(AttemptId))
        .optional()
}

/// Reads a row with the columns of [`SELECT`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Found> {
    let mut record = connection(row)?;
    record.revision = row.get("revision")?;
    if let Some(attempt) = row.get::<_, Option<_>>("attempt")? {
        record.claim = Some(Claim {
            attempt: AttemptId(attempt),
            presented: TokenDigest(row.get("claim_presented")?),
            deadline: time(row, "deadline")?,
        });
    }
    record.failure = failure(row)?;
    Ok(Found { id: row.get("id")?, record, holder: row.get("holder")? })
}

fn failure(row: &Row<'_>) -> rusqlite::Result<Option<Failure>> {
    let Some(kind) = row.get::<_, Option<String>>("kind")? else { return Ok(None) };
    Ok(Some(Failure {
        kind: FailureKind::from_text(&kind),
        presented: TokenDigest(row.get("failure_presented")?),
        in_a_row: row.get("in_a_row")?,
        at: time(row, "at")?,
        next_attempt_at: time_if(row, "next_attempt_at")?,
    }))
}

/// The scopes as JSON: a scope of a server that ignores RFC 6749 §3.3 may hold any character.
pub(super) fn scopes_text(columns: &Columns) -> String {
    serde_json::Value::from(columns.scopes.clone()).to_string()
}

fn read_scopes(row: &Row<'_>) -> rusqlite::Result<Vec<String>> {
    serde_json::from_str(row.get_ref("scopes")?.as_str()?)
        .map_err(|_| rusqlite::Error::InvalidColumnType(0, "scopes".to_owned(), Type::Text))
}

/// All connections; conditions may be added.
pub(super) const SELECT: &str =
    "SELECT connection.id, owner, provider, account, connection, sealed, refresh_digest, issued_at,
        expires_at, scopes, account_login, account_id, base_url, created_at, updated_at, revision,
        attempt, claim.presented AS claim_presented, deadline, holder,
        kind, failure.presented AS failure_presented, in_a_row, at, next_attempt_at
    FROM connection
    LEFT JOIN claim ON claim.connection_id = connection.id
    LEFT JOIN failure ON failure.connection_id = connection.id
    WHERE sealed IS NOT NULL";

/// In the order of the index `expiring`. A kind of failure that a later version made up is left to that version.
const EXPIRING: &str = "
    SELECT owner, provider, account, connection, revision, issued_at, expires_at,
        kind, presented AS failure_presented, in_a_row, at, next_attempt_at
    FROM connection LEFT JOIN failure ON connection_id = connection.id AND presented = refresh_digest
    WHERE refresh_digest IS NOT NULL AND expires_at IS NOT NULL AND expires_at < :before
        AND (expires_at, owner, provider, account) > (:after, :owner, :provider, :account)
        AND (kind IS NULL OR kind IN ('refused', 'unknown'))
    ORDER BY expires_at, owner, provider, account LIMIT :limit";
