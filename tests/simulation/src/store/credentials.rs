//! Static credentials, which nothing in this world has.

use async_trait::async_trait;
use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::error::Result;
use loomkin_auth::store::{
    CredentialOutcome, CredentialStore, Replace, ResealOutcome, SealedCredential, SealedTokens, StaticKind,
};

use super::Store;

#[async_trait]
impl CredentialStore for Store {
    async fn credentials(&self, owner: &Owner) -> Result<Vec<SealedCredential>> {
        self.0.world.rows.credentials(owner).await
    }

    async fn store_credential(
        &self,
        credential: SealedCredential,
        replace: Replace,
    ) -> Result<CredentialOutcome> {
        self.0.world.rows.store_credential(credential, replace).await
    }

    async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        self.0.world.rows.remove_credential(account, kind).await
    }

    async fn old_credential(
        &self,
        after: Option<(&AccountKey, StaticKind)>,
    ) -> Result<Option<SealedCredential>> {
        self.0.world.rows.old_credential(after).await
    }

    async fn reseal_credential(&self, old: &SealedCredential, new: SealedTokens) -> Result<ResealOutcome> {
        self.0.world.rows.reseal_credential(old, new).await
    }
}
