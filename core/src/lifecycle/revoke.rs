//! Disconnecting: local at once, at the server where it can be, and an honest word on both.

use std::sync::Arc;

use super::Lifecycle;
use crate::account::AccountKey;
use crate::error::Result;
use crate::protocol::revocation::RevocationAnswer;
use crate::store::EventKind;
use crate::store::vault::Disconnected as Deleted;

/// What a disconnect came to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Disconnected {
    /// Whether there was anything to disconnect.
    pub was_connected: bool,
    /// What the server made of it.
    pub revocation: RevocationAnswer,
}

impl Lifecycle {
    /// Ends the connection of `account`: deletes it here, then revokes its tokens at the server (RFC 7009).
    ///
    /// In this order, so that nothing is served from now on whatever the network does. A refresh in flight finds the
    /// tombstone and revokes what it gets. Disconnecting what is not connected is no error.
    ///
    /// # Errors
    ///
    /// `store_failed` when the store cannot be written; the connection is still there then.
    pub async fn disconnect(self: &Arc<Self>, account: &AccountKey) -> Result<Disconnected> {
        let deleted = self.vault.disconnect(account).await?;
        self.snapshots.remove(account);
        let disconnected = self.revoke(account, deleted).await;
        if disconnected.was_connected {
            let revoked = Some(disconnected.revocation == RevocationAnswer::Revoked);
            let answered = EventKind::Disconnected { revoked };
            if let Err(error) = self.vault.record_event(account, answered).await {
                tracing::warn!(%account, code = %error.code(), "the server's answer could not be told to others");
            }
        }
        Ok(disconnected)
    }

    /// Ends at the server what was deleted here.
    async fn revoke(&self, account: &AccountKey, deleted: Deleted) -> Disconnected {
        let entry = match deleted {
            Deleted::Deleted(entry) => entry,
            Deleted::DeletedUnreadable => {
                return not_revoked(
                    true,
                    "the stored tokens could not be read, so there was nothing to send",
                );
            }
            Deleted::Nothing => return not_revoked(false, "it was not connected"),
        };
        let Ok(server) = self.server(account) else {
            return not_revoked(true, "it is no longer configured, so its server is not known");
        };
        if let Some(field) = server.differs_from(&entry.binding) {
            let reason = format!("it was connected with another {field} than the configuration has now");
            return not_revoked(true, reason);
        }
        Disconnected { was_connected: true, revocation: server.revoke(&entry.tokens).await }
    }
}

fn not_revoked(was_connected: bool, reason: impl Into<String>) -> Disconnected {
    let revocation = RevocationAnswer::NotRevoked { reason: reason.into(), try_again: false };
    Disconnected { was_connected, revocation }
}
