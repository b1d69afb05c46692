//! Keeping what a login yielded.

use std::sync::Arc;

use super::Lifecycle;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::identity::Identity;
use crate::protocol::token_set::TokenSet;
use crate::server::AuthorizationServer;
use crate::store::vault;

/// A login that is stored. `Debug` leaves the identifiers out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Connected {
    /// Which connection it is.
    pub account: AccountKey,
    /// The account's name at the provider, where it says.
    pub account_login: Option<String>,
    /// The account's unchanging id at the provider, where it says.
    pub account_id: Option<String>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected").field("account", &self.account.to_string()).finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// Stores the tokens of a login and makes it the owner's active connection, in one transaction. What was stored
    /// before is there until then.
    ///
    /// # Errors
    ///
    /// `account_mismatch` when another account came back than the one that is stored, whose new tokens are revoked then,
    /// or when it cannot be told which one came back. The old tokens are left alone. `store_failed`.
    pub async fn keep_login(
        self: &Arc<Self>,
        account: &AccountKey,
        server: &AuthorizationServer,
        tokens: TokenSet,
        identity: Option<Identity>,
    ) -> Result<Connected> {
        let stored = self.vault.record(account).await?;
        if let Some(expected) = stored.and_then(|record| record.columns.account_id)
            && identity.as_ref().map(|identity| &identity.account_id) != Some(&expected)
        {
            // Another account's grant: nobody asked for it, and ending it ends nothing else. A grant of nobody knows
            // whom may be the stored account's, and some servers would end the stored tokens with it.
            if identity.is_some() {
                let _best_effort = server.revoke(&tokens).await;
            }
            return Err(account_mismatch(account, identity.is_some()));
        }
        let (id, login) = identity.map(|found| (found.account_id, found.account_login)).unzip();
        let identity = vault::Identity { id, login: login.flatten(), base_url: server.base_url() };
        let entry = self.vault.connect(account, &tokens, identity, (**server.binding()).clone()).await?;
        self.snapshots.remove(account);
        let columns = &entry.record.columns;
        Ok(Connected {
            account: account.clone(),
            account_login: columns.account_login.clone(),
            account_id: columns.account_id.clone(),
            scopes: columns.scopes.clone(),
            expires_at: columns.expires_at,
        })
    }
}

fn account_mismatch(account: &AccountKey, known: bool) -> Error {
    let message = if known {
        format!("{account} belongs to another account at the provider than the one that just logged in")
    } else {
        format!("the provider did not say which account logged in, and {account} is known to belong to one")
    };
    Error::new(ErrorCode::AccountMismatch, message)
        .with_advice(format!(
            "Log in at the provider as the stored account, or run `loomkin-auth connect {}/NAME` to keep both.",
            account.provider
        ))
        .with_account(account)
}
