//! The refresh request (RFC 6749 §6), and what its answer says about the refresh token that was presented.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use oauth2::RefreshToken;

use super::capture::{Capture, form_to_json, token_client};
use super::message::{Request, Response};
use super::token_answer::{TokenAnswer, read_token_answer};
use super::token_set::TokenSet;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, OauthError, Result};
use crate::provider::Provider;
use crate::secret::Secret;

/// Builds the request that presents `refresh_token`. It asks for no scope, which means the same as before.
///
/// # Errors
///
/// `config_invalid` when the registration cannot be put into a request.
pub fn refresh_request(provider: &Provider, refresh_token: &Secret) -> Result<Request> {
    let client = token_client(provider);
    // Exposed to be put into the request.
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let capture = Capture::default();
    // The outcome is always "not sent"; the request is in the capture.
    let _ = client.exchange_refresh_token(&refresh_token).request(&capture);
    let request = capture.into_request(&provider.token_endpoint)?;
    Ok(if provider.quirks.json_token_requests { form_to_json(request) } else { request })
}

/// What became of a refresh, told apart by what may be done next.
#[derive(Clone, Debug)]
pub enum RefreshAnswer {
    /// The server refuses our registration or the request itself: the configuration is wrong, and a repeat is useless.
    Client(Error),
    /// `invalid_grant`: this refresh token is of no use any more. The code is `reconnect_required`.
    Permanent(Error),
    /// The server did not act on the request: it is safe to repeat it. The code is `unavailable`.
    Refused {
        /// The wait that the server asks for.
        retry_after: Option<Duration>,
        /// What to tell the person.
        error: Error,
    },
    /// New tokens. What the answer left out is not filled in yet: see [`TokenSet::or_from`].
    Tokens(Box<TokenSet>),
    /// The server may have acted on the request, and a repeat may end the grant. The code is `unavailable` or
    /// `server_misbehaved`.
    Unknown {
        /// The wait that the server asks for.
        retry_after: Option<Duration>,
        /// What to tell the person.
        error: Error,
    },
}

impl RefreshAnswer {
    /// Reads the answer, come at `now`, to a request that was sent at `sent_at`.
    ///
    /// | Answer | Meaning |
    /// | --- | --- |
    /// | tokens with 200, 201 | tokens |
    /// | 429, 503, `temporarily_unavailable`, `slow_down` | refused |
    /// | other 5xx, whatever the body; `server_error` | unknown: servers that lose a race against themselves say so |
    /// | `invalid_grant` | permanent |
    /// | any other `error` that an RFC knows | client |
    /// | 3xx, 4xx, without an `error` or with one that nobody knows | refused: a gateway, a captive portal |
    /// | 2xx that cannot be read | unknown |
    pub fn read(response: &Response, sent_at: Timestamp, now: Timestamp) -> Self {
        let retry_after = read_retry_after(&response.headers, now);
        let refused = |error: Error| Self::Refused { retry_after, error: with_wait(error, retry_after) };
        let unknown = |error: Error| Self::Unknown { retry_after, error: with_wait(error, retry_after) };
        let status = response.status;
        let answered = || Error::new(ErrorCode::Unavailable, format!("the token endpoint answered {status}"));

        let answer = read_token_answer(response, sent_at);
        let busy = matches!(
            answer,
            TokenAnswer::Error { error: OauthError::SlowDown | OauthError::TemporarilyUnavailable, .. }
        );
        match (status, answer) {
            (_, TokenAnswer::Tokens(tokens)) => Self::Tokens(tokens),
            (429 | 503, TokenAnswer::Error { error, text }) => {
                refused(answered().with_oauth_error(error, text))
            }
            (_, TokenAnswer::Error { error, text }) if busy => {
                refused(answered().with_oauth_error(error, text))
            }
            (500.., TokenAnswer::Error { error, text }) => unknown(answered().with_oauth_error(error, text)),
            (_, TokenAnswer::Error { error, text }) => match error {
                OauthError::ServerError => unknown(answered().with_oauth_error(error, text)),
                OauthError::InvalidGrant => Self::Permanent(
                    Error::new(
                        ErrorCode::ReconnectRequired,
                        "the server does not accept the refresh token any more",
                    )
                    .with_oauth_error(error, text),
                ),
                OauthError::Unknown => refused(answered().with_oauth_error(error, text)),
                _ => Self::Client(
                    Error::new(ErrorCode::ClientRejected, "the server refuses the refresh request")
                        .with_oauth_error(error, text),
                ),
            },
            (300..500 | 503, TokenAnswer::Nothing { .. }) => refused(answered()),
            (200..300, TokenAnswer::Nothing { problem }) => unknown(Error::new(
                ErrorCode::ServerMisbehaved,
                format!("the token endpoint's answer {problem}"),
            )),
            (_, TokenAnswer::Nothing { .. }) => unknown(answered()),
        }
    }
}

/// Reads `Retry-After`: seconds, or a date that is compared with `now` (RFC 9110 §10.2.3). At most an hour is
/// believed; what is neither is as good as nothing.
pub fn read_retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        let since_epoch = date.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_millis(0).plus(since_epoch).time_left(now)
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

fn with_wait(error: Error, retry_after: Option<Duration>) -> Error {
    match retry_after {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    }
}

const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
