//! The device authorization request and its answer (RFC 8628 §3.1, §3.2).
//!
//! [`poll`] asks whether the person has decided, and [`pace`] says when to ask next.

pub mod pace;
pub mod poll;
mod shown;

use std::fmt;
use std::time::Duration;

use oauth2::{DeviceAuthorizationUrl, Scope, StandardDeviceAuthorizationResponse};
use serde_json::Value;
use url::Url;

use super::authorization::asks_for_consent;
use super::body::{read_error, read_fields};
use super::capture::{Capture, token_client};
use super::message::{Request, Response};
use super::refresh::read_retry_after;
use super::token::refusal;
use super::token_answer::{TokenAnswer, take_token};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::provider::Provider;
use crate::secret::Secret;

/// What the server gave for a device login: a code for us to poll with, and what to show to the person.
///
/// Its `Debug` shows neither: the person's code is to be shown on purpose, and not by a log line.
pub struct DeviceAuthorization {
    device_code: Secret,
    user_code: String,
    verification_uri: Url,
    verification_uri_complete: Option<Url>,
    interval: Duration,
    expires_at: Timestamp,
}

/// Builds the request that begins a device login for `scopes` at `provider`.
///
/// It carries the configured `params` and, where one is configured, the `device_name`; `prompt=consent` as in the
/// [authorization request](super::authorization::request_authorization).
///
/// # Errors
///
/// `config_invalid` where the provider has no device authorization endpoint, or the registration cannot be put into a
/// request.
pub fn device_authorization_request(provider: &Provider, scopes: &[String]) -> Result<Request> {
    let endpoint = provider.device_authorization_endpoint()?;
    let client = token_client(provider)
        .set_device_authorization_url(DeviceAuthorizationUrl::from_url(endpoint.clone()));
    let mut request = client.exchange_device_code().add_scopes(scopes.iter().cloned().map(Scope::new));
    for (name, value) in &provider.params {
        request = request.add_extra_param(name, value);
    }
    if asks_for_consent(provider, scopes) {
        request = request.add_extra_param("prompt", "consent");
    }
    if let Some(name) = &provider.device_name {
        request = request.add_extra_param("device_name", name);
    }
    let capture = Capture::default();
    // The outcome is always "not sent"; the request is in the capture.
    let _: Result<StandardDeviceAuthorizationResponse, _> = request.request(&capture);
    capture.into_request(endpoint)
}

impl DeviceAuthorization {
    /// Reads the answer, come at `now`, to a request that was sent at `sent_at`.
    ///
    /// | Member | Read as |
    /// | --- | --- |
    /// | `device_code` | as a token is |
    /// | `user_code` | 1 to 64 characters that can be seen; what could drive a terminal is refused, not removed |
    /// | `verification_uri` | https, or http on this machine; without credentials. `verification_url` is Google's spelling |
    /// | `verification_uri_complete` | the same, and as good as absent otherwise. It may have another origin: both come from one answer, so that an origin would prove nothing |
    /// | `expires_in` | a length of time, from `sent_at`; more than an hour means an hour |
    /// | `interval` | 5 seconds where it is missing or no number; else 1 to 60 seconds, and no more than half of `expires_in`, so that there is a poll at all |
    ///
    /// # Errors
    ///
    /// `client_rejected` or `unavailable` by the server's `error` or status; `server_misbehaved` when a member that is
    /// needed is missing or none of the above.
    pub fn read(response: &Response, sent_at: Timestamp, now: Timestamp) -> Result<Self> {
        let refuse = |answer| Err(refused(answer, response, now));
        let Some(mut fields) = read_fields(response) else {
            return refuse(TokenAnswer::Nothing { problem: "is neither JSON nor a form" });
        };
        if let Some((error, text)) = read_error(&fields) {
            return refuse(TokenAnswer::Error { error, text });
        }
        if !matches!(response.status, 200 | 201) {
            return refuse(TokenAnswer::Nothing { problem: "has another status than 200" });
        }
        let device_code = take_token(&mut fields, "device_code")
            .map_err(misbehaved)?
            .ok_or_else(|| misbehaved("has no device_code"))?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let user_code = text("user_code")
            .and_then(shown::user_code)
            .ok_or_else(|| misbehaved("has no user_code that can be shown"))?;
        let verification_uri = text("verification_uri")
            .or_else(|| text("verification_url"))
            .and_then(shown::verification_uri)
            .ok_or_else(|| misbehaved("has no verification_uri that is https and without credentials"))?;
        let lifetime = fields
            .get("expires_in")
            .and_then(read_seconds)
            .filter(|seconds| *seconds > 0.0)
            .ok_or_else(|| misbehaved("does not say how long the code is good"))?;
        let lifetime = Duration::from_secs_f64(lifetime.min(LONGEST_LIFETIME.as_secs_f64()));
        Ok(Self {
            device_code,
            user_code,
            verification_uri,
            verification_uri_complete: text("verification_uri_complete").and_then(shown::verification_uri),
            interval: interval(fields.get("interval").and_then(read_seconds), lifetime),
            expires_at: sent_at.plus(lifetime),
        })
    }

    /// Brings the end forward to `moment`; a later moment changes nothing.
    #[must_use]
    pub fn finish_by(mut self, moment: Timestamp) -> Self {
        self.expires_at = self.expires_at.min(moment);
        self
    }

    /// What we poll with.
    pub fn device_code(&self) -> &Secret {
        &self.device_code
    }

    /// What the person types in, exactly as the server sent it.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where the person types it in.
    pub fn verification_uri(&self) -> &Url {
        &self.verification_uri
    }

    /// The same with the code in it, for a link or a QR code. The person compares the codes all the same (§3.3.1).
    pub fn verification_uri_complete(&self) -> Option<&Url> {
        self.verification_uri_complete.as_ref()
    }

    /// How long to wait between two polls, until the server wants more.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// When the code ends.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("interval", &self.interval)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn interval(asked_for: Option<f64>, lifetime: Duration) -> Duration {
    let seconds = asked_for.unwrap_or(DEFAULT_INTERVAL.as_secs_f64());
    let seconds = seconds.clamp(SHORTEST_INTERVAL.as_secs_f64(), LONGEST_INTERVAL.as_secs_f64());
    Duration::from_secs_f64(seconds).min((lifetime / 2).max(SHORTEST_INTERVAL))
}

/// A number of seconds, as a number or a text. Infinity is one.
fn read_seconds(value: &Value) -> Option<f64> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (!f64::is_nan(seconds)).then_some(seconds)
}

fn refused(answer: TokenAnswer, response: &Response, now: Timestamp) -> Error {
    let status = response.status;
    let code = refusal(&answer, status).code();
    let answered = format!("the device authorization endpoint answered {status}");
    let error = match &answer {
        _ if code == ErrorCode::Unavailable => Error::new(code, answered),
        TokenAnswer::Error { .. } => Error::new(
            ErrorCode::ClientRejected,
            "the server refuses the device authorization request",
        )
        .with_advice(
            "Check client_id and scopes, and that the provider allows the device flow for this registration.",
        ),
        TokenAnswer::Nothing { problem } if (200..300).contains(&status) => misbehaved(problem),
        _ => Error::new(ErrorCode::ServerMisbehaved, format!("{answered} without saying why"))
            .with_advice("Check that device_authorization_endpoint is the server's."),
    };
    let error = match answer {
        TokenAnswer::Error { error: word, text } => error.with_oauth_error(word, text),
        _ => error,
    };
    match read_retry_after(&response.headers, now) {
        Some(wait) if error.is_transient() => error.with_retry_after(wait),
        _ => error,
    }
}

fn misbehaved(problem: &str) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, format!("the device authorization endpoint's answer {problem}"))
}

const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
