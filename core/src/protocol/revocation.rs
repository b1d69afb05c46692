//! Ending a grant at the server (RFC 7009), and the providers that do it their own way.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use oauth2::{AccessToken, RefreshToken, RevocationUrl, StandardRevocableToken};
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::body::{read_error, read_fields};
use super::capture::{Capture, client};
use super::message::{Request, Response};
use super::refresh::read_retry_after;
use super::token_set::TokenSet;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, OauthError, Result};
use crate::provider::{Provider, RevocationMethod};

/// What can be done to end a grant at the server.
#[derive(Clone, Debug)]
pub enum Revocation {
    /// Nothing.
    Impossible {
        /// Why, for the person, as a sentence without a full stop.
        reason: &'static str,
    },
    /// Send this, and read the answer with [`RevocationAnswer::read`].
    Send(Box<Request>),
}

impl Revocation {
    /// Plans the end of the grant behind `tokens`.
    ///
    /// By RFC 7009 the refresh token is presented where there is one, because the server then ends the access tokens
    /// with it (§2.1), and else the access token.
    ///
    /// # Errors
    ///
    /// `config_invalid` when the registration cannot be put into a request.
    pub fn plan(provider: &Provider, tokens: &TokenSet) -> Result<Self> {
        let endpoint = match (&provider.revocation, &provider.endpoints.revocation) {
            (RevocationMethod::None, _) | (_, None) => {
                return Ok(Self::Impossible {
                    reason: "the provider offers no revocation; end the access in its own settings",
                });
            }
            (_, Some(endpoint)) => endpoint,
        };
        match provider.revocation {
            RevocationMethod::GitHubGrant => github_grant(provider, endpoint, tokens),
            _ => rfc7009(provider, endpoint, tokens).map(|request| Self::Send(Box::new(request))),
        }
    }
}

/// What the server said to a revocation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RevocationAnswer {
    /// The grant may still be good.
    NotRevoked {
        /// Why, for the person, as a sentence without a full stop.
        reason: String,
        /// Whether a later attempt may succeed.
        try_again: bool,
        /// The wait that the server asks for before it.
        retry_after: Option<Duration>,
    },
    /// The server has ended the grant, or did not know it any more (RFC 7009 §2.2).
    Revoked,
}

impl RevocationAnswer {
    /// Reads the answer, come at `now`, to a planned revocation.
    pub fn read(response: &Response, now: Timestamp) -> Self {
        let status = response.status;
        if matches!(status, 200 | 204) {
            return Self::Revoked;
        }
        let error = read_fields(response).and_then(|fields| read_error(&fields)).map(|(error, _)| error);
        let why = match error {
            Some(OauthError::InvalidClient | OauthError::UnauthorizedClient) => {
                "the server refuses our registration".to_owned()
            }
            Some(OauthError::UnsupportedTokenType) => {
                "the server does not revoke tokens of this kind".to_owned()
            }
            _ => format!("the revocation endpoint answered {status}"),
        };
        let retry_after = read_retry_after(&response.headers, now);
        Self::NotRevoked { reason: why, try_again: matches!(status, 408 | 425 | 429 | 500..), retry_after }
    }

    /// The grant was not ended, for `reason`, and a later attempt would not end it either.
    pub fn in_vain(reason: impl Into<String>) -> Self {
        Self::NotRevoked { reason: reason.into(), try_again: false, retry_after: None }
    }

    /// The grant was not ended, for `reason`, and a later attempt may.
    pub fn for_now(reason: impl Into<String>) -> Self {
        Self::NotRevoked { reason: reason.into(), try_again: true, retry_after: None }
    }
}

/// Metadata that could not be read, or a registration that could not be put into a request: the server has said nothing
/// yet, and another process may have a better configuration.
impl From<Error> for RevocationAnswer {
    fn from(error: Error) -> Self {
        Self::for_now(error.message())
    }
}

fn rfc7009(provider: &Provider, endpoint: &Url, tokens: &TokenSet) -> Result<Request> {
    // Exposed to be put into the request.
    let token = match &tokens.refresh_token {
        Some(token) => StandardRevocableToken::from(RefreshToken::new(token.expose().to_owned())),
        None => StandardRevocableToken::from(AccessToken::new(tokens.access_token.expose().to_owned())),
    };
    // The crate takes https alone, and loopback is allowed here: it is given a stand-in, and the capture the address.
    let stand_in =
        RevocationUrl::new("https://revocation.invalid/".to_owned()).map_err(|_| cannot_build())?;
    let client = client(provider, provider.revocation_auth).set_revocation_url(stand_in);
    let capture = Capture::default();
    // The outcome is always "not sent"; the request is in the capture.
    let _ = client.revoke_token(token).map_err(|_| cannot_build())?.request(&capture);
    capture.into_request(endpoint)
}

/// "Delete an app authorization": `DELETE /applications/{client_id}/grant`, with the registration as `Basic` and the
/// access token in JSON. It ends the grant with every token of it.
fn github_grant(provider: &Provider, endpoint: &Url, tokens: &TokenSet) -> Result<Revocation> {
    let Some(secret) = &provider.client_secret else {
        return Ok(Revocation::Impossible {
            reason: "GitHub revokes only for clients with a secret; end the access in its settings",
        });
    };
    let mut url = endpoint.clone();
    url.path_segments_mut()
        .map_err(|()| cannot_build())?
        .pop_if_empty()
        .extend([&provider.client_id, "grant"]);
    // Exposed to be put into the request. The API documents plain `Basic` (RFC 7617), not that of RFC 6749 §2.3.1.
    let credentials = Zeroizing::new(format!("{}:{}", provider.client_id, secret.expose()));
    let credentials = Zeroizing::new(format!("Basic {}", STANDARD.encode(credentials.as_bytes())));
    let mut credentials = HeaderValue::from_str(&credentials).map_err(|_| cannot_build())?;
    credentials.set_sensitive(true);
    let headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
        (AUTHORIZATION, credentials),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28")),
    ]);
    // As above.
    let body = json!({ "access_token": tokens.access_token.expose() }).to_string().into_bytes();
    Ok(Revocation::Send(Box::new(Request {
        method: Method::DELETE,
        url,
        headers,
        body: Zeroizing::new(body),
    })))
}

fn cannot_build() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "the revocation request cannot be put together")
        .with_advice("Check client_id, client_secret and revocation_endpoint.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixture::{NOW, answer, form_of, labelled, pairs};
    use crate::provider::ClientAuth;
    use crate::provider::fixture::{example_provider, preset_provider};
    use crate::secret::Secret;

    fn tokens() -> TokenSet {
        let mut tokens = TokenSet::new(Secret::new("access-canary"), NOW);
        tokens.refresh_token = Some(Secret::new("refresh-canary"));
        tokens
    }

    fn request(provider: &Provider, tokens: &TokenSet) -> Option<Request> {
        let plan = Revocation::plan(provider, tokens).unwrap();
        assert!(!format!("{plan:?}").contains("canary"));
        match plan {
            Revocation::Send(request) => Some(*request),
            Revocation::Impossible { .. } => None,
        }
    }

    /// RFC 7009 §2.1.
    #[test]
    fn the_refresh_token_is_presented_where_there_is_one() {
        let provider = example_provider();
        let sent = request(&provider, &tokens()).unwrap();
        assert_eq!(sent.url.as_str(), "https://id.example.com/revoke");
        assert!(sent.headers[AUTHORIZATION].is_sensitive());
        let fields = [("token", "refresh-canary"), ("token_type_hint", "refresh_token")];
        assert_eq!(form_of(&sent), pairs(&fields));
        let sent = request(&provider, &TokenSet::new(Secret::new("access-canary"), NOW)).unwrap();
        let fields = [("token", "access-canary"), ("token_type_hint", "access_token")];
        assert_eq!(form_of(&sent), pairs(&fields));
    }

    #[test]
    fn the_secret_is_presented_as_the_revocation_endpoint_wants_it() {
        let mut provider = example_provider();
        provider.client_auth = ClientAuth::Body;
        let sent = request(&provider, &tokens()).unwrap();
        // base64("app+id:s%25cret%2Fcanary")
        assert_eq!(sent.headers[AUTHORIZATION], "Basic YXBwK2lkOnMlMjVjcmV0JTJGY2FuYXJ5");
        provider.revocation_auth = ClientAuth::Body;
        let sent = request(&provider, &tokens()).unwrap();
        assert!(!sent.headers.contains_key(AUTHORIZATION));
        let form = form_of(&sent);
        assert!(
            pairs(&[("client_id", "app id"), ("client_secret", "s%cret/canary")])
                .iter()
                .all(|pair| form.contains(pair))
        );
        provider.client_secret = None;
        let form = form_of(&request(&provider, &tokens()).unwrap());
        assert!(form.iter().any(|(name, _)| name == "client_id"));
        assert!(form.iter().all(|(name, _)| name != "client_secret"));
    }

    #[test]
    fn a_loopback_endpoint_is_reached_without_tls() {
        let mut provider = example_provider();
        provider.endpoints.revocation = Some(Url::parse("http://127.0.0.1:9/revoke").unwrap());
        assert_eq!(request(&provider, &tokens()).unwrap().url.as_str(), "http://127.0.0.1:9/revoke");
    }

    #[test]
    fn github_has_a_way_of_its_own() {
        let mut provider = preset_provider("github");
        let sent = request(&provider, &tokens()).unwrap();
        assert_eq!(sent.method, Method::DELETE);
        assert_eq!(sent.url.as_str(), "https://api.github.com/applications/app%20id/grant");
        // base64("app id:s%cret/canary")
        assert_eq!(sent.headers[AUTHORIZATION], "Basic YXBwIGlkOnMlY3JldC9jYW5hcnk=");
        assert!(sent.headers[AUTHORIZATION].is_sensitive());
        assert_eq!(&sent.body[..], br#"{"access_token":"access-canary"}"#);
        provider.client_secret = None;
        assert!(request(&provider, &tokens()).is_none());
    }

    #[test]
    fn providers_without_revocation_say_so() {
        for preset in ["anthropic", "codeberg"] {
            assert!(request(&preset_provider(preset), &tokens()).is_none(), "{preset}");
        }
    }

    #[test]
    fn only_success_is_called_revoked() {
        for status in [200, 204] {
            assert_eq!(RevocationAnswer::read(&answer(status, ""), NOW), RevocationAnswer::Revoked);
        }
        for (status, again) in
            [(202, false), (302, false), (400, false), (404, false), (429, true), (503, true)]
        {
            let read = RevocationAnswer::read(&answer(status, r#"{"error":"canary"}"#), NOW);
            let RevocationAnswer::NotRevoked { reason, try_again, .. } = read else {
                panic!("{status} is no success");
            };
            assert_eq!(try_again, again, "{status}");
            assert!(reason.contains(&status.to_string()) && !reason.contains("canary"));
        }
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_read() {
        let busy = labelled(429, "retry-after", "7", "");
        let RevocationAnswer::NotRevoked { retry_after, .. } = RevocationAnswer::read(&busy, NOW) else {
            panic!("429 is no success");
        };
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
    }
}
