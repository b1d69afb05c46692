//! Disconnecting: local at once, at the server where it can be, and an honest word on both.

use std::future::Future;
use std::sync::Arc;

use super::Lifecycle;
use super::revocations::{Attempt, TERMS};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::protocol::revocation::RevocationAnswer;
use crate::store::StaticKind;
use crate::store::vault::Disconnected as Deleted;

/// How far a disconnect reaches.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DisconnectScope {
    /// The connection is deleted here, and its grant is ended at the server.
    #[default]
    Everywhere,
    /// The connection is deleted here. Nothing is sent, and the grant lives on at the server.
    Local,
}

/// What a disconnect came to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Disconnected {
    /// Whether there was anything to disconnect.
    pub was_connected: bool,
    /// What the server made of it.
    pub revocation: RevocationAnswer,
    /// Until when the revocation is tried again, where it waits for that; see
    /// [`Lifecycle::retry_revocations`].
    pub queued_until: Option<Timestamp>,
    /// The static credentials that the account still has: to end a login removes no key.
    pub kept: Vec<StaticKind>,
}

impl Lifecycle {
    /// Ends the connection of `account`: deletes it here, then revokes its tokens at the server (RFC 7009), as far as
    /// `scope` reaches.
    ///
    /// In this order, so that nothing is served from now on whatever the network does. A refresh in flight finds the
    /// tombstone and revokes what it gets, and a login that has begun is closed. What cannot be revoked now waits
    /// sealed in the store for a day. Disconnecting what is not connected is no error.
    ///
    /// # Errors
    ///
    /// `store_failed` when the store cannot be written; the connection is still there then.
    pub async fn disconnect(
        self: &Arc<Self>,
        account: &AccountKey,
        scope: DisconnectScope,
    ) -> Result<Disconnected> {
        let deleted = self.delete(account, scope).await?;
        self.revoke(account.clone(), deleted).await
    }

    /// Ends every connection of `owner`, as [`disconnect`](Self::disconnect) does, and says of each, sorted, what came
    /// of it. One that fails does not stop the others.
    ///
    /// # Errors
    ///
    /// `store_failed` when the connections cannot be listed.
    pub async fn disconnect_all(
        self: &Arc<Self>,
        owner: &Owner,
        scope: DisconnectScope,
    ) -> Result<Vec<(AccountKey, Result<Disconnected>)>> {
        let mut deleted = Vec::new();
        for record in self.vault.list(owner).await? {
            let result = self.delete(&record.account, scope).await;
            deleted.push((record.account, result));
        }
        // Nothing is served any more. Now all servers are asked at once: one may keep its callers waiting.
        let asked: Vec<_> = deleted
            .into_iter()
            .map(|(account, deleted)| {
                let asked = deleted.map(|deleted| self.revoke(account.clone(), deleted));
                (account, asked)
            })
            .collect();
        let mut disconnected = Vec::with_capacity(asked.len());
        for (account, asked) in asked {
            let result = match asked {
                Ok(answer) => answer.await,
                Err(error) => Err(error),
            };
            disconnected.push((account, result));
        }
        Ok(disconnected)
    }

    async fn delete(&self, account: &AccountKey, scope: DisconnectScope) -> Result<Deleted> {
        let terms = match scope {
            DisconnectScope::Everywhere => Some(TERMS),
            DisconnectScope::Local => None,
        };
        let deleted = self.vault.disconnect(account, terms).await;
        // Also where it failed: it may have happened all the same.
        self.forget(account);
        deleted
    }

    /// Asks the server, in a task of its own.
    fn revoke(
        self: &Arc<Self>,
        account: AccountKey,
        deleted: Deleted,
    ) -> impl Future<Output = Result<Disconnected>> + Send {
        let lifecycle = Arc::clone(self);
        self.owned.run(async move {
            let was_connected = !matches!(deleted, Deleted::Nothing);
            let attempt = match deleted {
                Deleted::Deleted { entry, revocation: Some(waiting) } => {
                    lifecycle.revoke_at_once(&waiting, &entry).await
                }
                Deleted::Deleted { revocation: None, .. } => Attempt::none(
                    "it was deleted here alone, as asked, and its grant lives on at the provider",
                ),
                Deleted::DeletedUnreadable { waits: Some(until), .. } => Attempt {
                    answer: RevocationAnswer::for_now(
                        "this process has no key for the stored tokens; another one may send them",
                    ),
                    queued_until: Some(until),
                },
                Deleted::DeletedUnreadable { waits: None, is_given_up } => {
                    if is_given_up {
                        lifecycle.tell_revoked(&account, false).await;
                    }
                    Attempt::none("the stored tokens could not be read, so there was nothing to send")
                }
                Deleted::Nothing => Attempt::none("it was not connected"),
            };
            let Attempt { answer: revocation, queued_until } = attempt;
            Ok(Disconnected { was_connected, revocation, queued_until, kept: Vec::new() })
        })
    }
}
