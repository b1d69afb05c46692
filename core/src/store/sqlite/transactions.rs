//! The steps of each transaction; the caller has begun it, and commits it.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::credentials;
use super::events;
use super::holder::HolderId;
use super::keys;
use super::revocations;
use super::rows::{self, Found};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::store::claim::{Verdict, judge};
use crate::store::reseal::is_retired;
use crate::store::{
    AttemptId, Claim, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId, Deleted, Disconnect,
    EventKind, Failure, LatestDisconnect, NewConnection, NewEvent, Revocation, TokenDigest, TombstoneId,
};

pub(super) fn connect(
    transaction: &Transaction<'_>,
    login: &NewConnection,
    now: Timestamp,
) -> rusqlite::Result<ConnectOutcome> {
    if is_retired(keys::newest(transaction)?, &login.sealed) {
        return Ok(ConnectOutcome::Retired);
    }
    if !rows::replace(transaction, login)? {
        return Ok(ConnectOutcome::Disconnected);
    }
    revocations::cancel(transaction, login)?;
    let activated = activate(transaction, &login.account.owner, Some(&login.account))?;
    events::write(transaction, NewEvent::of_login(&login.account, activated), now)?;
    purge(transaction, now)?;
    Ok(ConnectOutcome::Connected)
}

pub(super) fn latest_disconnect(
    database: &Connection,
    account: &AccountKey,
) -> rusqlite::Result<LatestDisconnect> {
    let tombstone = database
        .prepare_cached(
            "SELECT connection FROM connection
             WHERE owner = ?1 AND provider = ?2 AND account = ?3 AND sealed IS NULL",
        )?
        .query_row(rows::names(account), |row| row.get(0).map(TombstoneId))
        .optional()?;
    Ok(LatestDisconnect(tombstone))
}

/// Who asks for which claim.
pub(super) struct Request {
    pub(super) account: AccountKey,
    pub(super) connection: ConnectionId,
    pub(super) presented: TokenDigest,
    pub(super) attempt: AttemptId,
    pub(super) holder: HolderId,
}

pub(super) fn claim(
    transaction: &Transaction<'_>,
    request: &Request,
    now: Timestamp,
    lease: Duration,
    may_live: impl FnOnce(HolderId) -> bool,
) -> rusqlite::Result<ClaimOutcome> {
    let found = rows::find(transaction, &request.account)?;
    let alive = || found.as_ref().and_then(|found| found.holder).is_none_or(may_live);
    let record = found.as_ref().map(|found| &found.record);
    let verdict = judge(record, request.connection, request.presented, now, alive);
    let Some(Found { id, mut record, .. }) = found else { return Ok(ClaimOutcome::Gone) };
    Ok(match verdict {
        Verdict::Gone => ClaimOutcome::Gone,
        Verdict::Held { remaining } => ClaimOutcome::Held { remaining },
        Verdict::Moved => ClaimOutcome::Moved(Box::new(record)),
        Verdict::Grant { orphaned } => {
            let Request { attempt, presented, holder, .. } = *request;
            let claim = Claim { attempt, presented, deadline: now.plus(lease) };
            rows::write_claim(transaction, id, claim, holder)?;
            record.claim = Some(claim);
            ClaimOutcome::Claimed { record: Box::new(record), orphaned }
        }
    })
}

/// Also says which attempt's claim ended with it.
pub(super) fn commit(
    transaction: &Transaction<'_>,
    commit: &Commit,
    now: Timestamp,
) -> rusqlite::Result<(CommitOutcome, Option<AttemptId>)> {
    // Nearly every commit passes the fence; only one that does not has to know what is there instead.
    if !is_retired(keys::newest(transaction)?, &commit.sealed)
        && let Some(id) = rows::renew(transaction, commit)?
    {
        events::write(transaction, [NewEvent::of(&commit.account, EventKind::Refreshed)], now)?;
        return Ok((CommitOutcome::Committed, rows::clear(transaction, id)?));
    }
    Ok(match rows::find(transaction, &commit.account)? {
        Some(Found { record, .. })
            if record.connection == commit.connection && record.revision == commit.revision =>
        {
            (CommitOutcome::Retired, None)
        }
        Some(Found { record, .. }) => (CommitOutcome::Superseded(Box::new(record)), None),
        // No connection is there: a tombstone, or nothing where one has been purged.
        None => (CommitOutcome::Disconnected, None),
    })
}

pub(super) fn abandon(
    transaction: &Transaction<'_>,
    account: &AccountKey,
    attempt: AttemptId,
    failure: Option<Failure>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Some(Found { id, record, .. }) = rows::find(transaction, account)? else { return Ok(()) };
    if record.claim.is_none_or(|claim| claim.attempt != attempt) {
        return Ok(());
    }
    transaction.execute("DELETE FROM claim WHERE connection_id = ?1", [id])?;
    let Some(failure) = failure else { return Ok(()) };
    rows::write_failure(transaction, id, failure)?;
    events::write(transaction, [NewEvent::of(account, EventKind::of_failure(&failure))], now)
}

pub(super) fn disconnect(
    transaction: &Transaction<'_>,
    account: &AccountKey,
    disconnect: &Disconnect,
    now: Timestamp,
) -> rusqlite::Result<Option<Deleted>> {
    let found = rows::find(transaction, account)?;
    rows::bury(transaction, account, disconnect, now)?;
    purge(transaction, now)?;
    let Some(Found { record, .. }) = found else { return Ok(None) };
    let was_active = transaction.execute(
        "DELETE FROM setting WHERE owner = ?1 AND active_provider = ?2 AND active_account = ?3",
        rows::names(account),
    )?;
    let revocation = disconnect.revocation.map(|terms| Revocation::new(record.clone(), terms, now));
    if let Some(revocation) = &revocation {
        revocations::write(transaction, revocation)?;
    }
    let revoked = revocation.is_none().then_some(false);
    events::write(transaction, NewEvent::of_disconnect(account, revoked, was_active == 1), now)?;
    Ok(Some(Deleted { record, revocation }))
}

pub(super) fn active(database: &Connection, owner: &Owner) -> rusqlite::Result<Option<AccountKey>> {
    database
        .query_row(
            "SELECT owner, active_provider, active_account FROM setting WHERE owner = ?1",
            [owner.as_str()],
            |row| rows::account(row, 0),
        )
        .optional()
}

pub(super) fn select(
    transaction: &Transaction<'_>,
    owner: &Owner,
    account: Option<&AccountKey>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    if let Some(account) = account
        && rows::find(transaction, account)?.is_none()
        && !credentials::holds(transaction, account)?
    {
        return Ok(false);
    }
    let changed = activate(transaction, owner, account)?;
    events::write(transaction, changed.then(|| NewEvent::of_selection(owner, account)), now)?;
    Ok(true)
}

pub(super) fn is_empty(database: &Connection) -> rusqlite::Result<bool> {
    database.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM connection WHERE sealed IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM credential)",
        [],
        |row| row.get(0),
    )
}

/// The holders that claims name.
pub(super) fn holders(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<HolderId>> {
    transaction.prepare("SELECT DISTINCT holder FROM claim")?.query_map([], |row| row.get(0))?.collect()
}

/// Makes `account` the owner's active one, or none, and says whether another one was.
fn activate(
    transaction: &Transaction<'_>,
    owner: &Owner,
    account: Option<&AccountKey>,
) -> rusqlite::Result<bool> {
    let changed = match account {
        Some(account) => transaction.execute(
            "INSERT INTO setting (owner, active_provider, active_account) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET active_provider = excluded.active_provider,
                active_account = excluded.active_account
             WHERE active_provider != excluded.active_provider OR active_account != excluded.active_account",
            [owner.as_str(), account.provider.as_str(), account.account.as_str()],
        )?,
        None => transaction.execute("DELETE FROM setting WHERE owner = ?1", [owner.as_str()])?,
    };
    Ok(changed == 1)
}

/// Removes tombstones that no answer can be on its way to any more.
fn purge(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM connection WHERE disconnected_at < ?1")?
        .execute([now.minus(TOMBSTONES_LAST).unix_millis()])?;
    Ok(())
}

/// Far longer than any lease, and than a suspended laptop's pause in the middle of a refresh should be.
const TOMBSTONES_LAST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
