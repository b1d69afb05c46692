//! `key`: API keys and auth tokens that a person brings.

use loomkin_auth::account::AccountKey;
use loomkin_auth::auth::Auth;
use loomkin_auth::clock::{Clock, SystemClock};
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::store::vault::KeyOutcome;
use loomkin_auth::store::{Replace, StaticKind};

use crate::arguments::KeyCommand;
use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::paste;
use crate::shapes::{KeyRemovedShape, KeyShape};
use crate::words;

pub(super) async fn run(auth: &Auth, command: &KeyCommand, output: Output) -> Result<(), Failure> {
    match command {
        KeyCommand::Set { place, typed, .. } if !typed.is_empty() => {
            Err(key_as_argument(&place.account, place.kind()).into())
        }
        KeyCommand::Set { place, replace, .. } => {
            let replace = if *replace { Replace::Yes } else { Replace::No };
            set(auth, &place.account, place.kind(), replace, output).await
        }
        KeyCommand::Remove { place } => remove(auth, &place.account, place.kind(), output).await,
    }
}

/// Takes a key from the person or from a pipe, and stores it. Nobody is asked for one that would not be taken.
pub(super) async fn set(
    auth: &Auth,
    account: &AccountKey,
    kind: StaticKind,
    replace: Replace,
    output: Output,
) -> Result<(), Failure> {
    auth.config().check_known(&account.provider)?;
    if replace == Replace::No
        && let Some(since) = auth.stored_key(account, kind).await?
    {
        return tell(account, kind, KeyOutcome::Kept(since), output);
    }
    let noun = kind.noun();
    let ask =
        || output.ask(format_args!("Paste the {noun} of {account} (it stays hidden), then press Enter: "));
    let secret = paste::secret_text(ask).await?.ok_or_else(|| nothing_came(account, kind))?;
    let outcome = auth.set_key(account, kind, secret, replace).await?;
    tell(account, kind, outcome, output)
}

async fn remove(auth: &Auth, account: &AccountKey, kind: StaticKind, output: Output) -> Result<(), Failure> {
    let removed = auth.remove_key(account, kind).await?;
    if output.json {
        return output.json(&KeyRemovedShape::new(account, kind, removed));
    }
    let noun = kind.noun();
    output.line(match removed {
        true => format!("Removed the {noun} of {account} here; the provider still accepts it."),
        false => format!("No {noun} of {account} is stored."),
    })
}

fn tell(account: &AccountKey, kind: StaticKind, outcome: KeyOutcome, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.json(&KeyShape::new(account, kind, outcome));
    }
    let noun = kind.noun();
    output.line(match outcome {
        KeyOutcome::Stored => {
            format!("{} the {noun} of {account}, sealed.", output.styled(Style::Good, "Stored"))
        }
        KeyOutcome::Replaced => {
            format!("{} the {noun} of {account}.", output.styled(Style::Good, "Replaced"))
        }
        KeyOutcome::Kept(since) => format!(
            "The {noun} of {account} is stored already ({}); `loomkin-auth key set {account}{} --replace` overwrites it.",
            words::distance(since, SystemClock.now()),
            kind.option()
        ),
    })
}

/// It is in the history of the shell by now, and was in the list of processes.
fn key_as_argument(account: &AccountKey, kind: StaticKind) -> Error {
    let noun = kind.noun();
    Error::new(ErrorCode::Usage, format!("the {noun} of {account} cannot be an argument: every user of the machine could read it"))
        .with_advice(format!(
            "Run `loomkin-auth key set {account}{}`, and paste it at the prompt or send it through a pipe; if this was a real one, replace it at the provider.",
            kind.option()
        ))
        .with_account(account)
}

fn nothing_came(account: &AccountKey, kind: StaticKind) -> Error {
    Error::new(ErrorCode::Usage, format!("stdin ended before the {} of {account} came", kind.noun()))
        .with_advice("Paste it at the prompt, or send it through a pipe.")
        .with_account(account)
}
