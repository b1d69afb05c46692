//! Static credentials: their statements, and their face.

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::pool::{Param, Transaction};
use super::{PostgresStore, events, keys, rows};
use crate::account::{AccountKey, Owner};
use crate::error::Result;
use crate::store::reseal::is_retired;
use crate::store::{
    CredentialOutcome, CredentialStore, NewEvent, Replace, ResealOutcome, SealedCredential, SealedTokens,
    StaticKind,
};

#[async_trait]
impl CredentialStore for PostgresStore {
    async fn credentials(&self, owner: &Owner) -> Result<Vec<SealedCredential>> {
        let sql = format!("{SELECT} WHERE owner = $1 ORDER BY provider, account, kind");
        let rows = self.0.pool.read(&sql, &[(&owner.as_str(), Type::TEXT)]).await?;
        rows.iter().filter_map(|row| read(row).transpose()).collect()
    }

    async fn store_credential(
        &self,
        credential: SealedCredential,
        replace: Replace,
    ) -> Result<CredentialOutcome> {
        let mut transaction = self.begin().await?;
        let outcome = store(&mut transaction, &credential, replace).await?;
        self.finish(transaction).await?;
        Ok(outcome)
    }

    async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let removed = remove(&mut transaction, account, kind).await?;
        self.finish(transaction).await?;
        Ok(removed)
    }

    async fn old_credential(
        &self,
        after: Option<(&AccountKey, StaticKind)>,
    ) -> Result<Option<SealedCredential>> {
        let ([owner, provider, name], kind) =
            after.map_or(([""; 3], ""), |(account, kind)| (rows::names(account), kind.as_str()));
        let sql = format!(
            "{SELECT} WHERE (owner, provider, account, kind) > ($1, $2, $3, $4)
                AND kind IN ('api_key', 'auth_token') AND substring(sealed FROM 2 FOR 8) <> ({})
             ORDER BY owner, provider, account, kind LIMIT 1",
            keys::NEWEST
        );
        let params: [Param<'_>; 4] =
            [(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT), (&kind, Type::TEXT)];
        let rows = self.0.pool.read(&sql, &params).await?;
        Ok(rows.first().map(read).transpose()?.flatten())
    }

    async fn reseal_credential(&self, old: &SealedCredential, new: SealedTokens) -> Result<ResealOutcome> {
        let mut transaction = self.begin().await?;
        let outcome = reseal(&mut transaction, old, &new).await?;
        self.finish(transaction).await?;
        Ok(outcome)
    }
}

async fn store(
    transaction: &mut Transaction,
    credential: &SealedCredential,
    replace: Replace,
) -> Result<CredentialOutcome> {
    let SealedCredential { account, kind, sealed, created_at, updated_at } = credential;
    if is_retired(keys::newest(transaction).await?, sealed) {
        return Ok(CredentialOutcome::Retired);
    }
    let [owner, provider, name] = rows::names(account);
    let place: [Param<'_>; 4] =
        [(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT), (&kind.as_str(), Type::TEXT)];
    let conflict = match replace {
        Replace::No => "DO NOTHING",
        Replace::Yes => {
            "(owner, provider, account, kind)
            DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at"
        }
    };
    let lock = format!("{SELECT} WHERE {PLACE} FOR UPDATE");
    let insert = format!(
        "INSERT INTO loomkin_auth.credential (owner, provider, account, kind, sealed, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT {conflict}"
    );
    loop {
        let found = transaction.query(&lock, &place).await?;
        if let (Some(row), Replace::No) = (found.first(), replace) {
            return Ok(CredentialOutcome::Kept(rows::time(row, "updated_at")?));
        }
        let mut params = place.to_vec();
        params.push((&sealed.0, Type::BYTEA));
        let moments = [created_at.unix_millis(), updated_at.unix_millis()];
        params.extend(moments.iter().map(|moment| (moment as _, Type::INT8)));
        if transaction.execute(&insert, &params).await? == 1 {
            let is_new = found.is_empty();
            return Ok(if is_new { CredentialOutcome::Stored } else { CredentialOutcome::Replaced });
        }
        // Somebody else has stored one in between, and it is there to be seen now.
    }
}

async fn remove(transaction: &mut Transaction, account: &AccountKey, kind: StaticKind) -> Result<bool> {
    let [owner, provider, name] = rows::names(account);
    let kind = kind.as_str();
    let place: [Param<'_>; 4] =
        [(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT), (&kind, Type::TEXT)];
    let sql = format!("DELETE FROM loomkin_auth.credential WHERE {PLACE}");
    if transaction.execute(&sql, &place).await? == 0 {
        return Ok(false);
    }
    // First, and by a statement of its own: a login that has made the account active meanwhile is waited for, and then seen.
    let setting = "SELECT FROM loomkin_auth.setting WHERE owner = $1 FOR UPDATE";
    transaction.query(setting, &place[..1]).await?;
    let was_active = transaction
        .execute(
            "DELETE FROM loomkin_auth.setting
             WHERE owner = $1 AND active_provider = $2 AND active_account = $3
                AND NOT EXISTS (SELECT FROM loomkin_auth.connection WHERE owner = $1 AND provider = $2
                    AND account = $3 AND sealed IS NOT NULL)
                AND NOT EXISTS (SELECT FROM loomkin_auth.credential WHERE owner = $1 AND provider = $2
                    AND account = $3)",
            &place[..3],
        )
        .await?;
    let event = (was_active == 1).then(|| NewEvent::of_selection(&account.owner, None));
    events::write(transaction, event).await?;
    Ok(true)
}

/// Whether there is anything of `account`; if so, it stays until the transaction ends.
pub(super) async fn holds(transaction: &mut Transaction, account: &AccountKey) -> Result<bool> {
    let [owner, provider, name] = rows::names(account);
    let sql =
        "SELECT FROM loomkin_auth.credential WHERE owner = $1 AND provider = $2 AND account = $3 FOR SHARE";
    let params: [Param<'_>; 3] = [(&owner, Type::TEXT), (&provider, Type::TEXT), (&name, Type::TEXT)];
    Ok(!transaction.query(sql, &params).await?.is_empty())
}

async fn reseal(
    transaction: &mut Transaction,
    old: &SealedCredential,
    new: &SealedTokens,
) -> Result<ResealOutcome> {
    if is_retired(keys::newest(transaction).await?, new) {
        return Ok(ResealOutcome::Retired);
    }
    let [owner, provider, name] = rows::names(&old.account);
    let params: [Param<'_>; 6] = [
        (&owner, Type::TEXT),
        (&provider, Type::TEXT),
        (&name, Type::TEXT),
        (&old.kind.as_str(), Type::TEXT),
        (&new.0, Type::BYTEA),
        (&old.sealed.0, Type::BYTEA),
    ];
    let sql = format!("UPDATE loomkin_auth.credential SET sealed = $5 WHERE {PLACE} AND sealed = $6");
    Ok(ResealOutcome::Resealed(transaction.execute(&sql, &params).await?))
}

/// `None` for a kind that a later version made up.
fn read(row: &Row) -> Result<Option<SealedCredential>> {
    let Some(kind) = StaticKind::from_text(rows::get(row, "kind")?) else { return Ok(None) };
    Ok(Some(SealedCredential {
        account: rows::account(row)?,
        kind,
        sealed: SealedTokens(rows::get(row, "sealed")?),
        created_at: rows::time(row, "created_at")?,
        updated_at: rows::time(row, "updated_at")?,
    }))
}

const SELECT: &str = "SELECT owner, provider, account, kind, sealed, created_at, updated_at
    FROM loomkin_auth.credential";
const PLACE: &str = "owner = $1 AND provider = $2 AND account = $3 AND kind = $4";
