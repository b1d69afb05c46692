//! Events.

use loomkin_auth::store::{Event, EventKind, FailureKind};
use rustler::NifStruct;

use super::word::{Word, millis};

/// An [`Event`] as `LoomkinAuth.Event`. Fields that its kind does not have are `nil`.
#[derive(NifStruct)]
#[module = "LoomkinAuth.Event"]
#[rustler(encode)]
pub(crate) struct Told {
    event: Word,
    owner: Option<String>,
    provider: Option<String>,
    account: Option<String>,
    at: i64,
    revoked: Option<bool>,
    reason: Option<Word>,
    kind: Option<Word>,
    next_attempt_at: Option<i64>,
}

impl From<Event> for Told {
    fn from(event: Event) -> Self {
        let told = Self {
            event: Word(event.kind.as_str()),
            owner: event.owner.as_ref().map(|owner| owner.as_str().to_owned()),
            provider: event.account.as_ref().map(|account| account.provider.to_string()),
            account: event.account.as_ref().map(ToString::to_string),
            at: event.at.unix_millis(),
            revoked: None,
            reason: None,
            kind: None,
            next_attempt_at: None,
        };
        match event.kind {
            EventKind::Disconnected { revoked } => Self { revoked, ..told },
            EventKind::ReconnectRequired { reason } => Self { reason: Some(Word(reason.as_str())), ..told },
            EventKind::RefreshFailed { kind, next_attempt_at } => {
                Self { kind: kind_of(kind), next_attempt_at: millis(next_attempt_at), ..told }
            }
            _ => told,
        }
    }
}

fn kind_of(kind: FailureKind) -> Option<Word> {
    match kind {
        FailureKind::Refused => Some(Word("refused")),
        FailureKind::Unknown => Some(Word("unknown")),
        // No event has another.
        _ => None,
    }
}
