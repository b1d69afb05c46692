//! `status`: every connection, and what to do next.

use loomkin_auth::account::Owner;
use loomkin_auth::auth::Auth;
use loomkin_auth::clock::{Clock, SystemClock, Timestamp};
use loomkin_auth::credential::{Present, Source};
use loomkin_auth::status::{ConnectionState, ConnectionStatus};

use crate::failure::Failure;
use crate::output::{Output, Style, plain};
use crate::shapes::StatusShape;
use crate::table::{Cell, align};
use crate::words;

pub(super) async fn run(auth: &Auth, output: Output) -> Result<(), Failure> {
    let rows = auth.status(&Owner::default()).await?;
    if output.json {
        output.json(&shapes(&rows))
    } else {
        output.write(table(&rows, SystemClock.now(), output))
    }
}

pub(super) fn shapes(rows: &[ConnectionStatus]) -> Vec<StatusShape> {
    rows.iter().map(StatusShape::from).collect()
}

/// The table for people, with the end of its last line.
pub(super) fn table(rows: &[ConnectionStatus], now: Timestamp, output: Output) -> String {
    if rows.is_empty() {
        return "The configuration has no provider that can be connected.\n".to_owned();
    }
    let titles = [" ", "ACCOUNT", "STATE", "LOGIN", "TOKEN ENDS", "NEXT STEP"];
    let mut cells = vec![titles.map(|title| Cell::styled(Style::Dim, title))];
    cells.extend(rows.iter().map(|row| self::row(row, now)));
    let mut text = String::new();
    for (index, line) in align(&cells, output).iter().enumerate() {
        text.push_str(line);
        text.push('\n');
        let Some(row) = index.checked_sub(1).map(|index| &rows[index]) else { continue };
        for note in row.note.iter().cloned().chain(row.credentials.iter().map(credential)) {
            text.push_str(&output.styled(Style::Dim, &format!("   {}", plain(&note))));
            text.push('\n');
        }
    }
    text
}

fn credential(present: &Present) -> String {
    let noun = present.kind.noun();
    match &present.source {
        Some(Source::Store) => format!("{noun} in the store"),
        Some(source) => format!("{noun}: {source}"),
        None => format!("{noun} that cannot be used; `loomkin-auth resolve` says why"),
    }
}

fn row(status: &ConnectionStatus, now: Timestamp) -> [Cell; 6] {
    let style = match status.state {
        ConnectionState::Connected | ConnectionState::Refreshing => Style::Good,
        ConnectionState::Degraded { usable: true, .. } => Style::Warning,
        ConnectionState::Disconnected => Style::Dim,
        _ => Style::Bad,
    };
    let ends = status.expires_at.map(|moment| match status.state {
        // Its end is nothing to worry about, and "3 days ago" would look like it.
        ConnectionState::Connected if moment <= now => "renewed at next use".to_owned(),
        _ => words::distance(moment, now),
    });
    [
        Cell::plain(if status.active { "*" } else { " " }),
        Cell::styled(Style::Strong, status.account.to_string()),
        Cell::styled(style, status.state.as_str().replace('_', " ")),
        Cell::plain(clip(&plain(status.account_login.as_deref().unwrap_or_default()))),
        Cell::plain(ends.unwrap_or_default()),
        Cell::plain(status.next_step.as_deref().map(plain).unwrap_or_default()),
    ]
}

/// A very long name must not push the other columns off the screen.
fn clip(text: &str) -> String {
    if text.chars().count() <= MAX_LOGIN {
        return text.to_owned();
    }
    text.chars().take(MAX_LOGIN - 1).chain(['…']).collect()
}

const MAX_LOGIN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_login_is_clipped() {
        assert_eq!(clip("ada"), "ada");
        assert_eq!(clip(&"é".repeat(40)).chars().count(), MAX_LOGIN);
    }
}
