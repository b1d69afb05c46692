//! One account in the status.

use loomkin_auth::credential::Present;
use loomkin_auth::status::{ConnectionState, ConnectionStatus};
use rustler::NifStruct;

use super::word::{Word, millis};

/// A [`ConnectionStatus`] as `LoomkinAuth.Status`.
#[derive(NifStruct)]
#[module = "LoomkinAuth.Status"]
#[rustler(encode)]
pub(crate) struct Status {
    provider: String,
    account: String,
    state: Word,
    reason: Option<Word>,
    usable: Option<bool>,
    next_attempt_at: Option<i64>,
    active: bool,
    account_login: Option<String>,
    account_id: Option<String>,
    scopes: Vec<String>,
    missing_scopes: Vec<String>,
    expires_at: Option<i64>,
    base_url: Option<String>,
    since: Option<i64>,
    revocation_until: Option<i64>,
    credentials: Vec<(Word, Option<String>)>,
    note: Option<String>,
    next_step: Option<String>,
}

impl From<ConnectionStatus> for Status {
    fn from(status: ConnectionStatus) -> Self {
        let (reason, usable, next_attempt_at) = match status.state {
            ConnectionState::Degraded { usable, next_attempt_at } => (None, Some(usable), next_attempt_at),
            ConnectionState::ReconnectRequired { reason } => (Some(Word(reason.as_str())), None, None),
            _ => (None, None, None),
        };
        Self {
            provider: status.account.provider.to_string(),
            account: status.account.to_string(),
            state: Word(status.state.as_str()),
            reason,
            usable,
            next_attempt_at: millis(next_attempt_at),
            active: status.active,
            account_login: status.account_login,
            account_id: status.account_id,
            scopes: status.scopes,
            missing_scopes: status.missing_scopes,
            expires_at: millis(status.expires_at),
            base_url: status.base_url,
            since: millis(status.since),
            revocation_until: millis(status.revocation_until),
            credentials: status.credentials.iter().map(present).collect(),
            note: status.note,
            next_step: status.next_step,
        }
    }
}

/// The kind, and where it is; `nil` where it cannot be used.
fn present(present: &Present) -> (Word, Option<String>) {
    (Word(present.kind.as_str()), present.source.as_ref().map(ToString::to_string))
}
