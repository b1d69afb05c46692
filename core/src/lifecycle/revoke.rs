//! Disconnecting: local at once, at the server where it can be, and an honest word on both.

use std::sync::Arc;

use super::Lifecycle;
use crate::account::AccountKey;
use crate::error::Result;

/// What a disconnect came to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Disconnected {
    /// Whether there was anything to disconnect.
    pub was_connected: bool,
    /// What the server made of it.
    pub revoked: Revoked,
}

/// Whether the grant has ended at the server too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Revoked {
    /// It may still be good there; the sentence says why.
    No(String),
    /// The server says that the tokens are no longer good.
    Yes,
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
        let entry = self.vault.disconnect(account).await?;
        self.snapshots.remove(account);
        self.unsaved.remove(account);
        let Some(entry) = entry else {
            return Ok(Disconnected {
                was_connected: false,
                revoked: Revoked::No(format!("{account} was not connected")),
            });
        };
        let revoked = match self.server(account) {
            Err(_) => Revoked::No(format!("{account} is no longer configured, so its server is not known")),
            Ok(server) => match server.differs_from(&entry.binding) {
                Some(field) => Revoked::No(format!(
                    "it was connected with another {field} than the configuration has now, so nothing was sent"
                )),
                None => server.revoke(&entry.tokens).await,
            },
        };
        Ok(Disconnected { was_connected: true, revoked })
    }
}
