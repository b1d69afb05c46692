//! The device access token request (RFC 8628 §3.4), and what its answer means (§3.5).

use std::time::Duration;

use http::StatusCode;
use oauth2::{HttpRequest, HttpResponse, StandardDeviceAuthorizationResponse, SyncHttpClient};
use serde_json::json;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, OauthError, Result};
use crate::protocol::capture::{Capture, NotSent, form_to_json, token_client};
use crate::protocol::message::{Request, Response};
use crate::protocol::refresh::read_retry_after;
use crate::protocol::token::refusal;
use crate::protocol::token_answer::{TokenAnswer, read_token_answer};
use crate::protocol::token_set::TokenSet;
use crate::provider::Provider;
use crate::secret::Secret;

/// Builds the request that asks whether the person has decided.
///
/// # Errors
///
/// `config_invalid` when the registration cannot be put into a request.
pub fn poll_request(provider: &Provider, device_code: &Secret) -> Result<Request> {
    // The crate polls with the answer that it would have read. Of that it sends the code alone, which is exposed for it.
    let answer: Option<StandardDeviceAuthorizationResponse> = serde_json::from_value(json!({
        "device_code": device_code.expose(),
        "expires_in": 3600,
        "user_code": "",
        "verification_uri": provider.token_endpoint.as_str(),
    }))
    .ok();
    let capture = Capture::default();
    if let Some(answer) = &answer {
        // The outcome is always "expired"; the request is in the capture.
        let _ = token_client(provider).exchange_device_access_token(answer).request(
            &Once(&capture),
            |_| {},
            None,
        );
    }
    let request = capture.into_request(&provider.token_endpoint)?;
    Ok(if provider.quirks.json_token_requests { form_to_json(request) } else { request })
}

/// Keeps the request, and ends the crate's own polling by an answer that says so: without one it would poll on.
struct Once<'a>(&'a Capture);

impl SyncHttpClient for Once<'_> {
    type Error = NotSent;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, NotSent> {
        let _ = self.0.call(request);
        let mut over = HttpResponse::new(br#"{"error":"expired_token"}"#.to_vec());
        *over.status_mut() = StatusCode::BAD_REQUEST;
        Ok(over)
    }
}

/// What the server said to a poll. `T` is what the grant yields: the tokens, or what was made of them.
#[derive(Debug)]
pub enum PollAnswer<T = Box<TokenSet>> {
    /// The person has allowed the access.
    Granted(T),
    /// The login is over.
    Over(Error),
    /// The person has not decided yet (`authorization_pending`).
    Pending,
    /// The person has not decided yet, and we ask too often (`slow_down`).
    SlowDown {
        /// The wait that the server asks for beside.
        retry_after: Option<Duration>,
    },
    /// There was no answer, or none that says anything about the login. The code is `unavailable`.
    Trouble {
        /// What to tell the person.
        error: Error,
        /// The wait that the server asks for.
        retry_after: Option<Duration>,
    },
}

impl<T> PollAnswer<T> {
    /// Goes on with the grant, where there is one; a failure of that ends the login.
    pub async fn and_then<U, F: Future<Output = Result<U>>>(
        self,
        work: impl FnOnce(T) -> F,
    ) -> PollAnswer<U> {
        match self {
            Self::Granted(grant) => work(grant).await.map_or_else(PollAnswer::Over, PollAnswer::Granted),
            Self::Over(error) => PollAnswer::Over(error),
            Self::Pending => PollAnswer::Pending,
            Self::SlowDown { retry_after } => PollAnswer::SlowDown { retry_after },
            Self::Trouble { error, retry_after } => PollAnswer::Trouble { error, retry_after },
        }
    }
}

impl PollAnswer {
    /// Reads the answer, come at `now`, to a poll that was sent at `sent_at`.
    ///
    /// | Answer | Meaning |
    /// | --- | --- |
    /// | tokens with 200, 201 | granted |
    /// | `authorization_pending`, `slow_down`, whatever the status | pending, slow down |
    /// | `access_denied` | over, `access_denied` |
    /// | `expired_token`, `invalid_grant` | over, `login_closed` |
    /// | 408, 425, 429, 5xx, `server_error`, `temporarily_unavailable` | trouble |
    /// | anything else | over, as for [another login](crate::protocol::token::read_access_token_answer) |
    pub fn read(response: &Response, sent_at: Timestamp, now: Timestamp) -> Self {
        let retry_after = read_retry_after(&response.headers, now);
        let answer = match read_token_answer(response, sent_at) {
            TokenAnswer::Tokens(tokens) => return Self::Granted(tokens),
            TokenAnswer::Error { error: OauthError::AuthorizationPending, .. } => return Self::Pending,
            TokenAnswer::Error { error: OauthError::SlowDown, .. } => return Self::SlowDown { retry_after },
            TokenAnswer::Error {
                error: error @ (OauthError::ExpiredToken | OauthError::InvalidGrant),
                text,
            } => {
                let message = match error {
                    OauthError::ExpiredToken => "the code has expired",
                    _ => "the server does not know the code any more",
                };
                return Self::Over(Error::new(ErrorCode::LoginClosed, message).with_oauth_error(error, text));
            }
            // A server in trouble may put any word into its apology.
            TokenAnswer::Error { error, text } if matches!(response.status, 429 | 500..) => {
                let message = format!("the token endpoint answered {}", response.status);
                let error = Error::new(ErrorCode::Unavailable, message).with_oauth_error(error, text);
                return Self::Trouble { error, retry_after };
            }
            answer => answer,
        };
        match refusal(&answer, response.status) {
            error if error.is_transient() => Self::Trouble { error, retry_after },
            error => Self::Over(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};

    use super::*;
    use crate::protocol::fixture::{NOW, answer, form_of, labelled, pairs};
    use crate::provider::fixture::{builder, example_provider};

    /// A public client, as in the examples of the RFC.
    fn public() -> Provider {
        let mut builder = builder(None);
        builder.registration.client_id = "1406020730".to_owned();
        builder.registration.client_secret = None;
        builder.endpoints.token = Some("https://server.example.com/token".parse().unwrap());
        builder.build(None).unwrap()
    }

    /// RFC 8628 §3.4.
    #[test]
    fn the_rfcs_poll() {
        let code = Secret::new("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS");
        let request = poll_request(&public(), &code).unwrap();
        assert_eq!(request.method, http::Method::POST);
        assert_eq!(request.url.as_str(), "https://server.example.com/token");
        assert_eq!(request.headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
        assert_eq!(request.headers[ACCEPT], "application/json");
        let rfc = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
            &device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS\
            &client_id=1406020730";
        let rfc = url::form_urlencoded::parse(rfc).into_owned();
        let mut rfc: Vec<_> = rfc.collect();
        rfc.sort();
        assert_eq!(form_of(&request), rfc);
    }

    #[test]
    fn a_confidential_client_shows_its_secret_in_the_header() {
        let request = poll_request(&example_provider(), &Secret::new("code/canary")).unwrap();
        assert!(request.headers[AUTHORIZATION].is_sensitive());
        let fields =
            [("device_code", "code/canary"), ("grant_type", "urn:ietf:params:oauth:grant-type:device_code")];
        assert_eq!(form_of(&request), pairs(&fields));
        assert!(!format!("{request:?} {:?}", request.headers).contains("canary"));
    }

    fn read(status: u16, body: &str) -> String {
        let read = PollAnswer::read(&answer(status, body), NOW, NOW);
        assert!(!format!("{read:?}").contains("canary"), "{read:?}");
        match read {
            PollAnswer::Granted(_) => "granted".to_owned(),
            PollAnswer::Over(error) => error.code().to_string(),
            PollAnswer::Pending => "pending".to_owned(),
            PollAnswer::SlowDown { .. } => "slow_down".to_owned(),
            PollAnswer::Trouble { error, .. } => format!("trouble: {}", error.code()),
        }
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let error = |word: &str| format!(r#"{{"error":"{word}","error_description":"canary"}}"#);
        // GitHub says everything with 200, Google with 403 and 428.
        for status in [200, 400, 403, 428, 500] {
            assert_eq!(read(status, &error("authorization_pending")), "pending", "{status}");
            assert_eq!(read(status, &error("slow_down")), "slow_down", "{status}");
        }
        for (status, word, meaning) in [
            (400, "access_denied", "access_denied"),
            (403, "access_denied", "access_denied"),
            (400, "expired_token", "login_closed"),
            (400, "invalid_grant", "login_closed"),
            (200, "incorrect_device_code", "login_closed"),
            (401, "invalid_client", "client_rejected"),
            (400, "unauthorized_client", "client_rejected"),
            (400, "unsupported_grant_type", "client_rejected"),
            (200, "device_flow_disabled", "client_rejected"),
            (400, "something_new", "client_rejected"),
            (400, "server_error", "trouble: unavailable"),
            (400, "temporarily_unavailable", "trouble: unavailable"),
            (500, "invalid_client", "trouble: unavailable"),
            (429, "rate_limit_exceeded", "trouble: unavailable"),
        ] {
            assert_eq!(read(status, &error(word)), meaning, "{status} {word}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(read(status, "<html>canary"), "trouble: unavailable", "{status}");
        }
        for (status, body) in
            [(200, "canary"), (200, "{}"), (302, ""), (400, "{}"), (404, "canary"), (200, "[]")]
        {
            assert_eq!(read(status, body), "server_misbehaved", "{status} {body}");
        }
        assert_eq!(read(200, r#"{"access_token":"canary","token_type":"Bearer"}"#), "granted");
    }

    #[test]
    fn the_servers_own_wait_is_read() {
        for status in [429, 503] {
            let response = labelled(status, "retry-after", "17", "");
            let read = PollAnswer::read(&response, NOW, NOW);
            assert!(
                matches!(read, PollAnswer::Trouble { retry_after: Some(wait), .. } if wait.as_secs() == 17),
                "{read:?}"
            );
        }
        let response = labelled(429, "retry-after", "17", r#"{"error":"slow_down"}"#);
        let read = PollAnswer::read(&response, NOW, NOW);
        assert!(matches!(read, PollAnswer::SlowDown { retry_after: Some(_) }), "{read:?}");
    }
}
