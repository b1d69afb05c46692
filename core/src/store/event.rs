//! What happened to connections: the words, the form in which backends keep them, and which change makes which.
//!
//! Events are rows of the store, written in the transaction that makes the change they tell of. So none is lost with
//! its process, and none tells of what did not happen.

mod cursor;

pub use cursor::EventCursor;

use super::{Failure, FailureKind, ReconnectReason};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;

/// Something that happened. It holds no secret and nothing that the provider said of the person.
///
/// It tells of a change, and not of the present state: what is true now says the status, which shows at least every
/// change whose event has been delivered.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// To which of the app's users; `None` for [`EventKind::Missed`], which may concern all of them.
    pub owner: Option<Owner>,
    /// To which of their accounts.
    pub account: Option<AccountKey>,
    /// When, by the store's clock.
    pub at: Timestamp,
}

impl Event {
    /// Events are missing here.
    pub fn missed(at: Timestamp) -> Self {
        Self { kind: EventKind::Missed, owner: None, account: None, at }
    }
}

/// What can happen. The list is a contract: `tests/vectors/events.json` holds it for every language.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// The owner's active account is another now: the event's, or none where the event has none.
    ActiveChanged,
    /// A login was stored.
    Connected,
    /// A connection was ended. One disconnect may be told of twice: at once, and when the server has answered.
    Disconnected {
        /// Whether the server ended its grant; `None` where that is not known yet.
        revoked: Option<bool>,
    },
    /// Events were lost, because nobody took them in time. Read the status anew.
    Missed,
    /// Only a new login helps.
    ReconnectRequired {
        /// Why.
        reason: ReconnectReason,
    },
    /// An attempt to refresh failed; there will be others.
    RefreshFailed {
        /// What is known about the outcome; never `Permanent`, which is `ReconnectRequired`.
        kind: FailureKind,
        /// When the next attempt is allowed.
        next_attempt_at: Option<Timestamp>,
    },
    /// New tokens were stored.
    Refreshed,
}

impl EventKind {
    /// What `failure` means to those who listen.
    pub fn of_failure(failure: &Failure) -> Self {
        match failure.kind {
            FailureKind::Permanent(reason) => Self::ReconnectRequired { reason },
            kind => Self::RefreshFailed { kind, next_attempt_at: failure.next_attempt_at },
        }
    }

    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActiveChanged => "active_changed",
            Self::Connected => "connected",
            Self::Disconnected { .. } => "disconnected",
            Self::Missed => "missed",
            Self::ReconnectRequired { .. } => "reconnect_required",
            Self::RefreshFailed { .. } => "refresh_failed",
            Self::Refreshed => "refreshed",
        }
    }

    /// What backends keep beside the name. Its form stays as it is: other versions may read it.
    pub fn detail(self) -> Option<String> {
        match self {
            Self::Disconnected { revoked } => {
                revoked.map(|revoked| if revoked { "revoked" } else { "not_revoked" }.to_owned())
            }
            Self::ReconnectRequired { reason } => Some(reason.as_str().to_owned()),
            Self::RefreshFailed { kind, next_attempt_at: None } => Some(kind.to_text()),
            Self::RefreshFailed { kind, next_attempt_at: Some(next) } => {
                Some(format!("{} {}", kind.to_text(), next.unix_millis()))
            }
            Self::ActiveChanged | Self::Connected | Self::Missed | Self::Refreshed => None,
        }
    }

    /// Reads what backends keep; `None` for what a later version wrote, which a reader passes over.
    pub fn from_text(name: &str, detail: Option<&str>) -> Option<Self> {
        Some(match (name, detail) {
            ("active_changed", None) => Self::ActiveChanged,
            ("connected", None) => Self::Connected,
            ("disconnected", None) => Self::Disconnected { revoked: None },
            ("disconnected", Some("revoked")) => Self::Disconnected { revoked: Some(true) },
            ("disconnected", Some("not_revoked")) => Self::Disconnected { revoked: Some(false) },
            ("reconnect_required", Some(reason)) => {
                Self::ReconnectRequired { reason: ReconnectReason::from_text(reason)? }
            }
            ("refresh_failed", Some(detail)) => {
                let (kind, next) = match detail.split_once(' ') {
                    Some((kind, next)) => (kind, Some(Timestamp::from_unix_millis(next.parse().ok()?))),
                    None => (detail, None),
                };
                match FailureKind::from_text(kind) {
                    FailureKind::Later | FailureKind::Permanent(_) => return None,
                    kind => Self::RefreshFailed { kind, next_attempt_at: next },
                }
            }
            ("refreshed", None) => Self::Refreshed,
            _ => return None,
        })
    }
}

/// An event to write, in the transaction that makes the change. The backend adds the moment.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// To which of the app's users.
    pub owner: Owner,
    /// To which of their accounts.
    pub account: Option<AccountKey>,
}

impl NewEvent {
    /// Something that happened to `account`.
    pub fn of(account: &AccountKey, kind: EventKind) -> Self {
        Self { kind, owner: account.owner.clone(), account: Some(account.clone()) }
    }

    /// What a login makes that is stored; `activated` says that another account, or none, was the active one before.
    pub fn of_login(account: &AccountKey, activated: bool) -> Vec<Self> {
        let mut events = vec![Self::of(account, EventKind::Connected)];
        events.extend(activated.then(|| Self::of_selection(&account.owner, Some(account))));
        events
    }

    /// What the end of a connection makes; `was_active` says that its owner is without an active account now.
    pub fn of_disconnect(account: &AccountKey, revoked: Option<bool>, was_active: bool) -> Vec<Self> {
        let mut events = vec![Self::of(account, EventKind::Disconnected { revoked })];
        events.extend(was_active.then(|| Self::of_selection(&account.owner, None)));
        events
    }

    /// What another choice of the active account makes.
    pub fn of_selection(owner: &Owner, account: Option<&AccountKey>) -> Self {
        Self { kind: EventKind::ActiveChanged, owner: owner.clone(), account: account.cloned() }
    }

    /// The event, now that it is known when it happened.
    pub fn at(self, at: Timestamp) -> Event {
        Event { kind: self.kind, owner: Some(self.owner), account: self.account, at }
    }
}

/// An event with its number in the log; it is `None` where a later version wrote it.
pub type Numbered = (i64, Option<Event>);

/// Our logs forget their oldest events at every so manieth: a writer would else touch both of its ends each time.
pub(super) const CUT_EVERY: i64 = 64;

#[cfg(test)]
mod tests;
