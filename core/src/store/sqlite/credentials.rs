//! Static credentials: their statements, and their face.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::{SqliteStore, events, keys, rows};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::reseal::is_retired;
use crate::store::{
    CredentialOutcome, CredentialStore, NewEvent, Replace, ResealOutcome, SealedCredential, SealedTokens,
    StaticKind,
};

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn credentials(&self, owner: &Owner) -> Result<Vec<SealedCredential>> {
        let owner = owner.clone();
        self.read(move |database| {
            let sql = format!("{SELECT} WHERE owner = ?1 ORDER BY provider, account, kind");
            database
                .prepare_cached(&sql)?
                .query_map([owner.as_str()], read)?
                .filter_map(Result::transpose)
                .collect()
        })
        .await
    }

    async fn store_credential(
        &self,
        credential: SealedCredential,
        replace: Replace,
    ) -> Result<CredentialOutcome> {
        self.write(move |transaction| store(transaction, &credential, replace)).await
    }

    async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        let (account, now) = (account.clone(), self.0.clock.now());
        self.write(move |transaction| remove(transaction, &account, kind, now)).await
    }

    async fn old_credential(
        &self,
        after: Option<(&AccountKey, StaticKind)>,
    ) -> Result<Option<SealedCredential>> {
        let after = after.map(|(account, kind)| (account.clone(), kind));
        self.read(move |database| old(database, after.as_ref())).await
    }

    async fn reseal_credential(&self, old: &SealedCredential, new: SealedTokens) -> Result<ResealOutcome> {
        let old = old.clone();
        self.write(move |transaction| reseal(transaction, &old, &new)).await
    }
}

fn store(
    transaction: &Transaction<'_>,
    credential: &SealedCredential,
    replace: Replace,
) -> rusqlite::Result<CredentialOutcome> {
    let SealedCredential { account, kind, sealed, created_at, updated_at } = credential;
    if is_retired(keys::newest(transaction)?, sealed) {
        return Ok(CredentialOutcome::Retired);
    }
    let [owner, provider, name] = rows::names(account);
    let found = transaction
        .prepare_cached(
            "SELECT updated_at FROM credential
             WHERE owner = ?1 AND provider = ?2 AND account = ?3 AND kind = ?4",
        )?
        .query_row((owner, provider, name, kind.as_str()), |row| rows::time(row, "updated_at"))
        .optional()?;
    if let (Some(since), Replace::No) = (found, replace) {
        return Ok(CredentialOutcome::Kept(since));
    }
    transaction
        .prepare_cached(
            "INSERT INTO credential (owner, provider, account, kind, sealed, created_at, updated_at)
             VALUES (:owner, :provider, :account, :kind, :sealed, :created_at, :updated_at)
             ON CONFLICT DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at",
        )?
        .execute(named_params! {
            ":owner": owner,
            ":provider": provider,
            ":account": name,
            ":kind": kind.as_str(),
            ":sealed": sealed.0,
            ":created_at": created_at.unix_millis(),
            ":updated_at": updated_at.unix_millis(),
        })?;
    Ok(if found.is_some() { CredentialOutcome::Replaced } else { CredentialOutcome::Stored })
}

fn remove(
    transaction: &Transaction<'_>,
    account: &AccountKey,
    kind: StaticKind,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let [owner, provider, name] = rows::names(account);
    let removed = transaction
        .prepare_cached(
            "DELETE FROM credential WHERE owner = ?1 AND provider = ?2 AND account = ?3 AND kind = ?4",
        )?
        .execute((owner, provider, name, kind.as_str()))?;
    if removed == 0 {
        return Ok(false);
    }
    let was_active = transaction
        .prepare_cached(
            "DELETE FROM setting WHERE owner = ?1 AND active_provider = ?2 AND active_account = ?3
                AND NOT EXISTS (SELECT 1 FROM connection WHERE owner = ?1 AND provider = ?2
                    AND account = ?3 AND sealed IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM credential WHERE owner = ?1 AND provider = ?2
                    AND account = ?3)",
        )?
        .execute((owner, provider, name))?;
    let event = (was_active == 1).then(|| NewEvent::of_selection(&account.owner, None));
    events::write(transaction, event, now)?;
    Ok(true)
}

/// Whether there is anything of `account`.
pub(super) fn holds(transaction: &Transaction<'_>, account: &AccountKey) -> rusqlite::Result<bool> {
    let AccountKey { owner, provider, account } = account;
    let sql = "SELECT EXISTS (SELECT 1 FROM credential WHERE owner = ?1 AND provider = ?2 AND account = ?3)";
    transaction.query_row(sql, [owner.as_str(), provider.as_str(), account.as_str()], |row| row.get(0))
}

fn old(
    database: &Connection,
    after: Option<&(AccountKey, StaticKind)>,
) -> rusqlite::Result<Option<SealedCredential>> {
    let ([owner, provider, name], kind) =
        after.map_or(([""; 3], ""), |(account, kind)| (rows::names(account), kind.as_str()));
    let sql = format!(
        "{SELECT} WHERE (owner, provider, account, kind) > (?1, ?2, ?3, ?4)
            AND kind IN ('api_key', 'auth_token') AND substr(sealed, 2, 8) <> ({})
         ORDER BY owner, provider, account, kind LIMIT 1",
        keys::NEWEST
    );
    Ok(database.prepare_cached(&sql)?.query_row((owner, provider, name, kind), read).optional()?.flatten())
}

fn reseal(
    transaction: &Transaction<'_>,
    old: &SealedCredential,
    new: &SealedTokens,
) -> rusqlite::Result<ResealOutcome> {
    if is_retired(keys::newest(transaction)?, new) {
        return Ok(ResealOutcome::Retired);
    }
    let [owner, provider, name] = rows::names(&old.account);
    let changed = transaction
        .prepare_cached(
            "UPDATE credential SET sealed = ?1
             WHERE owner = ?2 AND provider = ?3 AND account = ?4 AND kind = ?5 AND sealed = ?6",
        )?
        .execute((&new.0, owner, provider, name, old.kind.as_str(), &old.sealed.0))?;
    Ok(ResealOutcome::Resealed(u64::from(changed > 0)))
}

/// `None` for a kind that a later version made up.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<SealedCredential>> {
    let Some(kind) = StaticKind::from_text(row.get_ref("kind")?.as_str()?) else { return Ok(None) };
    Ok(Some(SealedCredential {
        account: rows::account(row, 0)?,
        kind,
        sealed: SealedTokens(row.get("sealed")?),
        created_at: rows::time(row, "created_at")?,
        updated_at: rows::time(row, "updated_at")?,
    }))
}

const SELECT: &str = "SELECT owner, provider, account, kind, sealed, created_at, updated_at FROM credential";
