//! What state every connection is in: derived from what is stored and the clock, never stored itself.

use std::fmt;

use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::credential::Present;
use crate::store::{FailureKind, ReconnectReason, Record};

/// The state of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// It works, or will be made to work by the next call, without anybody doing anything. So does an account that has
    /// nothing but a stored key.
    Connected,
    /// Refreshing fails at the moment.
    Degraded {
        /// Whether the present access token is still good.
        usable: bool,
        /// When the next attempt may be made.
        next_attempt_at: Option<Timestamp>,
    },
    /// Nothing is stored for the account.
    Disconnected,
    /// Only a new login helps.
    ReconnectRequired {
        /// Why.
        reason: ReconnectReason,
    },
    /// Somebody is refreshing it at this moment.
    Refreshing,
}

impl ConnectionState {
    /// The state of a stored connection at `now`.
    pub fn derive(record: &Record, now: Timestamp) -> Self {
        let usable = record.columns.expires_at.is_none_or(|end| now < end);
        let Some(current) = record.refresh_digest else {
            let reason = ReconnectReason::Expired;
            return if usable { Self::Connected } else { Self::ReconnectRequired { reason } };
        };
        let failure = record.failure.filter(|failure| failure.presented == current);
        match failure.map(|failure| (failure.kind, failure.next_attempt_at)) {
            Some((FailureKind::Permanent(reason), _)) => Self::ReconnectRequired { reason },
            _ if record.claim.is_some_and(|claim| now < claim.deadline) => Self::Refreshing,
            Some((_, next_attempt_at)) => Self::Degraded { usable, next_attempt_at },
            None => Self::Connected,
        }
    }

    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Degraded { .. } => "degraded",
            Self::Disconnected => "disconnected",
            Self::ReconnectRequired { .. } => "reconnect_required",
            Self::Refreshing => "refreshing",
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One account in the status. `Debug` leaves the identifiers out.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// Which account.
    pub account: AccountKey,
    /// Its state.
    pub state: ConnectionState,
    /// Whether it is the owner's active one.
    pub active: bool,
    /// The account's name at the provider.
    pub account_login: Option<String>,
    /// The account's unchanging id at the provider.
    pub account_id: Option<String>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// Scopes that the configuration asks for and that are not granted.
    pub missing_scopes: Vec<String>,
    /// When the present access token ends. A connection goes on living after that.
    pub expires_at: Option<Timestamp>,
    /// The resource server that the configuration named when the account was connected.
    pub base_url: Option<String>,
    /// When it was connected.
    pub since: Option<Timestamp>,
    /// Until when its revocation is tried again, where it was disconnected and that is still to be sent.
    pub revocation_until: Option<Timestamp>,
    /// The static credentials that it has besides its connection, in the order in which they count.
    pub credentials: Vec<Present>,
    /// What is unusual, in one sentence that is safe to show.
    pub note: Option<String>,
    /// What to do next, in one imperative sentence; `None` when there is nothing to do.
    pub next_step: Option<String>,
}

impl fmt::Debug for ConnectionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionStatus")
            .field("account", &self.account.to_string())
            .field("state", &self.state)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// Who the owner is at the active provider. `Debug` leaves the identifiers out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Me {
    /// The active account.
    pub account: AccountKey,
    /// The account's name at the provider.
    pub account_login: Option<String>,
    /// The account's unchanging id at the provider.
    pub account_id: Option<String>,
    /// The resource server that the configuration named when the account was connected.
    pub base_url: Option<String>,
    /// When it was connected.
    pub since: Timestamp,
}

impl fmt::Debug for Me {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Me").field("account", &self.account.to_string()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        AttemptId, Claim, Columns, ConnectionId, Failure, NewConnection, SealedTokens, TokenDigest,
    };

    const CURRENT: TokenDigest = TokenDigest([1; 32]);
    const NOW: Timestamp = Timestamp::from_unix_seconds(1000);

    fn record(expires_at: i64) -> Record {
        let mut columns = Columns::new(Timestamp::from_unix_seconds(0), Timestamp::from_unix_seconds(0));
        columns.expires_at = Some(Timestamp::from_unix_seconds(expires_at));
        Record::from_login(NewConnection {
            account: "github".parse().unwrap(),
            connection: ConnectionId([0; 16]),
            columns,
            sealed: SealedTokens(Vec::new()),
            refresh_digest: Some(CURRENT),
            begun_after: None,
        })
    }

    fn failed(kind: FailureKind, presented: TokenDigest, expires_at: i64) -> Record {
        let mut record = record(expires_at);
        let next_attempt_at = Some(Timestamp::from_unix_seconds(1200));
        record.failure = Some(Failure { kind, presented, in_a_row: 1, at: NOW, next_attempt_at });
        record
    }

    #[test]
    fn a_connection_with_a_refresh_token_stays_connected_after_its_access_token_ended() {
        assert_eq!(ConnectionState::derive(&record(1), NOW), ConnectionState::Connected);
    }

    #[test]
    fn without_a_refresh_token_the_end_is_the_end() {
        let (mut good, mut ended) = (record(1001), record(1000));
        (good.refresh_digest, ended.refresh_digest) = (None, None);
        assert_eq!(ConnectionState::derive(&good, NOW), ConnectionState::Connected);
        let reason = ReconnectReason::Expired;
        assert_eq!(ConnectionState::derive(&ended, NOW), ConnectionState::ReconnectRequired { reason });
    }

    #[test]
    fn a_failing_refresh_is_degraded_and_says_whether_the_token_still_works() {
        for (expires_at, usable) in [(1001, true), (1000, false)] {
            let state = ConnectionState::derive(&failed(FailureKind::Unknown, CURRENT, expires_at), NOW);
            let next_attempt_at = Some(Timestamp::from_unix_seconds(1200));
            assert_eq!(state, ConnectionState::Degraded { usable, next_attempt_at });
        }
    }

    #[test]
    fn a_failure_of_an_earlier_token_says_nothing_about_this_one() {
        let permanent = FailureKind::Permanent(ReconnectReason::Revoked);
        let state = |presented| ConnectionState::derive(&failed(permanent, presented, 1), NOW);
        assert_eq!(state(TokenDigest([2; 32])), ConnectionState::Connected);
        let reason = ReconnectReason::Revoked;
        assert_eq!(state(CURRENT), ConnectionState::ReconnectRequired { reason });
    }

    #[test]
    fn a_claim_shows_as_refreshing_until_its_lease_ends() {
        let mut record = record(1);
        let deadline = NOW.plus(std::time::Duration::from_millis(1));
        record.claim = Some(Claim { attempt: AttemptId([0; 16]), presented: CURRENT, deadline });
        assert_eq!(ConnectionState::derive(&record, NOW), ConnectionState::Refreshing);
        assert_eq!(ConnectionState::derive(&record, deadline), ConnectionState::Connected);
    }
}
