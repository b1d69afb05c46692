//! Logins that wait for their redirect: their statements, and their face.

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::pool::{Param, Transaction};
use super::{PostgresStore, fault, keys, rows};
use crate::account::Owner;
use crate::error::Result;
use crate::protocol::state::StateDigest;
use crate::store::reseal::is_retired;
use crate::store::{
    FoundLogin, LoginBounds, PendingLogins, PutOutcome, ResealOutcome, SealedLogin, SealedTokens,
};

#[async_trait]
impl PendingLogins for PostgresStore {
    async fn put_pending_login(&self, login: SealedLogin, bounds: LoginBounds) -> Result<PutOutcome> {
        let mut transaction = self.begin().await?;
        if is_retired(keys::newest(&transaction).await?, &login.sealed) {
            return Ok(PutOutcome::Retired);
        }
        let outcome = if make_room(&mut transaction, &login.account.owner, bounds).await? {
            write(&mut transaction, &login).await?;
            PutOutcome::Kept
        } else {
            PutOutcome::Full
        };
        self.finish(transaction).await?;
        Ok(outcome)
    }

    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin> {
        let sql = format!("{SELECT} WHERE id = $1");
        let found = self.0.pool.read(&sql, &[(&id.0.as_slice(), Type::BYTEA)]).await?;
        let Some(row) = found.first() else { return Ok(FoundLogin::Unknown) };
        Ok(open(row)?.map_or(FoundLogin::Closed, |login| FoundLogin::Open(Box::new(login))))
    }

    async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        let sql = "UPDATE loomkin_auth.pending_login SET sealed = NULL WHERE id = $1 AND sealed IS NOT NULL";
        let mut transaction = self.begin().await?;
        let closed = transaction.execute(sql, &[(&id.0.as_slice(), Type::BYTEA)]).await?;
        self.finish(transaction).await?;
        Ok(closed == 1)
    }

    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>> {
        let sql = format!("{SELECT} WHERE substring(sealed FROM 2 FOR 8) <> ({}) LIMIT $1", keys::NEWEST);
        let found = self.0.pool.read(&sql, &[(&i64::from(limit), Type::INT8)]).await?;
        found.iter().filter_map(|row| open(row).transpose()).collect()
    }

    async fn reseal_pending_login(
        &self,
        id: StateDigest,
        old: SealedTokens,
        new: SealedTokens,
    ) -> Result<ResealOutcome> {
        let mut transaction = self.begin().await?;
        if is_retired(keys::newest(&transaction).await?, &new) {
            return Ok(ResealOutcome::Retired);
        }
        let sql = "UPDATE loomkin_auth.pending_login SET sealed = $1 WHERE id = $2 AND sealed = $3";
        let params: [Param<'_>; 3] =
            [(&new.0, Type::BYTEA), (&id.0.as_slice(), Type::BYTEA), (&old.0, Type::BYTEA)];
        let resealed = transaction.execute(sql, &params).await?;
        self.finish(transaction).await?;
        Ok(ResealOutcome::Resealed(resealed))
    }
}

/// Forgets what is old, and what leaves no room for one more of `owner`. Says whether there is room now.
///
/// Those who make room queue, or two would find the same last place. They have the newest key's lock by then, and nobody
/// who has this one waits for that.
async fn make_room(transaction: &mut Transaction, owner: &Owner, bounds: LoginBounds) -> Result<bool> {
    transaction.query(QUEUE, &[]).await?;
    let remembered = i64::try_from(SealedLogin::REMEMBERED.as_millis()).unwrap_or(i64::MAX);
    let old = "DELETE FROM loomkin_auth.pending_login WHERE deadline < loomkin_auth.clock() - $1";
    transaction.execute(old, &[(&remembered, Type::INT8)]).await?;
    // Behind the newest that may stay; without that many, behind all.
    let surplus = "DELETE FROM loomkin_auth.pending_login WHERE number IN (
        SELECT number FROM loomkin_auth.pending_login WHERE owner = $1
        ORDER BY sealed IS NULL OR deadline < loomkin_auth.clock(), number DESC OFFSET $2)";
    let stay = i64::from(bounds.of_owner.saturating_sub(1));
    transaction.execute(surplus, &[(&owner.as_str(), Type::TEXT), (&stay, Type::INT8)]).await?;
    if has_room(transaction, bounds).await? {
        return Ok(true);
    }
    let spent = "DELETE FROM loomkin_auth.pending_login
        WHERE sealed IS NULL OR deadline < loomkin_auth.clock()";
    transaction.execute(spent, &[]).await?;
    has_room(transaction, bounds).await
}

async fn has_room(transaction: &Transaction, bounds: LoginBounds) -> Result<bool> {
    let sql = "SELECT count(*) < $1 AS has_room FROM loomkin_auth.pending_login";
    let rows = transaction.query(sql, &[(&i64::from(bounds.in_all), Type::INT8)]).await?;
    rows::get(rows.first().ok_or_else(fault::damaged)?, "has_room")
}

async fn write(transaction: &mut Transaction, login: &SealedLogin) -> Result<()> {
    let [owner, provider, account] = rows::names(&login.account);
    transaction
        .execute(
            "INSERT INTO loomkin_auth.pending_login (id, owner, provider, account, begun_at, deadline, sealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                (&login.id.0.as_slice(), Type::BYTEA),
                (&owner, Type::TEXT),
                (&provider, Type::TEXT),
                (&account, Type::TEXT),
                (&login.begun_at.unix_millis(), Type::INT8),
                (&login.deadline.unix_millis(), Type::INT8),
                (&login.sealed.0, Type::BYTEA),
            ],
        )
        .await
        .map(drop)
}

/// The login of `row`, if it is open.
fn open(row: &Row) -> Result<Option<SealedLogin>> {
    let Some(sealed) = rows::get(row, "sealed")? else { return Ok(None) };
    Ok(Some(SealedLogin {
        id: StateDigest(rows::bytes(row, "id")?),
        account: rows::account(row)?,
        begun_at: rows::time(row, "begun_at")?,
        deadline: rows::time(row, "deadline")?,
        sealed: SealedTokens(sealed),
    }))
}

const QUEUE: &str = "SELECT pg_catalog.pg_advisory_xact_lock(1282228597, 4)";

const SELECT: &str =
    "SELECT id, owner, provider, account, begun_at, deadline, sealed FROM loomkin_auth.pending_login";
