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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixture::{NOW, answer, form_of, labelled, pairs};
    use crate::provider::fixture::{example_provider, preset_provider};

    fn kind(response: &Response) -> &'static str {
        let answer = RefreshAnswer::read(response, NOW, NOW);
        assert!(!format!("{answer:?}").contains("canary"));
        match answer {
            RefreshAnswer::Client(error) => {
                assert_eq!(error.code(), ErrorCode::ClientRejected);
                "client"
            }
            RefreshAnswer::Permanent(error) => {
                assert_eq!(error.code(), ErrorCode::ReconnectRequired);
                "permanent"
            }
            RefreshAnswer::Refused { error, .. } => {
                assert_eq!(error.code(), ErrorCode::Unavailable);
                "refused"
            }
            RefreshAnswer::Tokens(_) => "tokens",
            RefreshAnswer::Unknown { error, .. } => {
                assert!(matches!(error.code(), ErrorCode::ServerMisbehaved | ErrorCode::Unavailable));
                "unknown"
            }
        }
    }

    #[test]
    fn the_request_presents_the_token_and_asks_for_nothing_else() {
        let token = Secret::new("refresh-canary");
        let request = refresh_request(&example_provider(), &token).unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", "refresh-canary")];
        assert_eq!(form_of(&request), pairs(&fields));
        let request = refresh_request(&preset_provider("anthropic"), &token).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["refresh_token"], "refresh-canary");
    }

    #[test]
    fn only_invalid_grant_with_a_status_that_fits_is_permanent() {
        let said = |status, word: &str| kind(&answer(status, format!(r#"{{"error":"{word}"}}"#)));
        for status in [200, 400, 401, 403] {
            assert_eq!(said(status, "invalid_grant"), "permanent", "{status}");
        }
        assert_eq!(said(200, "bad_refresh_token"), "permanent");
        assert_eq!(said(429, "invalid_grant"), "refused");
        assert_eq!(said(503, "invalid_grant"), "refused");
        assert_eq!(said(500, "invalid_grant"), "unknown");
        for word in ["invalid_token", "expired", "INVALID_GRANT", "quota"] {
            assert_eq!(said(400, word), "refused", "{word}");
        }
    }

    #[test]
    fn a_refused_registration_is_no_matter_of_the_token() {
        for word in [
            "invalid_client",
            "invalid_request",
            "invalid_scope",
            "unauthorized_client",
            "unsupported_grant_type",
            "access_denied",
        ] {
            assert_eq!(kind(&answer(400, format!(r#"{{"error":"{word}"}}"#))), "client", "{word}");
        }
    }

    #[test]
    fn an_answer_without_an_error_is_judged_by_its_status() {
        for status in [301, 302, 400, 401, 403, 404, 408, 413, 429, 451, 503] {
            assert_eq!(kind(&answer(status, "<html>canary")), "refused", "{status}");
        }
        for status in [200, 201, 204, 500, 502, 504, 520] {
            assert_eq!(kind(&answer(status, "<html>canary")), "unknown", "{status}");
        }
        assert_eq!(kind(&answer(200, r#"{"access_token":"canary"}"#)), "tokens");
        assert_eq!(kind(&answer(500, r#"{"access_token":"canary"}"#)), "unknown");
        assert_eq!(kind(&answer(400, r#"{"error":"server_error"}"#)), "unknown");
        assert_eq!(kind(&answer(400, r#"{"error":"temporarily_unavailable"}"#)), "refused");
        assert_eq!(kind(&answer(500, r#"{"error":"temporarily_unavailable"}"#)), "refused");
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let wait = |text: &str| read_retry_after(&labelled(429, "retry-after", text, "").headers, NOW);
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait(" 0 "), Some(Duration::ZERO));
        assert_eq!(wait("99999999999999999999999"), Some(LONGEST_RETRY_AFTER));
        // NOW is 2027-01-15T08:00:00Z.
        assert_eq!(wait("Fri, 15 Jan 2027 08:02:00 GMT"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Fri, 15 Jan 2027 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("Mon, 15 Jan 2998 08:00:00 GMT"), Some(LONGEST_RETRY_AFTER));
        for nonsense in ["", "soon", "-5", "1.5", "2027-01-15T08:02:00Z"] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
        let RefreshAnswer::Refused { retry_after, error } =
            RefreshAnswer::read(&labelled(503, "retry-after", "7", ""), NOW, NOW)
        else {
            panic!("503 is a refusal");
        };
        assert_eq!((retry_after, error.retry_after()), (Some(Duration::from_secs(7)), retry_after));
    }
}
