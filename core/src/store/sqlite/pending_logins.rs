//! Logins that wait for their redirect: their statements, and their face.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::{SqliteStore, keys, rows};
use crate::account::Owner;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::protocol::state::StateDigest;
use crate::store::reseal::is_retired;
use crate::store::{
    FoundLogin, LoginBounds, PendingLogins, PutOutcome, ResealOutcome, SealedLogin, SealedTokens,
};

#[async_trait]
impl PendingLogins for SqliteStore {
    async fn put_pending_login(&self, login: SealedLogin, bounds: LoginBounds) -> Result<PutOutcome> {
        let clock = Arc::clone(&self.0.clock);
        self.write(move |transaction| {
            if is_retired(keys::newest(transaction)?, &login.sealed) {
                return Ok(PutOutcome::Retired);
            }
            // Read inside the transaction: the wait for it may have been long.
            if !make_room(transaction, &login.account.owner, bounds, clock.now())? {
                return Ok(PutOutcome::Full);
            }
            write(transaction, &login)?;
            Ok(PutOutcome::Kept)
        })
        .await
    }

    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin> {
        self.read(move |database| {
            let sql = format!("{SELECT} WHERE id = ?1");
            let found = database.prepare_cached(&sql)?.query_row([id.0], read).optional()?;
            Ok(found.unwrap_or(FoundLogin::Unknown))
        })
        .await
    }

    async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        self.write(move |transaction| {
            let sql = "UPDATE pending_login SET sealed = NULL WHERE id = ?1 AND sealed IS NOT NULL";
            Ok(transaction.prepare_cached(sql)?.execute([id.0])? == 1)
        })
        .await
    }

    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>> {
        self.read(move |database| {
            let sql = format!("{SELECT} WHERE substr(sealed, 2, 8) <> ({}) LIMIT ?1", keys::NEWEST);
            let mut statement = database.prepare(&sql)?;
            let found = statement.query_map([limit], open)?;
            found.filter_map(Result::transpose).collect()
        })
        .await
    }

    async fn reseal_pending_login(
        &self,
        id: StateDigest,
        old: SealedTokens,
        new: SealedTokens,
    ) -> Result<ResealOutcome> {
        self.write(move |transaction| {
            if is_retired(keys::newest(transaction)?, &new) {
                return Ok(ResealOutcome::Retired);
            }
            let sql = "UPDATE pending_login SET sealed = ?1 WHERE id = ?2 AND sealed = ?3";
            let resealed = transaction.prepare_cached(sql)?.execute((new.0, id.0, old.0))?;
            Ok(ResealOutcome::Resealed(resealed as u64))
        })
        .await
    }
}

/// Forgets what is old, and what leaves no room for one more of `owner`. Says whether there is room now.
fn make_room(
    transaction: &Transaction<'_>,
    owner: &Owner,
    bounds: LoginBounds,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let forgotten = now.minus(SealedLogin::REMEMBERED).unix_millis();
    let now = now.unix_millis();
    transaction.prepare_cached("DELETE FROM pending_login WHERE deadline < ?1")?.execute([forgotten])?;
    // Behind the newest that may stay; without that many, behind all.
    transaction
        .prepare_cached(
            "DELETE FROM pending_login WHERE number IN (
                SELECT number FROM pending_login WHERE owner = ?1
                ORDER BY sealed IS NULL OR deadline < ?2, number DESC LIMIT -1 OFFSET ?3)",
        )?
        .execute((owner.as_str(), now, bounds.of_owner.saturating_sub(1)))?;
    if has_room(transaction, bounds)? {
        return Ok(true);
    }
    transaction
        .prepare_cached("DELETE FROM pending_login WHERE sealed IS NULL OR deadline < ?1")?
        .execute([now])?;
    has_room(transaction, bounds)
}

fn has_room(transaction: &Transaction<'_>, bounds: LoginBounds) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT count(*) < ?1 FROM pending_login")?
        .query_row([bounds.in_all], |row| row.get(0))
}

fn write(transaction: &Transaction<'_>, login: &SealedLogin) -> rusqlite::Result<()> {
    let [owner, provider, account] = rows::names(&login.account);
    transaction
        .prepare_cached(
            "INSERT INTO pending_login (id, owner, provider, account, begun_at, deadline, sealed)
             VALUES (:id, :owner, :provider, :account, :begun_at, :deadline, :sealed)",
        )?
        .execute(named_params! {
            ":id": login.id.0,
            ":owner": owner,
            ":provider": provider,
            ":account": account,
            ":begun_at": login.begun_at.unix_millis(),
            ":deadline": login.deadline.unix_millis(),
            ":sealed": login.sealed.0,
        })
        .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<FoundLogin> {
    Ok(open(row)?.map_or(FoundLogin::Closed, |login| FoundLogin::Open(Box::new(login))))
}

/// The login of `row`, if it is open.
fn open(row: &Row<'_>) -> rusqlite::Result<Option<SealedLogin>> {
    let Some(sealed) = row.get("sealed")? else { return Ok(None) };
    Ok(Some(SealedLogin {
        id: StateDigest(row.get("id")?),
        account: rows::account(row, 0)?,
        begun_at: rows::time(row, "begun_at")?,
        deadline: rows::time(row, "deadline")?,
        sealed: SealedTokens(sealed),
    }))
}

const SELECT: &str = "SELECT owner, provider, account, id, begun_at, deadline, sealed FROM pending_login";
