//! The steps of each transaction; the caller has begun it, and commits it.
//!
//! All take their locks in one order, so that none waits for another in a circle: the connection, the revocations, the
//! owner's setting, the count of changes.

use std::time::Duration;

use tokio_postgres::types::Type;

use super::pool::{Param, Pool, Transaction};
use super::revocations;
use super::rows::{self, Found};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::claim::{Verdict, judge};
use crate::store::{
    AttemptId, Claim, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId, Deleted, Disconnect,
    Failure, LatestDisconnect, NewConnection, Revocation, TokenDigest, TombstoneId, WrappedKey,
};

pub(super) async fn connect(transaction: &mut Transaction, login: &NewConnection) -> Result<ConnectOutcome> {
    if !rows::replace(transaction, login).await? {
        return Ok(ConnectOutcome::Disconnected);
    }
    revocations::cancel(transaction, login).await?;
    select(transaction, &login.account.owner, Some(&login.account)).await?;
    purge(transaction).await?;
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
    // No connection is there: a tombstone, or nothing where one has been purged.
    let Some(Found { id, record, .. }) = rows::find_locked(transaction, &commit.account).await? else {
        return Ok(CommitOutcome::Disconnected);
    };
    if record.connection == commit.connection && record.sealed == commit.sealed {
        // An earlier attempt, whose outcome was lost on the way back. No two seals are equal.
        return Ok(CommitOutcome::Committed);
    }
    if record.connection != commit.connection || record.revision != commit.revision {
        return Ok(CommitOutcome::Superseded(Box::new(record)));
    }
    rows::renew(transaction, id, commit).await?;
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
    match failure {
        Some(failure) => rows::write_failure(transaction, id, failure).await,
        None => Ok(()),
    }
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
    transaction
        .execute(
            "DELETE FROM loomkin_auth.setting
             WHERE owner = $1 AND active_provider = $2 AND active_account = $3",
            &[(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)],
        )
        .await?;
    purge(transaction).await?;
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
) -> Result<()> {
    let owner = owner.as_str();
    let Some(account) = account else {
        let sql = "DELETE FROM loomkin_auth.setting WHERE owner = $1";
        return transaction.execute(sql, &[(&owner, Type::TEXT)]).await.map(drop);
    };
    let [_, provider, name] = rows::names(account);
    transaction
        .execute(
            "INSERT INTO loomkin_auth.setting (owner, active_provider, active_account) VALUES ($1, $2, $3)
             ON CONFLICT (owner) DO UPDATE SET active_provider = excluded.active_provider,
                active_account = excluded.active_account",
            &[(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)],
        )
        .await
        .map(drop)
}

pub(super) async fn is_empty(pool: &Pool) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT FROM loomkin_auth.connection WHERE sealed IS NOT NULL) AS empty";
    one(&pool.read(sql, &[]).await?, |row| rows::get(row, "empty"))
}

pub(super) async fn now(pool: &Pool) -> Result<Timestamp> {
    one(&pool.read("SELECT loomkin_auth.clock() AS now", &[]).await?, |row| rows::time(row, "now"))
}

pub(super) async fn keys(pool: &Pool) -> Result<Vec<WrappedKey>> {
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

pub(super) async fn add_key(transaction: &mut Transaction, key: &WrappedKey, first: bool) -> Result<bool> {
    let WrappedKey { id, source, salt, wrapped, created_at } = key;
    // Two that add at the same moment would not see each other's key, and their positions would be in any order.
    transaction.query("SELECT FROM loomkin_auth.store FOR UPDATE", &[]).await?;
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
