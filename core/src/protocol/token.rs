//! The access token request (RFC 6749 §4.1.3) and what its answer means for a login.

use std::borrow::Cow;

use oauth2::{AuthorizationCode, PkceCodeVerifier, RedirectUrl};

use super::capture::{Capture, form_to_json, token_client};
use super::message::{Request, Response};
use super::redirect::AuthorizationGrant;
use super::token_answer::{TokenAnswer, read_token_answer};
use super::token_set::TokenSet;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, OauthError, Result};
use crate::provider::Provider;
use crate::secret::Secret;

/// A grant on its way to the token endpoint. It can be sent once.
#[derive(Debug)]
pub struct AccessTokenRequest {
    /// What to send.
    pub request: Request,
    /// What remains of the login until the answer is there.
    pub login: ExpectedTokens,
}

/// What the answer to an [`AccessTokenRequest`] is compared with.
#[derive(Debug)]
pub struct ExpectedTokens {
    /// Whose login it is.
    pub account: AccountKey,
    /// The nonce that the ID token must carry.
    pub nonce: Option<Secret>,
}

impl AuthorizationGrant {
    /// Builds the access token request of this grant at `provider`, which must be the one that was asked.
    ///
    /// # Errors
    ///
    /// `config_invalid` when the registration cannot be put into a request.
    pub fn into_request(self, provider: &Provider) -> Result<AccessTokenRequest> {
        let client = token_client(provider);
        let redirect_uri = RedirectUrl::new(self.redirect_uri)
            .map_err(|_| Error::new(ErrorCode::ConfigInvalid, "redirect_uri is not an absolute URI"))?;
        // The code and the verifier are exposed to be put into the request, and so is the state below.
        let mut exchange = client
            .exchange_code(AuthorizationCode::new(self.code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(self.verifier.secret().expose().to_owned()))
            .set_redirect_uri(Cow::Borrowed(&redirect_uri));
        if provider.quirks.state_in_token_request {
            exchange = exchange.add_extra_param("state", self.state.expose());
        }
        let capture = Capture::default();
        // The outcome is always "not sent"; the request is in the capture.
        let _ = exchange.request(&capture);
        let request = capture.into_request(&provider.token_endpoint)?;
        let request = if provider.quirks.json_token_requests { form_to_json(request) } else { request };
        Ok(AccessTokenRequest { request, login: ExpectedTokens { account: self.account, nonce: self.nonce } })
    }
}

/// Reads the answer to an [`AccessTokenRequest`] that was sent at `sent_at`.
///
/// # Errors
///
/// `login_closed` for `invalid_grant`: the code is used up; `client_rejected`, `access_denied` or `unavailable` by the
/// server's `error` or status; `server_misbehaved` for anything else that is no token answer.
pub fn read_access_token_answer(response: &Response, sent_at: Timestamp) -> Result<TokenSet> {
    match read_token_answer(response, sent_at) {
        TokenAnswer::Tokens(tokens) => Ok(*tokens),
        answer => Err(refusal(&answer, response.status)),
    }
}

/// What an answer with `status` means for a login that yields no tokens.
pub(super) fn refusal(answer: &TokenAnswer, status: u16) -> Error {
    let (code, message) = match answer {
        TokenAnswer::Error { error, text } => {
            let (code, message) = match error {
                OauthError::AccessDenied => (ErrorCode::AccessDenied, "the access was denied"),
                OauthError::ExpiredToken | OauthError::InvalidGrant => {
                    (ErrorCode::LoginClosed, "the server does not accept the authorization code")
                }
                OauthError::ServerError | OauthError::SlowDown | OauthError::TemporarilyUnavailable => {
                    (ErrorCode::Unavailable, "the server cannot exchange the code now")
                }
                _ => (ErrorCode::ClientRejected, "the server refuses the access token request"),
            };
            return Error::new(code, message).with_oauth_error(*error, text.clone());
        }
        TokenAnswer::Nothing { .. } if matches!(status, 408 | 425 | 429 | 500..) => {
            (ErrorCode::Unavailable, format!("the token endpoint answered {status}"))
        }
        TokenAnswer::Nothing { problem } if (200..300).contains(&status) => {
            (ErrorCode::ServerMisbehaved, format!("the token endpoint's answer {problem}"))
        }
        TokenAnswer::Nothing { .. } | TokenAnswer::Tokens(_) => {
            (ErrorCode::ServerMisbehaved, format!("the token endpoint answered {status} without saying why"))
        }
    };
    let error = Error::new(code, message);
    match status {
        300..500 if code == ErrorCode::ServerMisbehaved => {
            error.with_advice("Check that token_endpoint is the server's token endpoint.")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
    use serde_json::Value;

    use super::*;
    use crate::protocol::fixture::{NOW, answer, form_of, pairs};
    use crate::protocol::pkce::CodeVerifier;
    use crate::provider::ClientAuth;
    use crate::provider::fixture::{example_provider, preset_provider};

    fn grant() -> AuthorizationGrant {
        AuthorizationGrant {
            account: "example".parse().unwrap(),
            code: Secret::new("code/canary"),
            state: Secret::new("state-canary"),
            verifier: CodeVerifier::read(Secret::new("canary-".repeat(7))).unwrap(),
            nonce: Some(Secret::new("nonce-canary")),
            redirect_uri: "http://127.0.0.1:1455/cb".to_owned(),
        }
    }

    /// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    #[test]
    fn a_confidential_client_shows_its_secret_in_the_header() {
        let built = grant().into_request(&example_provider()).unwrap();
        let request = &built.request;
        assert_eq!(request.method, http::Method::POST);
        assert_eq!(request.url.as_str(), "https://id.example.com/token");
        assert_eq!(request.headers[ACCEPT], "application/json");
        assert_eq!(request.headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
        // base64("app+id:s%25cret%2Fcanary")
        assert_eq!(request.headers[AUTHORIZATION], "Basic YXBwK2lkOnMlMjVjcmV0JTJGY2FuYXJ5");
        assert!(request.headers[AUTHORIZATION].is_sensitive());
        let verifier = "canary-".repeat(7);
        let fields = [
            ("code", "code/canary"),
            ("code_verifier", &verifier),
            ("grant_type", "authorization_code"),
            ("redirect_uri", "http://127.0.0.1:1455/cb"),
        ];
        assert_eq!(form_of(request), pairs(&fields));
        assert!(!format!("{built:?} {:?}", request.headers).contains("canary"));
    }

    #[test]
    fn a_public_client_and_one_that_prefers_the_body_name_themselves_there() {
        let mut provider = example_provider();
        provider.client_auth = ClientAuth::Body;
        let has = |provider: &Provider, name: &str| {
            let built = grant().into_request(provider).unwrap();
            assert!(!built.request.headers.contains_key(AUTHORIZATION));
            form_of(&built.request).into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
        };
        assert_eq!(has(&provider, "client_secret").as_deref(), Some("s%cret/canary"));
        provider.client_auth = ClientAuth::Basic;
        provider.client_secret = None;
        assert_eq!(has(&provider, "client_id").as_deref(), Some("app id"));
        assert_eq!(has(&provider, "client_secret"), None);
    }

    #[test]
    fn anthropic_gets_json_with_the_state() {
        let mut provider = preset_provider("anthropic");
        provider.client_secret = None;
        let request = grant().into_request(&provider).unwrap().request;
        assert_eq!(request.headers[CONTENT_TYPE], "application/json");
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["grant_type"], "authorization_code");
        assert_eq!(body["state"], "state-canary");
        assert_eq!(body["client_id"], "app id");
    }

    #[test]
    fn each_answer_has_its_code() {
        let code = |status, body: &str| {
            let error = read_access_token_answer(&answer(status, body), NOW).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
            error.code()
        };
        let error = |word: &str| format!(r#"{{"error":"{word}","error_description":"canary"}}"#);
        assert_eq!(code(400, &error("invalid_grant")), ErrorCode::LoginClosed);
        assert_eq!(code(400, &error("access_denied")), ErrorCode::AccessDenied);
        assert_eq!(code(401, &error("invalid_client")), ErrorCode::ClientRejected);
        assert_eq!(code(400, &error("redirect_uri_mismatch")), ErrorCode::ClientRejected);
        assert_eq!(code(400, &error("temporarily_unavailable")), ErrorCode::Unavailable);
        assert_eq!(code(200, r#"{"access_token":{"x":"canary"}}"#), ErrorCode::ServerMisbehaved);
        assert_eq!(code(200, "canary"), ErrorCode::ServerMisbehaved);
        assert_eq!(code(404, "canary"), ErrorCode::ServerMisbehaved);
        assert_eq!(code(302, ""), ErrorCode::ServerMisbehaved);
        assert_eq!(code(429, ""), ErrorCode::Unavailable);
        assert_eq!(code(500, "<html>canary"), ErrorCode::Unavailable);
    }
}
