//! Static credentials: keeping them, and saying which credential a tier or a provider uses.

use super::Auth;
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::credential::{self, Holdings, Present, Resolution, Target, Way};
use crate::error::{Error, ErrorCode, Result};
use crate::lifecycle::{AccessToken, not_connected};
use crate::secret::{Secret, unfit};
use crate::status::ConnectionState;
use crate::store::vault::{BoundSecret, KeyOutcome, StoredCredential};
use crate::store::{Replace, StaticKind};

impl Auth {
    /// Keeps an API key or an auth token of `account`, sealed. One that is there already stays, unless it is to be
    /// replaced. It is bound to the resource server that the configuration names now; the active account stays as it is.
    ///
    /// # Errors
    ///
    /// `usage` for a provider that is neither configured nor a preset, and for a text that is no credential: empty, with
    /// white space or quotes, the name of a variable, longer than 16 KiB. `store_failed`, `key_unavailable`.
    pub async fn set_key(
        &self,
        account: &AccountKey,
        kind: StaticKind,
        secret: Secret,
        replace: Replace,
    ) -> Result<KeyOutcome> {
        self.config.check_known(&account.provider)?;
        // It is looked at, and goes nowhere but into the store.
        if let Some(unfit) = unfit(secret.expose()) {
            let message = format!("that is no {} of {account}: {}", kind.noun(), unfit.reason);
            return Err(Error::new(ErrorCode::Usage, message).with_advice(unfit.help).with_account(account));
        }
        let base_url = credential::base_url(&self.config, &account.provider);
        let bound = BoundSecret { secret, base_url };
        self.lifecycle.vault().store_credential(account, kind, &bound, replace).await
    }

    /// Deletes an API key or an auth token of `account`, and says whether it was there. Its connection stays. Where
    /// nothing else is kept for the account, and it was the owner's active one, none is active then.
    ///
    /// # Errors
    ///
    /// `store_failed`; `usage` where nothing is there of a provider that nobody knows: it is a slip.
    pub async fn remove_key(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        let removed = self.lifecycle.vault().remove_credential(account, kind).await?;
        if !removed {
            self.config.check_known(&account.provider)?;
        }
        Ok(removed)
    }

    /// When the account's stored credential of this kind was stored; `None` where there is none.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn stored_key(&self, account: &AccountKey, kind: StaticKind) -> Result<Option<Timestamp>> {
        let stored = self.lifecycle.vault().credentials_of(account).await?;
        Ok(stored.into_iter().find(|credential| credential.kind == kind).map(|found| found.updated_at))
    }

    /// Which credential a tier or a provider uses, where it comes from, and why: `name` is a tier, else `provider` or
    /// `provider/account`. See [the module](crate::credential) for the order. The environment counts as it was when this
    /// was opened.
    ///
    /// # Errors
    ///
    /// As [`Target::find`] and [`credential::resolve`]; `store_failed`.
    pub async fn resolve(&self, owner: &Owner, name: &str) -> Result<Resolution> {
        let target = Target::find(&self.config, name, owner)?;
        let held = self.holdings(&target.account).await?;
        credential::resolve(&self.config, &self.facts, &target, &held)
    }

    /// The ways in which an account of `account.provider` can get a credential; see [`credential::ways`].
    ///
    /// # Errors
    ///
    /// `usage` for a provider that is neither configured nor a preset.
    pub fn ways(&self, account: &AccountKey) -> Result<Vec<Way>> {
        self.config.check_known(&account.provider)?;
        Ok(credential::ways(&self.config, &account.provider, self.place))
    }

    /// The token of an account without a connection: its API key, else its auth token. `refused` says why there is no
    /// connection's.
    pub(super) async fn static_token(&self, account: &AccountKey, refused: Error) -> Result<AccessToken> {
        if refused.code() != ErrorCode::NotConnected {
            return Err(refused);
        }
        let vault = self.lifecycle.vault();
        let stored = vault.credentials_of(account).await?.into_iter().next();
        let Some(stored) = stored else { return Err(self.mended(account, refused)) };
        // A connection that this configuration cannot use is there all the same: nothing falls through. One that a login
        // has stored since is asked for its token.
        if vault.record(account).await?.is_some() {
            return self.lifecycle.access_token(account).await;
        }
        let kind = stored.kind;
        Ok(AccessToken::of_static(account.clone(), kind, credential::recognise(&self.config, stored)?))
    }

    /// Where nobody can log in, another advice than to do so.
    pub(super) fn mended(&self, account: &AccountKey, refused: Error) -> Error {
        match credential::ways(&self.config, &account.provider, self.place).first() {
            Some(Way::Key(kind)) if self.config.check_known(&account.provider).is_ok() => {
                Error::new(refused.code(), format!("{account} has no stored {}", kind.noun()))
                    .with_advice(format!("Run `loomkin-auth key set {account}{}`.", kind.option()))
                    .with_account(account)
            }
            _ => refused,
        }
    }

    /// Nobody can log in to the provider with this configuration. A stored key is no reason to say that there is none.
    pub(super) fn without_login(&self, account: &AccountKey) -> Error {
        let provider = &account.provider;
        let (reason, configure) = match credential::has_oauth(&self.config, provider) {
            true => {
                ("its client_id is not configured", format!("Set client_id in [auth.{provider}], or run"))
            }
            false => ("it has no OAuth", "Run".to_owned()),
        };
        let ways = credential::ways(&self.config, provider, self.place);
        let keys = ways.into_iter().filter_map(|way| match way {
            Way::Key(kind) => Some(format!("`loomkin-auth key set {account}{}`", kind.option())),
            _ => None,
        });
        let keys: Vec<_> = keys.collect();
        Error::new(ErrorCode::NotConnected, format!("nobody can log in to {provider} here: {reason}"))
            .with_advice(format!("{configure} {}.", keys.join(" or ")))
            .with_account(account)
    }

    /// Why nobody knows who the person behind `account` is: a key does not say.
    pub(super) async fn without_a_name(&self, account: &AccountKey, refused: Error) -> Error {
        if refused.code() != ErrorCode::NotConnected
            || self.static_token(account, refused.clone()).await.is_err()
        {
            return refused;
        }
        let message = format!("{account} has a stored key and no login, and a key does not say whose it is");
        Error::new(ErrorCode::NotConnected, message)
            .with_advice("Select an account with a login, by `loomkin-auth use PROVIDER`.")
            .with_account(account)
    }

    /// Every credential that is there for `account`, out of those that are stored.
    pub(super) fn present(&self, account: &AccountKey, stored: &[StoredCredential]) -> Vec<Present> {
        let stored = stored.iter().filter(|credential| credential.account == *account).cloned().collect();
        let held = Holdings::new(&self.config, stored, None);
        credential::present(&self.config, &self.facts, account, &held)
    }

    async fn holdings(&self, account: &AccountKey) -> Result<Holdings> {
        let vault = self.lifecycle.vault();
        let stored = vault.credentials_of(account).await?;
        let connection = match vault.record(account).await? {
            None => None,
            // Reading it in full checks the seal and the binding, as every other call would.
            Some(record) => Some(
                self.lifecycle
                    .check(account)
                    .await
                    .map(|()| ConnectionState::derive(&record, self.ports.clock.now())),
            ),
        };
        Ok(Holdings::new(&self.config, stored, connection))
    }
}

/// Whether anything is kept for `account` that it could be used by.
pub(super) async fn is_usable(auth: &Auth, account: &AccountKey) -> Result<()> {
    if auth.lifecycle.vault().record(account).await?.is_some() {
        return auth.lifecycle.server(account).map(drop);
    }
    let has_key = !auth.lifecycle.vault().credentials_of(account).await?.is_empty();
    if has_key { Ok(()) } else { Err(auth.mended(account, not_connected(account))) }
}
