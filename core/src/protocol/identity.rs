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
use crate::error::{Error, ErrorCode, Result};
use crate::provider::{IdentitySource, Provider};

/// An account at the provider. Both texts are identifiers: at most 255 bytes, without control characters, never in
/// `Debug`.
#[derive(Clone, Eq, PartialEq)]
pub struct Identity {
    /// What never changes: a number or a subject.
    pub account_id: String,
    /// What the person knows it by.
    pub account_login: Option<String>,
}

/// Whose the tokens of a login are, as far as that was found out.
#[derive(Clone, Debug)]
pub enum Whose {
    /// This account's.
    Known(Identity),
    /// The server could not be asked, for this reason. It might say later.
    NotNow(Error),
    /// The server does not say.
    Unknown,
}

impl Whose {
    /// The identity, where it is known.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            Self::NotNow(_) | Self::Unknown => None,
        }
    }
}

impl From<Option<Identity>> for Whose {
    fn from(identity: Option<Identity>) -> Self {
        identity.map_or(Self::Unknown, Self::Known)
    }
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
    /// Looks for the identity in `tokens`, the answer to a login at `provider`, and in the `claims` of their ID token.
    ///
    /// # Errors
    ///
    /// `server_misbehaved` when the access token cannot be put into a request.
    pub fn begin(provider: &Provider, tokens: &TokenSet, claims: Option<&IdTokenClaims>) -> Result<Self> {
        let beside = match provider.identity {
            IdentitySource::TokenAnswer => from_extra(&tokens.extra),
            _ => None,
        };
        let known = beside.or_else(|| from_openid(&claims?.0));
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

/// `account`, else `user`. Not `organization`: its members would all look like one account.
fn from_extra(extra: &Extra) -> Option<Identity> {
    let object = |name: &str| extra.0.get(name)?.as_object();
    let ids = &["uuid", "id", "sub"];
    let logins = &["email_address", "email", "login", "username", "name"];
    ["account", "user"].into_iter().find_map(|name| identity(object(name)?, ids, logins))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::fixture::{NOW, answer};
    use crate::provider::fixture::{example_provider, preset_provider};
    use crate::secret::Secret;

    fn tokens() -> TokenSet {
        TokenSet::new(Secret::new("access-canary"), NOW)
    }

    fn search(provider: &Provider, tokens: &TokenSet, claims: Option<Value>) -> IdentitySearch {
        let claims = claims.map(|claims| IdTokenClaims(claims.as_object().unwrap().clone()));
        IdentitySearch::begin(provider, tokens, claims.as_ref()).unwrap()
    }

    fn read(preset: &str, body: &Value) -> Result<Identity> {
        Identity::read(&preset_provider(preset), &answer(200, body.to_string()), None)
    }

    fn named(account_id: &str, login: Option<&str>) -> Identity {
        Identity { account_id: account_id.to_owned(), account_login: login.map(str::to_owned) }
    }

    #[test]
    fn an_id_token_that_names_the_person_is_enough() {
        let claims = json!({ "sub": "s1", "email": "ada@example.com" });
        let IdentitySearch::Found(found) = search(&example_provider(), &tokens(), Some(claims)) else {
            panic!("it is known");
        };
        assert!(found == named("s1", Some("ada@example.com")));
        assert_eq!(format!("{found:?}"), "Identity(elided)");
    }

    #[test]
    fn an_id_token_without_a_name_leads_to_the_userinfo_endpoint() {
        let provider = example_provider();
        let IdentitySearch::Ask { request, known } =
            search(&provider, &tokens(), Some(json!({ "sub": "s1" })))
        else {
            panic!("the name is missing");
        };
        assert_eq!(request.url.path(), "/me");
        assert_eq!(request.headers[AUTHORIZATION], "Bearer access-canary");
        assert!(request.headers[AUTHORIZATION].is_sensitive());
        let read = |sub: &str| {
            let body = json!({ "sub": sub, "preferred_username": "ada" }).to_string();
            Identity::read(&provider, &answer(200, body), known.as_ref())
        };
        assert!(read("s1").unwrap() == named("s1", Some("ada")));
        assert_eq!(read("s2").unwrap_err().code(), ErrorCode::ServerMisbehaved);
    }

    #[test]
    fn each_preset_reads_its_own_user() {
        assert!(
            read("github", &json!({ "id": 583231, "login": "ada" })).unwrap() == named("583231", Some("ada"))
        );
        assert!(read("gitlab", &json!({ "id": 7, "username": "ada" })).unwrap() == named("7", Some("ada")));
        assert!(read("codeberg", &json!({ "id": 7, "login": "ada" })).unwrap() == named("7", Some("ada")));
        assert!(read("google", &json!({ "sub": "7", "email": "a@b" })).unwrap() == named("7", Some("a@b")));
        for preset in ["github", "gitlab", "codeberg"] {
            assert!(matches!(search(&preset_provider(preset), &tokens(), None), IdentitySearch::Ask { .. }));
        }
    }

    #[test]
    fn anthropic_names_the_account_beside_the_tokens() {
        let mut tokens = tokens();
        let provider = preset_provider("anthropic");
        tokens.extra.0.insert("organization".to_owned(), json!({ "uuid": "o1", "name": "Org" }));
        assert!(matches!(search(&provider, &tokens, None), IdentitySearch::Unknown));
        tokens
            .extra
            .0
            .insert("account".to_owned(), json!({ "uuid": "u1", "email_address": "ada@example.com" }));
        let IdentitySearch::Found(found) = search(&provider, &tokens, None) else {
            panic!("it is known");
        };
        assert!(found == named("u1", Some("ada@example.com")));
    }

    #[test]
    fn an_id_must_be_one_and_a_login_that_deceives_is_dropped() {
        for id in [json!(""), json!("a\u{7}"), json!("x".repeat(256)), json!(1.5), json!({}), Value::Null] {
            assert!(read("github", &json!({ "id": id, "login": "ada" })).is_err(), "{id}");
        }
        for login in ["", "ada\n", "a\u{202e}da"] {
            assert!(read("github", &json!({ "id": 1, "login": login })).unwrap() == named("1", None));
        }
    }

    #[test]
    fn a_user_endpoint_that_fails_is_told_from_one_that_lies() {
        let code = |status| {
            let answer = answer(status, "canary");
            Identity::read(&preset_provider("github"), &answer, None).unwrap_err().code()
        };
        assert_eq!(code(503), ErrorCode::Unavailable);
        assert_eq!(code(429), ErrorCode::Unavailable);
        assert_eq!(code(403), ErrorCode::ServerMisbehaved);
        assert_eq!(code(200), ErrorCode::ServerMisbehaved);
    }
}
