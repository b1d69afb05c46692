//! Which provider to connect, and by which way, where nobody said.

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::Auth;
use loomkin_auth::credential::Way;
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::provider::Flow;
use loomkin_auth::status::ConnectionStatus;
use loomkin_auth::store::StaticKind;

use crate::failure::Failure;
use crate::output::{Output, Style, plain};
use crate::paste;
use crate::table::{Cell, align};

/// Offers what is configured, and takes a number or a name. Where nobody can be asked, it is `usage`.
pub(super) async fn account(auth: &Auth, output: Output) -> Result<AccountKey, Failure> {
    let mut offered = auth.status(&Owner::default()).await?;
    offered.retain(|status| auth.config().provider(&status.account.provider).is_ok());
    if offered.is_empty() {
        return Err(nothing_to_connect().into());
    }
    if output.json || !paste::is_interactive() {
        return Err(unsaid(&offered).into());
    }
    output.hint("Which account do you want to connect?\n");
    let rows: Vec<_> = offered.iter().enumerate().map(|(index, status)| row(index + 1, status)).collect();
    for line in align(&rows, output) {
        output.hint(line);
    }
    output.hint("");
    loop {
        output.ask("Number or name: ");
        let Some(answer) = paste::line().await.unwrap_or(None) else {
            return Err(unsaid(&offered).into());
        };
        match read(&answer, &offered) {
            Some(account) => return Ok(account),
            None => output
                .hint(format_args!("Type a number from 1 to {}, or a name from the list.", offered.len())),
        }
    }
}

/// Asks for a way to connect `account` where there are several and somebody can be asked. `None` leaves it to the
/// configuration and the provider.
pub(super) async fn way(auth: &Auth, account: &AccountKey, output: Output) -> Result<Option<Way>, Failure> {
    let ways = auth.ways(account)?;
    if output.json || !paste::is_interactive() {
        return Ok(None);
    }
    if let [way] = ways[..] {
        return Ok(Some(way).filter(|way| matches!(way, Way::Key(_))));
    }
    if !ways.iter().any(|way| matches!(way, Way::Key(_))) {
        // Of several flows the core knows the best one here, and the next one when it fails.
        return Ok(None);
    }
    output.hint(format_args!("How do you want to connect {account}?\n"));
    for (index, way) in ways.iter().enumerate() {
        output.hint(format_args!("{:>3})  {}", index + 1, description(*way)));
    }
    output.hint("");
    loop {
        output.ask("Number: ");
        let Some(answer) = paste::line().await.unwrap_or(None) else {
            return Err(undecided(account).into());
        };
        let chosen = answer.parse::<usize>().ok().and_then(|number| ways.get(number.checked_sub(1)?));
        match chosen {
            Some(way) => return Ok(Some(*way)),
            None => output.hint(format_args!("Type a number from 1 to {}.", ways.len())),
        }
    }
}

fn description(way: Way) -> &'static str {
    match way {
        Way::Key(StaticKind::ApiKey) => "paste an API key",
        Way::Key(StaticKind::AuthToken) => "paste an auth token",
        Way::BestLogin(Flow::Device) | Way::Login(Flow::Device) => "log in with a code on another device",
        Way::BestLogin(Flow::Paste) | Way::Login(Flow::Paste) => {
            "log in with your browser, and paste what the page shows"
        }
        _ => "log in with your browser",
    }
}

/// A number of the list; or a provider of the list, with any account.
fn read(answer: &str, offered: &[ConnectionStatus]) -> Option<AccountKey> {
    if let Ok(number) = answer.parse::<usize>() {
        return Some(offered.get(number.checked_sub(1)?)?.account.clone());
    }
    let named: AccountKey = answer.parse().ok()?;
    offered.iter().any(|status| status.account.provider == named.provider).then_some(named)
}

fn row(number: usize, status: &ConnectionStatus) -> [Cell; 3] {
    let login =
        status.account_login.as_ref().map_or_else(String::new, |login| format!(" as {}", plain(login)));
    let state = status.since.map_or_else(String::new, |_| format!("{}{login}", status.state));
    [
        Cell::plain(format!("{number:>3})")),
        Cell::plain(status.account.to_string()),
        Cell::styled(Style::Dim, state),
    ]
}

fn unsaid(offered: &[ConnectionStatus]) -> Error {
    let names: Vec<_> = offered.iter().map(|status| status.account.to_string()).collect();
    Error::new(ErrorCode::Usage, "no provider is named, and there is nobody to ask")
        .with_advice(format!("Name one of: {}.", names.join(", ")))
}

fn undecided(account: &AccountKey) -> Error {
    Error::new(ErrorCode::Usage, format!("nobody said how to connect {account}"))
        .with_advice(format!(
            "Run `loomkin-auth connect {account}` again, and type a number; or name a login by --flow."
        ))
        .with_account(account)
}

fn nothing_to_connect() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "the configuration has no provider that can be connected")
        .with_advice("Add one, such as [auth.github] with the client_id of your registration there.")
}
