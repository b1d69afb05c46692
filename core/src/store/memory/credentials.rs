//! Static credentials.

use async_trait::async_trait;

use super::{MemoryStore, Rows};
use crate::account::{AccountKey, Owner};
use crate::error::Result;
use crate::store::reseal::is_retired;
use crate::store::{
    CredentialOutcome, CredentialStore, NewEvent, Replace, ResealOutcome, SealedCredential, SealedTokens,
    StaticKind,
};

#[async_trait]
impl CredentialStore for MemoryStore {
    async fn credentials(&self, owner: &Owner) -> Result<Vec<SealedCredential>> {
        let rows = self.rows();
        Ok(rows.credentials.values().filter(|found| found.account.owner == *owner).cloned().collect())
    }

    async fn store_credential(
        &self,
        mut credential: SealedCredential,
        replace: Replace,
    ) -> Result<CredentialOutcome> {
        let mut rows = self.rows();
        if is_retired(rows.newest_key(), &credential.sealed) {
            return Ok(CredentialOutcome::Retired);
        }
        let place = (credential.account.clone(), credential.kind);
        let outcome = match (rows.credentials.get(&place), replace) {
            (None, _) => CredentialOutcome::Stored,
            (Some(found), Replace::No) => return Ok(CredentialOutcome::Kept(found.updated_at)),
            (Some(found), Replace::Yes) => {
                credential.created_at = found.created_at;
                CredentialOutcome::Replaced
            }
        };
        rows.credentials.insert(place, credential);
        self.changed(&rows);
        Ok(outcome)
    }

    async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        let mut rows = self.rows();
        if rows.credentials.remove(&(account.clone(), kind)).is_none() {
            return Ok(false);
        }
        if rows.active.get(&account.owner) == Some(account) && !rows.keeps_anything_of(account) {
            rows.active.remove(&account.owner);
            rows.log.write([NewEvent::of_selection(&account.owner, None)], self.0.clock.now());
        }
        self.changed(&rows);
        Ok(true)
    }

    async fn old_credential(
        &self,
        after: Option<(&AccountKey, StaticKind)>,
    ) -> Result<Option<SealedCredential>> {
        let rows = self.rows();
        let mut old = rows
            .credentials
            .iter()
            .filter(|((account, kind), _)| after.is_none_or(|after| (account, *kind) > after))
            .filter(|(_, credential)| is_retired(rows.newest_key(), &credential.sealed));
        Ok(old.next().map(|(_, credential)| credential.clone()))
    }

    async fn reseal_credential(&self, old: &SealedCredential, new: SealedTokens) -> Result<ResealOutcome> {
        let mut rows = self.rows();
        if is_retired(rows.newest_key(), &new) {
            return Ok(ResealOutcome::Retired);
        }
        let found = rows.credentials.get_mut(&(old.account.clone(), old.kind));
        let Some(found) = found.filter(|found| found.sealed == old.sealed) else {
            return Ok(ResealOutcome::Resealed(0));
        };
        found.sealed = new;
        self.changed(&rows);
        Ok(ResealOutcome::Resealed(1))
    }
}

impl Rows {
    fn keeps_anything_of(&self, account: &AccountKey) -> bool {
        self.connections.contains_key(account)
            || self.credentials.values().any(|credential| credential.account == *account)
    }
}
