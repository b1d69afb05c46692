//! `disconnect`: ends a connection or all of them, and tells truthfully what came of it.

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::Auth;
use loomkin_auth::clock::{Clock, SystemClock};
use loomkin_auth::lifecycle::{DisconnectScope, Disconnected};
use loomkin_auth::protocol::revocation::RevocationAnswer;

use super::{named_or_active, retry_revocations};
use crate::arguments::Disconnect;
use crate::failure::Failure;
use crate::output::{Output, plain};
use crate::shapes::DisconnectShape;
use crate::words;

pub(super) async fn run(auth: &Auth, arguments: &Disconnect, output: Output) -> Result<(), Failure> {
    let scope = if arguments.local { DisconnectScope::Local } else { DisconnectScope::Everywhere };
    if arguments.all {
        all(auth, scope, output).await?;
    } else {
        one(auth, arguments.account.as_ref(), scope, output).await?;
    }
    retry_revocations(auth).await;
    Ok(())
}

async fn one(
    auth: &Auth,
    account: Option<&AccountKey>,
    scope: DisconnectScope,
    output: Output,
) -> Result<(), Failure> {
    let account = named_or_active(auth, account).await?;
    if let Err(unknown) = auth.config().provider(&account.provider) {
        // What is stored can be ended although its provider is no longer configured. Any other name is a slip, and
        // "was not connected" would be taken for "is disconnected".
        let stored = auth.status(&account.owner).await?;
        if !stored.iter().any(|status| status.account == account) {
            return Err(unknown.into());
        }
    }
    let ended = auth.disconnect(&account, scope);
    let disconnected = output.while_waiting(format_args!("Disconnecting {account} …"), ended).await?;
    if output.json {
        return output.json(&DisconnectShape::new(&account, &disconnected));
    }
    tell(&account, &disconnected, scope, output)
}

async fn all(auth: &Auth, scope: DisconnectScope, output: Output) -> Result<(), Failure> {
    let owner = Owner::default();
    let ended = auth.disconnect_all(&owner, scope);
    let results = output.while_waiting("Disconnecting every account …", ended).await?;
    let (mut ended, mut failures) = (Vec::new(), Vec::new());
    for (account, result) in results {
        match result {
            Ok(disconnected) => ended.push((account, disconnected)),
            Err(error) => failures.push(error),
        }
    }
    if output.json {
        let shapes: Vec<_> =
            ended.iter().map(|(account, disconnected)| DisconnectShape::new(account, disconnected)).collect();
        output.json(&shapes)?;
    } else if ended.is_empty() && failures.is_empty() {
        output.line("Nothing was connected.")?;
    } else {
        for (account, disconnected) in &ended {
            tell(account, disconnected, scope, output)?;
        }
    }
    let first = failures.first().map(|error| error.code());
    for error in failures {
        Failure::Error(error).tell(output);
    }
    first.map_or(Ok(()), |code| Err(Failure::Told(code.exit_code())))
}

fn tell(
    account: &AccountKey,
    disconnected: &Disconnected,
    scope: DisconnectScope,
    output: Output,
) -> Result<(), Failure> {
    output.line(sentence(account, disconnected, scope))?;
    for kind in &disconnected.kept {
        output.hint(format_args!(
            "Its {} is still stored; `loomkin-auth key remove {account}{}` removes it.",
            kind.noun(),
            kind.option()
        ));
    }
    Ok(())
}

fn sentence(account: &AccountKey, disconnected: &Disconnected, scope: DisconnectScope) -> String {
    let reason = match &disconnected.revocation {
        _ if !disconnected.was_connected => {
            return format!("{account} was not connected; a login of it that is still open is closed.");
        }
        _ if scope == DisconnectScope::Local => {
            return format!("Disconnected {account} here alone; at the provider it lives on.");
        }
        RevocationAnswer::Revoked => return format!("Disconnected {account}, here and at the provider."),
        RevocationAnswer::NotRevoked { reason, .. } => plain(reason),
    };
    match disconnected.queued_until {
        Some(until) => format!(
            "Disconnected {account} here, but not yet at the provider: {reason}. It is tried again for {}.",
            words::duration(until.time_left(SystemClock.now()))
        ),
        None => format!("Disconnected {account} here, but not at the provider: {reason}."),
    }
}
