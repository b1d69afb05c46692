//! `disconnect`: ends a connection, and tells truthfully what came of it.

use loomkin_auth::account::AccountKey;
use loomkin_auth::auth::Auth;
use loomkin_auth::protocol::revocation::RevocationAnswer;

use super::named_or_active;
use crate::failure::Failure;
use crate::output::{Output, plain};
use crate::shapes::DisconnectShape;

pub(super) async fn run(auth: &Auth, account: Option<&AccountKey>, output: Output) -> Result<(), Failure> {
    let account = named_or_active(auth, account).await?;
    if let Err(unknown) = auth.config().provider(&account.provider) {
        // What is stored can be ended although its provider is no longer configured. Any other name is a slip, and
        // "was not connected" would be taken for "is disconnected".
        let stored = auth.status(&account.owner).await?;
        if !stored.iter().any(|status| status.account == account) {
            return Err(unknown.into());
        }
    }
    let disconnected = auth.disconnect(&account).await?;
    if output.json {
        return output.json(&DisconnectShape::new(&account, &disconnected));
    }
    match &disconnected.revocation {
        _ if !disconnected.was_connected => {
            output.line(format_args!("{account} was not connected; there was nothing to do."))
        }
        RevocationAnswer::Revoked => {
            output.line(format_args!("Disconnected {account}, here and at the provider."))
        }
        RevocationAnswer::NotRevoked { reason, .. } => output
            .line(format_args!("Disconnected {account} here, but not at the provider: {}.", plain(reason))),
    }
}
