//! The steps of each transaction; the caller has begun it, and commits it.
//!
//! All take their locks in one order, so that none waits for another in a circle: the newest key, the connection, the
//! revocations, the credentials, the owner's setting, the count of changes. For events nobody waits.

use std::time::Duration;

use tokio_postgres::types::Type;

use super::credentials;
use super::events;
use super::keys;
use super::pool::{Param, Pool, Transaction};
use super::revocations;
use super::rows::{self, Found};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::claim::{Verdict, judge};
use crate::store::reseal::is_retired;
use crate::store::{
    AttemptId, Claim, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId, Deleted, Disconnect,
    EventKind, Failure, LatestDisconnect, NewConnection, NewEvent, Revocation, TokenDigest, TombstoneId,
};

pub(super) async fn connect(transaction: &mut Transaction, login: &NewConnection) -> Result<ConnectOutcome> {
    if is_retired(keys::newest(transaction).await?, &login.sealed) {
        return Ok(ConnectOutcome::Retired);
    }
    if !rows::replace(transaction, login).await? {
        return Ok(ConnectOutcome::Disconnected);
    }
    revocations::cancel(transaction, login).await?;
    let activated = activate(transaction, &login.account.owner, Some(&login.account)).await?;
    purge(transaction).await?;
    events::write(transaction, NewEvent::of_login(&login.account, activated)).await?;
    Ok(ConnectOutcome::Connected)
}

pub(super) async fn latest_disconnect(pool: &Pool, account: &AccountKey) -> Result<LatestDisconnect> {
    let [owner, provider, name] = rows::names(account);
    let sql = "SELECT connection FROM loomkin_auth.connection
        WHERE owner = $1 AND provider = $2 AND account = $3 AND sealed IS NULL";
    let params: [Param<'_>; 3] = [(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)];
    let rows = pool.read(sql, &params).await?;
    let tombstone = rows.first().map(|row| rows::bytes(row, "connection").map(TombstoneId)).transpose()?;
    Ok(LatestDisconnect(tombstone))
}

/// Who asks for which claim.
pub(super) struct Request<'a> {
    pub(super) account: &'a AccountKey,
    pub(super) connection: ConnectionId,
    pub(super) presented: TokenDigest,
    pub(super) attempt: AttemptId,
    pub(super) lease: Duration,
}

pub(super) async fn claim(transaction: &mut Transaction, request: Request<'_>) -> Result<ClaimOutcome> {
    let Request { account, connection, presented, attempt, lease } = request;
    let Some(Found { id, mut record, now }) = rows::find_locked(transaction, account).await? else {
        return Ok(ClaimOutcome::Gone);
    };
    // Nobody can see from here whether a holder on another host lives; its lease says enough.
    Ok(match judge(Some(&record), connection, presented, now, || true) {
        Verdict::Gone => ClaimOutcome::Gone,
        Verdict::Held { remaining } => ClaimOutcome::Held { remaining },
        Verdict::Moved => ClaimOutcome::Moved(Box::new(record)),
        Verdict::Grant { orphaned } => {
            let claim = Claim { attempt, presented, deadline: now.plus(lease) };
            rows::write_claim(transaction, id, claim).await?;
            record.claim = Some(claim);
            ClaimOutcome::Claimed { record: Box::new(record), orphaned }
        }
    })
}

pub(super) async fn commit(transaction: &mut Transaction, commit: &Commit) -> Result<CommitOutcome> {
    // Sent at once, the key's lock first.
    let (newest, found) =
        tokio::join!(keys::newest(transaction), rows::find_locked(transaction, &commit.account));
    let newest = newest?;
    // No connection is there: a tombstone, or nothing where one has been purged.
    let Some(Found { id, record, .. }) = found? else {
        return Ok(CommitOutcome::Disconnected);
    };
    if record.connection == commit.connection && record.sealed == commit.sealed {
        // An earlier attempt, whose outcome was lost on the way back. No two seals are equal.
        return Ok(CommitOutcome::Committed);
    }
    if record.connection != commit.connection || record.revision != commit.revision {
        return Ok(CommitOutcome::Superseded(Box::new(record)));
    }
    if is_retired(newest, &commit.sealed) {
        return Ok(CommitOutcome::Retired);
    }
    rows::renew(transaction, id, commit).await?;
    events::write(transaction, [NewEvent::of(&commit.account, EventKind::Refreshed)]).await?;
    Ok(CommitOutcome::Committed)
}

pub(super) async fn abandon(
    transaction: &mut Transaction,
    account: &AccountKey,
    attempt: AttemptId,
    failure: Option<Failure>,
) -> Result<()> {
    let Some(Found { id, record, .. }) = rows::find_locked(transaction, account).await? else {
        return Ok(());
    };
    if record.claim.is_none_or(|claim| claim.attempt != attempt) {
        return Ok(());
    }
    rows::end_claim(transaction, id).await?;
    let Some(failure) = failure else { return Ok(()) };
    rows::write_failure(transaction, id, failure).await?;
    events::write(transaction, [NewEvent::of(account, EventKind::of_failure(&failure))]).await
}

pub(super) async fn disconnect(
    transaction: &mut Transaction,
    account: &AccountKey,
    disconnect: &Disconnect,
) -> Result<Option<Deleted>> {
    // First, so that a login cannot come between what is read and what is written.
    rows::lock(transaction, account, disconnect.tombstone).await?;
    let found = rows::find_locked(transaction, account).await?;
    rows::bury(transaction, account, disconnect).await?;
    let Some(Found { record, now, .. }) = found else {
        purge(transaction).await?;
        return Ok(None);
    };
    let revocation = disconnect.revocation.map(|terms| Revocation::new(record.clone(), terms, now));
    if let Some(revocation) = &revocation {
        revocations::write(transaction, revocation).await?;
    }
    let [owner, provider, name] = rows::names(account);
    let was_active = transaction
        .execute(
            "DELETE FROM loomkin_auth.setting
             WHERE owner = $1 AND active_provider = $2 AND active_account = $3",
            &[(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)],
        )
        .await?;
    purge(transaction).await?;
    let revoked = revocation.is_none().then_some(false);
    events::write(transaction, NewEvent::of_disconnect(account, revoked, was_active == 1)).await?;
    Ok(Some(Deleted { record, revocation }))
}

pub(super) async fn active(pool: &Pool, owner: &Owner) -> Result<Option<AccountKey>> {
    let sql = "SELECT owner, active_provider AS provider, active_account AS account
        FROM loomkin_auth.setting WHERE owner = $1";
    let rows = pool.read(sql, &[(&owner.as_str(), Type::TEXT)]).await?;
    rows.first().map(rows::account).transpose()
}

pub(super) async fn select(
    transaction: &mut Transaction,
    owner: &Owner,
    account: Option<&AccountKey>,
) -> Result<bool> {
    if let Some(account) = account
        && rows::find_locked(transaction, account).await?.is_none()
        && !credentials::holds(transaction, account).await?
    {
        return Ok(false);
    }
    let changed = activate(transaction, owner, account).await?;
    events::write(transaction, changed.then(|| NewEvent::of_selection(owner, account))).await?;
    Ok(true)
}

pub(super) async fn is_empty(pool: &Pool) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT FROM loomkin_auth.connection WHERE sealed IS NOT NULL)
        AND NOT EXISTS (SELECT FROM loomkin_auth.credential) AS empty";
    one(&pool.read(sql, &[]).await?, |row| rows::get(row, "empty"))
}

pub(super) async fn now(pool: &Pool) -> Result<Timestamp> {
    one(&pool.read("SELECT loomkin_auth.clock() AS now", &[]).await?, |row| rows::time(row, "now"))
}

/// Makes `account` the owner's active one, or none, and says whether another one was.
async fn activate(
    transaction: &mut Transaction,
    owner: &Owner,
    account: Option<&AccountKey>,
) -> Result<bool> {
    let owner = owner.as_str();
    let Some(account) = account else {
        let sql = "DELETE FROM loomkin_auth.setting WHERE owner = $1";
        return Ok(transaction.execute(sql, &[(&owner, Type::TEXT)]).await? == 1);
    };
    let [_, provider, name] = rows::names(account);
    let changed = transaction
        .execute(
            "INSERT INTO loomkin_auth.setting (owner, active_provider, active_account) VALUES ($1, $2, $3)
             ON CONFLICT (owner) DO UPDATE SET active_provider = excluded.active_provider,
                active_account = excluded.active_account
             WHERE (setting.active_provider, setting.active_account)
                IS DISTINCT FROM (excluded.active_provider, excluded.active_account)",
            &[(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)],
        )
        .await?;
    Ok(changed == 1)
}

/// Removes tombstones that no answer can be on its way to any more. One that somebody is connecting anew is left
/// alone, because waiting for it would be against the order of locks.
async fn purge(transaction: &mut Transaction) -> Result<()> {
    transaction
        .execute(
            "DELETE FROM loomkin_auth.connection WHERE id IN (
                SELECT id FROM loomkin_auth.connection WHERE disconnected_at < loomkin_auth.clock() - $1
                FOR UPDATE SKIP LOCKED)",
            &[(&TOMBSTONES_LAST, Type::INT8)],
        )
        .await
        .map(drop)
}

fn one<T>(rows: &[tokio_postgres::Row], read: impl FnOnce(&tokio_postgres::Row) -> Result<T>) -> Result<T> {
    read(rows.first().ok_or_else(super::fault::damaged)?)
}

/// Thirty days in milliseconds: far longer than any lease, and than a suspended machine's pause in the middle of a
/// refresh should be.
const TOMBSTONES_LAST: i64 = 30 * 24 * 60 * 60 * 1000;
