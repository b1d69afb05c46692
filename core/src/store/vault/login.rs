//! Keeping what a login yielded.

use std::sync::Arc;

use serde_json::Value;

use super::{Entry, Identity, Vault};
use crate::account::AccountKey;
use crate::error::Result;
use crate::protocol::token_set::TokenSet;
use crate::store::seal::Place;
use crate::store::{
    Columns, ConnectOutcome, ConnectionId, LatestDisconnect, NewConnection, Record, TokenDigest, payload,
};

impl Vault {
    /// The account's latest disconnect, for a login that begins now.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        self.store.latest_disconnect(account).await
    }

    /// Stores a login that nothing can have closed: seals and keeps it in one step.
    ///
    /// # Errors
    ///
    /// `store_failed`, `key_unavailable`; then what was there before is still there.
    pub async fn connect(
        &self,
        account: &AccountKey,
        tokens: &TokenSet,
        identity: Identity,
        binding: Value,
    ) -> Result<Entry> {
        let login = self.seal_login(account, tokens, identity, binding)?;
        self.keep(&login, None).await?;
        Ok(login)
    }

    /// Seals a login under a new connection id.
    ///
    /// # Errors
    ///
    /// `store_failed` when there is no randomness.
    pub fn seal_login(
        &self,
        account: &AccountKey,
        tokens: &TokenSet,
        identity: Identity,
        binding: Value,
    ) -> Result<Entry> {
        let connection = ConnectionId(self.random.make_bytes()?);
        let now = self.clock.now();
        let mut columns = Columns::new(tokens.issued_at, now);
        columns.expires_at = tokens.expires_at;
        columns.scopes = tokens.scopes.clone().unwrap_or_default();
        columns.account_login = identity.login;
        columns.account_id = identity.id;
        columns.base_url = identity.base_url;
        let refresh_digest =
            tokens.refresh_token.as_ref().map(|token| TokenDigest::derive(connection, token));
        let place = Place { account, connection, columns: &columns, refresh_digest, updated_at: now };
        let sealed =
            self.keys.ring().newest().seal(&place, &payload::encode(tokens, &binding), &*self.random)?;
        let account = account.clone();
        let login = NewConnection { account, connection, columns, sealed, refresh_digest, begun_after: None };
        Ok(Entry { record: Record::from_login(login), tokens: tokens.clone(), binding: Arc::new(binding) })
    }

    /// Stores a sealed login and makes it the owner's active account, in one transaction; see
    /// [`TokenStore::connect`](crate::store::TokenStore::connect).
    /// Returns `false`, and stores nothing, when the account was disconnected after `begun_after`. Where the key was
    /// rotated since it was sealed, it is sealed anew.
    ///
    /// # Errors
    ///
    /// `store_failed`, `key_unavailable`; then what was there before is still there.
    pub async fn keep(&self, login: &Entry, begun_after: Option<LatestDisconnect>) -> Result<bool> {
        let Record { account, connection, columns, sealed, refresh_digest, .. } = login.record.clone();
        let mut new = NewConnection { account, connection, columns, sealed, refresh_digest, begun_after };
        loop {
            let ring = self.keys.ring();
            match self.store.connect(new.clone()).await? {
                ConnectOutcome::Connected => {
                    self.wrote.notify_one();
                    return Ok(true);
                }
                ConnectOutcome::Disconnected => return Ok(false),
                ConnectOutcome::Retired => {
                    if new.sealed.key_id() == Some(ring.newest().id) {
                        self.follow(&ring).await?;
                    }
                    new.sealed = self.seal(&self.keys.ring(), login)?;
                }
            }
        }
    }
}
