//! Keeping tokens that another tool was given.

use super::Lifecycle;
use crate::account::AccountKey;
use crate::error::Result;
use crate::protocol::token_set::TokenSet;
use crate::store::{Replace, vault};

/// What became of tokens that were brought along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImportOutcome {
    /// The account has something of this kind already, and nothing was changed.
    Kept,
    /// They are in the place of others.
    Replaced,
    /// There was nothing, and now there is something.
    Stored,
}

impl ImportOutcome {
    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Replaced => "replaced",
            Self::Stored => "stored",
        }
    }
}

impl Lifecycle {
    /// Keeps `tokens` as a connection of this configuration. One that is there stays, unless it is to be replaced; its
    /// tokens are not revoked then. Without scopes the configured ones count as granted, as after a login whose answer is
    /// silent.
    ///
    /// # Errors
    ///
    /// `not_connected` for a provider that nobody can log in to with this configuration; `store_failed`,
    /// `key_unavailable`; then what was there before is still there.
    pub async fn keep_import(
        &self,
        account: &AccountKey,
        mut tokens: TokenSet,
        mut identity: vault::Identity,
        replace: Replace,
    ) -> Result<ImportOutcome> {
        let server = self.server(account)?;
        let is_there = self.vault.record(account).await?.is_some();
        if is_there && replace == Replace::No {
            return Ok(ImportOutcome::Kept);
        }
        tokens.scopes.get_or_insert_with(|| server.scopes());
        identity.base_url = server.base_url();
        self.vault.connect(account, &tokens, identity, (**server.binding()).clone()).await?;
        self.snapshots.remove(account);
        Ok(if is_there { ImportOutcome::Replaced } else { ImportOutcome::Stored })
    }
}
