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

use super::{choose, key, retry_revocations};
use crate::arguments::{Connect, FlowName};
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
    options.flow = arguments.flow.and_then(FlowName::flow);
    options.best_flow = matches!(arguments.flow, Some(FlowName::Auto));
    if !arguments.is_of_a_login() {
        match choose::way(auth, &account, output).await? {
            Some(Way::Key(kind)) => return key::set(auth, &account, kind, Replace::No, output).await,
            Some(Way::Login(flow)) => options.flow = Some(flow),
            _ => {}
        }
    }
    options.scopes.clone_from(&arguments.scope);
    options.timeout = arguments.timeout;
    let begun = auth.connect(&account, options);
    let mut login = output.while_waiting(format_args!("Asking {} …", account.provider), begun).await?;

    if login.choice().opens_browser() && !arguments.no_browser {
        // What went wrong, and what takes its place, is in the choice.
        let _told_below = login.open_browser().await;
    }
    if let Some(explanation) = login.choice().explanation() {
        output.hint(format_args!("{} {explanation}.", output.styled_aside(Style::Strong, "note:")));
    }
    let connected = if login.flow() == Flow::Device {
        device::show(&login, output)?;
        device::wait(&mut login, output).await?
    } else {
        show_address(&login, output)?;
        wait(&mut login, output).await?
    };
    tell(&connected, output)?;
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
            reasons: &login.choice().reasons,
            reads_paste: login.choice().asks_for_paste(),
            url,
            deadline: login.deadline().map(|moment| moment.to_string()),
        };
        // A reader that is gone has not seen enough, as it has elsewhere: nobody will finish this login.
        output.json(&event).map_err(|_| nobody_reads(account))?;
    }
    Ok(())
}

/// Waits for the browser to come back, or for what is pasted in its place.
async fn wait(login: &mut PendingLogin, output: Output) -> Result<Connected, Failure> {
    let time_left = login.deadline().map_or(Duration::ZERO, |end| end.time_left(SystemClock.now()));
    let time_left = words::duration(time_left);
    let (account, flow) = (login.account().clone(), login.flow());
    if flow == Flow::Loopback {
        output.hint(format_args!(
            "Waiting for your browser to come back, for at most {time_left}; Ctrl-C stops."
        ));
    }
    if !login.choice().asks_for_paste() {
        return Ok(login.wait().await?);
    }
    // Of a pipe it shows only later whether there is another line in it; if not, the error is what the command ends with.
    let tells_at_once = flow == Flow::Loopback || output.json || paste::is_interactive();
    let question = match flow {
        Flow::Paste => "Paste what the page shows (it stays hidden), then press Enter: ",
        _ => "Or paste the address that it ends up at (it stays hidden), then press Enter: ",
    };
    let ask = async |rejected: Option<Error>| {
        if let Some(error) = rejected.as_ref().filter(|_| tells_at_once) {
            tell_rejected(&account, error, output).ok()?;
        }
        let pasted = loop {
            match paste::secret_line(|| output.ask(question)).await {
                Ok(pasted) => break pasted?,
                Err(error) => tell_rejected(&account, &error, output).ok()?,
            }
        };
        if let Some(error) = rejected.as_ref().filter(|_| !tells_at_once) {
            tell_rejected(&account, error, output).ok()?;
        }
        Some(pasted)
    };
    Ok(login.wait_or_paste(ask).await?)
}

fn tell_rejected(account: &AccountKey, error: &Error, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.json(&ConnectEvent::Rejected {
            provider: account.provider.as_str(),
            account: account.account.as_str(),
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

fn nobody_reads(account: &AccountKey) -> Error {
    Error::new(ErrorCode::LoginClosed, format!("nobody reads where to log in to connect {account}"))
        .with_advice("Keep stdout open until the login is over.")
        .with_account(account)
}
