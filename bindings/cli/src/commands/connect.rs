//! `connect`: sends the person to the provider, and waits until they are back.

mod device;

use std::time::Duration;

use loomkin_auth::account::AccountKey;
use loomkin_auth::auth::{Auth, ConnectOptions, PendingLogin};
use loomkin_auth::clock::{Clock, SystemClock};
use loomkin_auth::credential::Way;
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::provider::Flow;
use loomkin_auth::store::Replace;
use tokio::time::{Instant, timeout_at};

use super::{choose, key, retry_revocations};
use crate::arguments::Connect;
use crate::failure::Failure;
use crate::output::{Output, Style, plain};
use crate::paste;
use crate::shapes::ConnectEvent;
use crate::words;

pub(super) async fn run(auth: &Auth, arguments: &Connect, output: Output) -> Result<(), Failure> {
    let account = match &arguments.account {
        Some(account) => account.clone(),
        None => choose::account(auth, output).await?,
    };
    let mut options = ConnectOptions::default();
    options.flow = arguments.flow.map(Into::into);
    if options.flow.is_none() {
        match choose::way(auth, &account, output).await? {
            Some(Way::Key(kind)) => return key::set(auth, &account, kind, Replace::No, output).await,
            Some(Way::Login(flow)) => options.flow = Some(flow),
            _ => {}
        }
    }
    options.timeout = arguments.timeout;
    let mut login = auth.connect(&account, options).await?;

    if login.flow() == Flow::Device {
        device::show(&login, output)?;
        let connected = device::wait(&mut login, output).await?;
        return finish(auth, &connected, output).await;
    }
    show_address(&login, output)?;
    if !arguments.no_browser
        && let Err(error) = login.open_browser().await
    {
        output.hint(format_args!("{}. {}", sentence(error.message()), error.advice()));
    }

    let time_left = login.deadline().map_or(Duration::ZERO, |end| end.time_left(SystemClock.now()));
    let connected = match login.flow() {
        Flow::Paste => take_pasted(&mut login, Instant::now() + time_left, output).await?,
        _ => {
            output.hint(format_args!(
                "Waiting for your browser to come back, for at most {}; Ctrl-C stops.",
                words::duration(time_left)
            ));
            login.wait().await?
        }
    };
    finish(auth, &connected, output).await
}

async fn finish(auth: &Auth, connected: &Connected, output: Output) -> Result<(), Failure> {
    tell(connected, output)?;
    retry_revocations(auth).await;
    Ok(())
}

/// The address stands alone on a line of stderr whoever reads, so that it can be picked out and clicked.
fn show_address(login: &PendingLogin, output: Output) -> Result<(), Failure> {
    let (account, url) = (login.account(), login.authorization_url());
    output.hint(format_args!("To connect {account}, log in here:\n"));
    output.aside(url);
    output.hint("");
    if output.json {
        let event = ConnectEvent::Authorize {
            provider: account.provider.as_str(),
            account: account.account.as_str(),
            flow: login.flow().as_str(),
            url,
            deadline: login.deadline().map(|moment| moment.to_string()),
        };
        // A reader that is gone has not seen enough, as it has elsewhere: nobody will finish this login.
        output.json(&event).map_err(|_| nobody_reads(account))?;
    }
    Ok(())
}

/// Takes pasted lines until one of them ends the login. One that does not answer it leaves it waiting for another.
async fn take_pasted(login: &mut PendingLogin, until: Instant, output: Output) -> Result<Connected, Failure> {
    // Whoever can paste again is told at once; of a pipe it shows only later whether there is another line in it.
    let can_paste_again = output.json || paste::is_interactive();
    let mut rejected: Option<Error> = None;
    loop {
        let ask = || output.ask("Paste what the page shows (it stays hidden), then press Enter: ");
        // Only the person is given a deadline: an exchange that has begun is not broken off.
        let pasted =
            timeout_at(until, paste::secret_line(ask)).await.map_err(|_| too_late(login.account()))?;
        let Some(pasted) = pasted.unwrap_or(None) else {
            return Err(rejected.unwrap_or_else(|| nothing_pasted(login.account())).into());
        };
        if let Some(error) = rejected.take_if(|_| !can_paste_again) {
            tell_rejected(login, &error, output)?;
        }
        match login.finish(&pasted).await {
            Ok(connected) => return Ok(connected),
            // It is still open: the paste was at fault, not the login.
            Err(error) if login.deadline().is_some() => {
                if can_paste_again {
                    tell_rejected(login, &error, output)?;
                }
                rejected = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn tell_rejected(login: &PendingLogin, error: &Error, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.json(&ConnectEvent::Rejected {
            provider: login.account().provider.as_str(),
            account: login.account().account.as_str(),
            message: error.message(),
            advice: error.advice(),
        });
    }
    let (title, message) = (output.styled_aside(Style::Warning, "not accepted:"), error.message());
    output.aside(format_args!("{title} {message}"));
    output.aside(format_args!("{} {}", output.styled_aside(Style::Strong, "help:"), error.advice()));
    Ok(())
}

fn tell(connected: &Connected, output: Output) -> Result<(), Failure> {
    if let Some(note) = &connected.note {
        output.note(note);
    }
    if output.json {
        return output.json(&ConnectEvent::from(connected));
    }
    let account = &connected.account;
    let login =
        connected.account_login.as_ref().map_or_else(String::new, |login| format!(" as {}", plain(login)));
    output.line(format_args!(
        "{} {account}{login}; it is the active connection now.",
        output.styled(Style::Good, "Connected")
    ))
}

fn too_late(account: &AccountKey) -> Error {
    Error::new(ErrorCode::LoginClosed, format!("nobody finished the login of {account} in time"))
        .with_advice(format!("Run `loomkin-auth connect {account}` again."))
        .with_account(account)
}

fn nothing_pasted(account: &AccountKey) -> Error {
    Error::new(ErrorCode::LoginClosed, "stdin ended before anything was pasted")
        .with_advice(format!("Run `loomkin-auth connect {account}` again, and paste what the page shows."))
        .with_account(account)
}

fn nobody_reads(account: &AccountKey) -> Error {
    Error::new(ErrorCode::LoginClosed, format!("nobody reads where to log in to connect {account}"))
        .with_advice("Keep stdout open until the login is over.")
        .with_account(account)
}

/// A message as a sentence of its own.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
