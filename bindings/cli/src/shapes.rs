//! The JSON that programs read. README.md documents every shape; a test holds the two together.

mod doctor;
mod import;

use std::time::Duration;

pub(crate) use doctor::DoctorShape;
pub(crate) use import::ImportShape;

use loomkin_auth::account::AccountKey;
use loomkin_auth::credential::{CredentialKind, Present, Resolution};
use loomkin_auth::error::Error;
use loomkin_auth::lifecycle::{AccessToken, Connected, Disconnected};
use loomkin_auth::protocol::revocation::RevocationAnswer;
use loomkin_auth::status::{ConnectionState, ConnectionStatus, Me};
use loomkin_auth::store::StaticKind;
use loomkin_auth::store::vault::{KeyOutcome, RotationReport};
use serde::Serialize;

/// One connection in `status`. Every key is always there; `null` means that it does not apply or is not known.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(crate) struct StatusShape {
    pub(crate) provider: String,
    pub(crate) account: String,
    pub(crate) active: bool,
    pub(crate) state: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) usable: Option<bool>,
    pub(crate) next_attempt_at: Option<String>,
    pub(crate) account_login: Option<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) missing_scopes: Vec<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) revocation_until: Option<String>,
    pub(crate) credentials: Vec<CredentialShape>,
    pub(crate) note: Option<String>,
    pub(crate) next_step: Option<String>,
}

impl From<&ConnectionStatus> for StatusShape {
    fn from(status: &ConnectionStatus) -> Self {
        let (reason, usable, next_attempt_at) = match status.state {
            ConnectionState::Degraded { usable, next_attempt_at } => (None, Some(usable), next_attempt_at),
            ConnectionState::ReconnectRequired { reason } => (Some(reason.as_str()), None, None),
            _ => (None, None, None),
        };
        Self {
            provider: status.account.provider.to_string(),
            account: status.account.account.to_string(),
            active: status.active,
            state: status.state.as_str(),
            reason,
            usable,
            next_attempt_at: next_attempt_at.map(|moment| moment.to_string()),
            account_login: status.account_login.clone(),
            account_id: status.account_id.clone(),
            scopes: status.scopes.clone(),
            missing_scopes: status.missing_scopes.clone(),
            expires_at: status.expires_at.map(|moment| moment.to_string()),
            base_url: status.base_url.clone(),
            since: status.since.map(|moment| moment.to_string()),
            revocation_until: status.revocation_until.map(|moment| moment.to_string()),
            credentials: status.credentials.iter().map(CredentialShape::from).collect(),
            note: status.note.clone(),
            next_step: status.next_step.clone(),
        }
    }
}

/// A static credential of an account; `source` is `null` where it cannot be used.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(crate) struct CredentialShape {
    pub(crate) kind: &'static str,
    pub(crate) source: Option<String>,
}

impl From<&Present> for CredentialShape {
    fn from(present: &Present) -> Self {
        Self { kind: present.kind.as_str(), source: present.source.as_ref().map(ToString::to_string) }
    }
}

/// The answer of `token`: the one shape that holds a secret, and so the one without `Debug`.
#[derive(Serialize)]
pub(crate) struct TokenShape<'a> {
    provider: &'a str,
    account: &'a str,
    token: &'a str,
    kind: &'static str,
    token_type: &'a str,
    expires_at: Option<String>,
    scopes: &'a [String],
}

impl<'a> From<&'a AccessToken> for TokenShape<'a> {
    fn from(token: &'a AccessToken) -> Self {
        Self {
            provider: token.account().provider.as_str(),
            account: token.account().account.as_str(),
            // To hand it out is what `token` is for.
            token: token.secret().expose(),
            kind: token.static_kind().map_or(CredentialKind::Oauth, CredentialKind::from).as_str(),
            token_type: token.token_type(),
            expires_at: token.expires_at().map(|moment| moment.to_string()),
            scopes: token.scopes(),
        }
    }
}

/// The answer of `me`.
#[derive(Debug, Serialize)]
pub(crate) struct MeShape {
    provider: String,
    account: String,
    account_login: Option<String>,
    account_id: Option<String>,
    base_url: Option<String>,
    since: String,
}

impl From<Me> for MeShape {
    fn from(me: Me) -> Self {
        Self {
            provider: me.account.provider.to_string(),
            account: me.account.account.to_string(),
            account_login: me.account_login,
            account_id: me.account_id,
            base_url: me.base_url,
            since: me.since.to_string(),
        }
    }
}

/// What `connect` says while it goes on, one line each.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum ConnectEvent<'a> {
    /// The person has to go to `url`; where `reads_paste`, what they bring back by hand is read from stdin.
    Authorize {
        provider: &'a str,
        account: &'a str,
        flow: &'a str,
        reasons: &'a [String],
        reads_paste: bool,
        url: &'a str,
        deadline: Option<String>,
    },
    /// The connection is stored.
    Connected {
        provider: &'a str,
        account: &'a str,
        account_login: Option<&'a str>,
        account_id: Option<&'a str>,
        scopes: &'a [String],
        missing_scopes: &'a [String],
        expires_at: Option<String>,
    },
    /// The person has to enter `user_code` at `verification_uri`, or go to `verification_uri_complete`.
    Device {
        provider: &'a str,
        account: &'a str,
        reasons: &'a [String],
        user_code: &'a str,
        verification_uri: &'a str,
        verification_uri_complete: Option<&'a str>,
        /// In seconds.
        interval: u64,
        deadline: String,
    },
    /// A pasted line does not answer this login, which goes on waiting for another.
    Rejected { provider: &'a str, account: &'a str, message: &'a str, advice: &'a str },
}

impl<'a> From<&'a Connected> for ConnectEvent<'a> {
    fn from(connected: &'a Connected) -> Self {
        Self::Connected {
            provider: connected.account.provider.as_str(),
            account: connected.account.account.as_str(),
            account_login: connected.account_login.as_deref(),
            account_id: connected.account_id.as_deref(),
            scopes: &connected.scopes,
            missing_scopes: &connected.missing_scopes,
            expires_at: connected.expires_at.map(|moment| moment.to_string()),
        }
    }
}

/// The answer of `disconnect`.
#[derive(Debug, Serialize)]
pub(crate) struct DisconnectShape<'a> {
    provider: &'a str,
    account: &'a str,
    was_connected: bool,
    revoked: bool,
    queued_until: Option<String>,
    reason: Option<&'a str>,
    kept: Vec<&'static str>,
}

impl<'a> DisconnectShape<'a> {
    pub(crate) fn new(account: &'a AccountKey, disconnected: &'a Disconnected) -> Self {
        let (revoked, reason) = match &disconnected.revocation {
            RevocationAnswer::NotRevoked { reason, .. } => (false, Some(reason.as_str())),
            RevocationAnswer::Revoked => (true, None),
        };
        Self {
            provider: account.provider.as_str(),
            account: account.account.as_str(),
            was_connected: disconnected.was_connected,
            revoked,
            queued_until: disconnected.queued_until.map(|moment| moment.to_string()),
            reason,
            kept: disconnected.kept.iter().map(|kind| kind.as_str()).collect(),
        }
    }
}

/// The answer of `key set`.
#[derive(Debug, Serialize)]
pub(crate) struct KeyShape<'a> {
    provider: &'a str,
    account: &'a str,
    kind: &'static str,
    outcome: &'static str,
    since: Option<String>,
}

impl<'a> KeyShape<'a> {
    pub(crate) fn new(account: &'a AccountKey, kind: StaticKind, outcome: KeyOutcome) -> Self {
        let (outcome, since) = match outcome {
            KeyOutcome::Stored => ("stored", None),
            KeyOutcome::Replaced => ("replaced", None),
            KeyOutcome::Kept(since) => ("kept", Some(since.to_string())),
        };
        let (provider, account) = (account.provider.as_str(), account.account.as_str());
        Self { provider, account, kind: kind.as_str(), outcome, since }
    }
}

/// The answer of `key remove`.
#[derive(Debug, Serialize)]
pub(crate) struct KeyRemovedShape<'a> {
    provider: &'a str,
    account: &'a str,
    kind: &'static str,
    removed: bool,
}

impl<'a> KeyRemovedShape<'a> {
    pub(crate) fn new(account: &'a AccountKey, kind: StaticKind, removed: bool) -> Self {
        let (provider, account) = (account.provider.as_str(), account.account.as_str());
        Self { provider, account, kind: kind.as_str(), removed }
    }
}

/// The answer of `resolve`. It has no place for the credential.
#[derive(Debug, Serialize)]
pub(crate) struct ResolveShape<'a> {
    tier: Option<&'a str>,
    provider: &'a str,
    account: &'a str,
    auth_mode: &'static str,
    kind: &'static str,
    place: &'static str,
    source: String,
    passed_over: Vec<PassedOverShape<'a>>,
    limits: &'a [&'static str],
}

/// A place that did not give the answer.
#[derive(Debug, Serialize)]
struct PassedOverShape<'a> {
    kind: &'static str,
    place: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a Resolution> for ResolveShape<'a> {
    fn from(resolution: &'a Resolution) -> Self {
        let passed_over = resolution.passed_over.iter().map(|passed_over| PassedOverShape {
            kind: passed_over.kind.as_str(),
            place: &passed_over.place,
            reason: &passed_over.reason,
        });
        Self {
            tier: resolution.tier.as_deref(),
            provider: resolution.account.provider.as_str(),
            account: resolution.account.account.as_str(),
            auth_mode: resolution.auth_mode.as_str(),
            kind: resolution.kind.as_str(),
            place: resolution.source.place(),
            source: resolution.source.to_string(),
            passed_over: passed_over.collect(),
            limits: resolution.limits,
        }
    }
}

/// The answer of `use`; both are `null` after `--none`.
#[derive(Debug, Serialize)]
pub(crate) struct UseShape<'a> {
    provider: Option<&'a str>,
    account: Option<&'a str>,
}

impl<'a> From<Option<&'a AccountKey>> for UseShape<'a> {
    fn from(account: Option<&'a AccountKey>) -> Self {
        Self {
            provider: account.map(|key| key.provider.as_str()),
            account: account.map(|key| key.account.as_str()),
        }
    }
}

/// The answer of `store rotate-key`.
#[derive(Debug, Serialize)]
pub(crate) struct RotationShape<'a> {
    key: String,
    made_key: bool,
    finished_earlier: bool,
    resealed: u64,
    removed_keys: u64,
    kept_keys: usize,
    damaged: Vec<DamagedShape<'a>>,
    damaged_revocations: u64,
    damaged_credentials: Vec<DamagedCredentialShape<'a>>,
}

/// A static credential that cannot be unsealed.
#[derive(Debug, Serialize)]
struct DamagedCredentialShape<'a> {
    owner: &'a str,
    provider: &'a str,
    account: &'a str,
    kind: &'static str,
}

/// An account whose record cannot be unsealed.
#[derive(Debug, Serialize)]
struct DamagedShape<'a> {
    owner: &'a str,
    provider: &'a str,
    account: &'a str,
}

impl<'a> From<&'a RotationReport> for RotationShape<'a> {
    fn from(report: &'a RotationReport) -> Self {
        let damaged = report.damaged.iter().map(|key| DamagedShape {
            owner: key.owner.as_str(),
            provider: key.provider.as_str(),
            account: key.account.as_str(),
        });
        Self {
            key: report.source.to_string(),
            made_key: report.made_key,
            finished_earlier: report.finished_earlier,
            resealed: report.resealed,
            removed_keys: report.removed_keys,
            kept_keys: report.kept_keys,
            damaged: damaged.collect(),
            damaged_revocations: report.damaged_revocations,
            damaged_credentials: report.damaged_credentials.iter().map(damaged_credential).collect(),
        }
    }
}

fn damaged_credential((key, kind): &(AccountKey, StaticKind)) -> DamagedCredentialShape<'_> {
    DamagedCredentialShape {
        owner: key.owner.as_str(),
        provider: key.provider.as_str(),
        account: key.account.as_str(),
        kind: kind.as_str(),
    }
}

/// An error, on stderr. What is not known is left out.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorShape<'a> {
    error: ErrorContent<'a>,
}

#[derive(Debug, Serialize)]
struct ErrorContent<'a> {
    code: &'static str,
    message: &'a str,
    advice: &'a str,
    /// In seconds, rounded up, so that waiting this long is waiting long enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a [String]>,
}

impl<'a> From<&'a Error> for ErrorShape<'a> {
    fn from(error: &'a Error) -> Self {
        Self {
            error: ErrorContent {
                code: error.code().as_str(),
                message: error.message(),
                advice: error.advice(),
                retry_after: error.retry_after().map(whole_seconds),
                provider: error.provider().map(|provider| provider.as_str()),
                account: error.account().map(|key| key.account.as_str()),
                details: Some(error.details()).filter(|lines| !lines.is_empty()),
            },
        }
    }
}

/// Seconds, rounded up.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
