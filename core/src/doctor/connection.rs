//! The connections that are stored.

use std::time::Duration;

use super::{Finding, FindingCode};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::status::ConnectionState;
use crate::store::StaticKind;

/// What a stored connection looks like with this configuration.
#[derive(Clone, Debug)]
pub struct ConnectionFacts {
    /// Whose it is.
    pub account: AccountKey,
    /// Whether anybody can log in at its provider with this configuration.
    pub is_configured: bool,
    /// Its state, or why it cannot be used.
    pub state: Result<ConnectionState, Error>,
    /// When it ends as a whole, because there is no refresh token.
    pub ends_at: Option<Timestamp>,
    /// Scopes that the configuration asks for and that are not granted.
    pub missing_scopes: Vec<String>,
    /// Until when its revocation is tried again, for one that was disconnected.
    pub revocation_until: Option<Timestamp>,
}

/// What is wrong with it at `now`.
pub fn examine(facts: &ConnectionFacts, now: Timestamp) -> Vec<Finding> {
    let findings = match (&facts.state, facts.revocation_until) {
        (_, Some(until)) => vec![revocation_waits(&facts.account, until)],
        _ if !facts.is_configured => vec![left_over(&facts.account)],
        (Err(error), None) => vec![refused(&facts.account, error)],
        (Ok(state), None) => of_state(facts, *state, now),
    };
    findings.into_iter().map(|finding| finding.about(&facts.account)).collect()
}

fn of_state(facts: &ConnectionFacts, state: ConnectionState, now: Timestamp) -> Vec<Finding> {
    let account = &facts.account;
    let mut findings = Vec::new();
    match state {
        ConnectionState::ReconnectRequired { reason } => {
            let over = crate::credential::reconnect(account, reason);
            return vec![Finding::of_error(FindingCode::ConnectionOver, &over)];
        }
        ConnectionState::Degraded { usable, .. } => findings.push(Finding::new(
            FindingCode::ConnectionDegraded,
            match usable {
                true => format!("{account} cannot be refreshed at the moment; its present token still works"),
                false => format!("{account} cannot be refreshed at the moment, and its token has ended"),
            },
            "Run `loomkin-auth doctor --probe` to see whether the provider can be reached; it is tried again by itself.",
        )),
        _ => {}
    }
    if let Some(end) = facts.ends_at.filter(|end| end.time_left(now) < SOON) {
        let message = format!("{account} ends at {end}: its provider gave no refresh token");
        let remedy = format!("Run `loomkin-auth connect {account}` before that.");
        findings.push(Finding::new(FindingCode::ConnectionEnding, message, remedy));
    }
    if !facts.missing_scopes.is_empty() {
        let options: String = facts.missing_scopes.iter().map(|scope| format!(" --scope {scope}")).collect();
        let message = format!("{account} was not granted {}", facts.missing_scopes.join(", "));
        let remedy = format!("Run `loomkin-auth connect {account}{options}`.");
        findings.push(Finding::new(FindingCode::ScopesMissing, message, remedy));
    }
    findings
}

fn refused(account: &AccountKey, error: &Error) -> Finding {
    match error.code() {
        ErrorCode::NotConnected => {
            let advice = format!(
                "Check where this configuration file comes from; if it is right, run `loomkin-auth connect {account}`."
            );
            let error = Error::new(error.code(), error.message()).with_advice(advice);
            Finding::of_error(FindingCode::ConnectionForeign, &error)
        }
        _ => Finding::of_error(FindingCode::ConnectionUnreadable, error),
    }
}

fn left_over(account: &AccountKey) -> Finding {
    let message =
        format!("{account} is connected, and nobody can log in at its provider with this configuration");
    let remedy = format!("Configure the provider again, or run `loomkin-auth disconnect {account} --local`.");
    Finding::new(FindingCode::ConnectionLeftOver, message, remedy)
}

fn revocation_waits(account: &AccountKey, until: Timestamp) -> Finding {
    let message = format!("{account} is disconnected here, and the provider does not know that yet");
    let remedy = format!(
        "Run `loomkin-auth disconnect {account}` to try again; after {until}, end it on the provider's pages."
    );
    Finding::new(FindingCode::RevocationWaiting, message, remedy)
}

/// How a command names the place of a stored credential of `kind`.
pub(super) fn remove_command(account: &AccountKey, kind: StaticKind) -> String {
    format!("`loomkin-auth key remove {account}{}`", kind.option())
}

/// Long enough to do something about it in a working day.
const SOON: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ReconnectReason;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000_000);

    fn healthy() -> ConnectionFacts {
        ConnectionFacts {
            account: "github/work".parse().unwrap(),
            is_configured: true,
            state: Ok(ConnectionState::Connected),
            ends_at: None,
            missing_scopes: Vec::new(),
            revocation_until: None,
        }
    }

    fn codes(facts: &ConnectionFacts) -> Vec<FindingCode> {
        let findings = examine(facts, NOW);
        assert!(findings.iter().all(|finding| finding.account.as_ref() == Some(&facts.account)));
        findings.into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_healthy_connection_is_nothing_to_speak_of() {
        assert_eq!(codes(&healthy()), []);
        let far = Some(NOW.plus(SOON));
        assert_eq!(codes(&ConnectionFacts { ends_at: far, ..healthy() }), []);
    }

    #[test]
    fn one_that_ends_within_a_day_is_told_in_time() {
        let near = Some(NOW.plus(SOON - Duration::from_millis(1)));
        assert_eq!(codes(&ConnectionFacts { ends_at: near, ..healthy() }), [FindingCode::ConnectionEnding]);
    }

    #[test]
    fn each_state_that_is_not_well_is_told() {
        let reason = ReconnectReason::Revoked;
        let degraded = |usable| ConnectionState::Degraded { usable, next_attempt_at: None };
        for (state, found) in [
            (ConnectionState::ReconnectRequired { reason }, FindingCode::ConnectionOver),
            (degraded(true), FindingCode::ConnectionDegraded),
            (degraded(false), FindingCode::ConnectionDegraded),
        ] {
            assert_eq!(codes(&ConnectionFacts { state: Ok(state), ..healthy() }), [found]);
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_apart_by_its_reason() {
        let refused = |code| {
            let error = Error::new(code, "x");
            codes(&ConnectionFacts { state: Err(error), ..healthy() })
        };
        assert_eq!(refused(ErrorCode::NotConnected), [FindingCode::ConnectionForeign]);
        assert_eq!(refused(ErrorCode::StoreFailed), [FindingCode::ConnectionUnreadable]);
        assert_eq!(refused(ErrorCode::KeyUnavailable), [FindingCode::ConnectionUnreadable]);
        let left_over = ConnectionFacts { is_configured: false, ..healthy() };
        assert_eq!(codes(&left_over), [FindingCode::ConnectionLeftOver]);
        let waiting = ConnectionFacts { revocation_until: Some(NOW), ..healthy() };
        assert_eq!(codes(&waiting), [FindingCode::RevocationWaiting]);
    }

    #[test]
    fn scopes_that_are_missing_are_asked_for_by_the_command() {
        let missing_scopes = vec!["gist".to_owned(), "repo".to_owned()];
        let findings = examine(&ConnectionFacts { missing_scopes, ..healthy() }, NOW);
        assert_eq!(findings[0].remedy, "Run `loomkin-auth connect github/work --scope gist --scope repo`.");
    }
}
