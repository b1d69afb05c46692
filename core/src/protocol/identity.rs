//! Whose account the tokens belong to.

use std::fmt;

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::body::read_fields;
use super::id_token::IdTokenClaims;
use super::message::{Request, Response};
use super::token_set::{Extra, TokenSet};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::provider::{IdentitySource, Provider};
use crate::secret::Secret;

/// An account at the provider. Both texts are identifiers: at most 255 bytes, without control characters, never in
/// `Debug`.
#[derive(Clone, Eq, PartialEq)]
pub struct Identity {
    /// What never changes: a number or a subject.
    pub account_id: String,
    /// What the person knows it by.
    pub account_login: Option<String>,
}

/// How an identity can be had.
#[derive(Debug)]
pub enum IdentitySearch {
    /// Send this, and read the answer with [`Identity::read`].
    Ask {
        /// A request to the user endpoint, with the access token.
        request: Box<Request>,
        /// What is known already; it stands when the endpoint does not answer.
        known: Option<Identity>,
    },
    /// It is known.
    Found(Identity),
    /// Nobody can say.
    Unknown,
}

impl IdentitySearch {
    /// Looks for the identity in `tokens`, the answer to a login at `provider` that sent `nonce`, and checks their ID
    /// token on the way.
    ///
    /// # Errors
    ///
    /// As [`IdTokenClaims::read`].
    pub fn begin(
        provider: &Provider,
        tokens: &TokenSet,
        nonce: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Self> {
        let known = match provider.identity {
            IdentitySource::None => None,
            IdentitySource::TokenAnswer => from_extra(&tokens.extra),
            _ => None,
        };
        // Without a known issuer there is nothing to check an ID token against, so it says nothing.
        let claims = match (&tokens.id_token, &provider.issuer) {
            (Some(id_token), Some(_)) => Some(IdTokenClaims::read(provider, id_token, nonce, now)?),
            _ => None,
        };
        let known = match (known, claims) {
            (None, Some(claims)) => from_openid(&claims.0),
            (known, _) => known,
        };
        Ok(match (known, &provider.endpoints.user) {
            (Some(known), _) if known.account_login.is_some() => Self::Found(known),
            (known, Some(url)) if provider.identity != IdentitySource::None => {
                let headers = user_headers(tokens)?;
                let body = Zeroizing::default();
                let request = Request { method: Method::GET, url: url.clone(), headers, body };
                Self::Ask { request: Box::new(request), known }
            }
            (Some(known), _) => Self::Found(known),
            (None, _) => Self::Unknown,
        })
    }
}

impl Identity {
    /// Reads what `provider`'s user endpoint answered.
    ///
    /// # Errors
    ///
    /// `unavailable` for 429 and 5xx; `server_misbehaved` when the answer names no account, or another one than the
    /// ID token did (OpenID Connect Core §5.3.2).
    pub fn read(provider: &Provider, response: &Response, known: Option<&Self>) -> Result<Self> {
        match response.status {
            200 => {}
            status @ (429 | 500..) => {
                return Err(Error::new(
                    ErrorCode::Unavailable,
                    format!("the user endpoint answered {status}"),
                ));
            }
            status => return Err(misbehaved(format!("the user endpoint answered {status}"))),
        }
        let fields =
            read_fields(response).ok_or_else(|| misbehaved("the user endpoint's answer is not JSON"))?;
        let found = match provider.identity {
            IdentitySource::ForgejoUser | IdentitySource::GitHubUser => {
                identity(&fields, &["id"], &["login"])
            }
            IdentitySource::GitLabUser => identity(&fields, &["id"], &["username"]),
            _ => from_openid(&fields),
        };
        let found = found.ok_or_else(|| misbehaved("the user endpoint names no account"))?;
        if known.is_some_and(|known| known.account_id != found.account_id) {
            return Err(misbehaved("the user endpoint names another account than the ID token"));
        }
        Ok(found)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(elided)")
    }
}

/// OpenID Connect Core §5.1. A name that people type comes before an address, and that before a display name.
fn from_openid(claims: &Map<String, Value>) -> Option<Identity> {
    identity(claims, &["sub"], &["preferred_username", "email", "name"])
}

/// `account`, else `user`; the organization is none's identity, but of several accounts in one it is the better half
/// of nothing.
fn from_extra(extra: &Extra) -> Option<Identity> {
    let object = |name: &str| extra.0.get(name)?.as_object();
    let ids = &["uuid", "id", "sub"];
    let logins = &["email_address", "email", "login", "username", "name"];
    ["account", "user", "organization"].into_iter().find_map(|name| identity(object(name)?, ids, logins))
}

fn identity(fields: &Map<String, Value>, ids: &[&str], logins: &[&str]) -> Option<Identity> {
    let text = |name: &&str| match fields.get(*name)? {
        Value::String(text) => checked(text),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    };
    Some(Identity { account_id: ids.iter().find_map(text)?, account_login: logins.iter().find_map(text) })
}

/// Direction marks are refused with the control characters: they make one name look like another.
fn checked(text: &str) -> Option<String> {
    let disguise = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    (!text.is_empty() && text.len() <= MAX_TEXT && !text.contains(disguise)).then(|| text.to_owned())
}

fn user_headers(tokens: &TokenSet) -> Result<HeaderMap> {
    // Exposed to be put into the request. The reader of token answers lets through only what a header may carry.
    let credentials = Zeroizing::new(format!("{} {}", tokens.token_type, tokens.access_token.expose()));
    let mut credentials = HeaderValue::from_str(&credentials)
        .map_err(|_| misbehaved("the access token cannot be put into a header"))?;
    credentials.set_sensitive(true);
    Ok(HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (AUTHORIZATION, credentials),
    ]))
}

fn misbehaved(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, message)
}

const MAX_TEXT: usize = 255;
