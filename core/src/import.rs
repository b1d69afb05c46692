//! Logins and keys that another tool has kept in a file, read to be kept here.
//!
//! Two shapes are read. The documented one:
//!
//! ```json
//! {"logins": [
//!   {"account": "github/work", "access_token": "…", "refresh_token": "…", "expires_at": "2026-03-01T09:30:00Z",
//!    "scopes": ["repo"], "account_login": "ada", "account_id": "4711"},
//!   {"account": "openai", "api_key": "…"},
//!   {"account": "anthropic", "auth_token": "…"}
//! ]}
//! ```
//!
//! and the `auth.json` of earlier agents, an object by provider:
//!
//! ```json
//! {"anthropic": {"access": "…", "refresh": "…", "expires": 1772357400000}, "openai": {"api_key": "…"}}
//! ```
//!
//! in which `key` is an API key too, `auth_token` a bearer token, and whatever else there is passed over. A moment is
//! RFC 3339 in UTC, or seconds or milliseconds since the epoch. What is wrong with one entry keeps no other from being
//! read.

mod entry;
mod moment;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::token_set::TokenSet;
use crate::secret::Secret;
use crate::store::StaticKind;
use entry::Shape;

/// What a file says of one account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportedLogin {
    /// Whose it is, of the local owner.
    pub account: AccountKey,
    /// What it is.
    pub credential: ImportedCredential,
}

/// A credential out of a file. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ImportedCredential {
    /// The tokens of a login.
    Connection(Box<ImportedTokens>),
    /// An API key or an auth token.
    Static(StaticKind, Secret),
}

/// The tokens of a login, and whose they are. Its `Debug` leaves the identifiers out.
#[derive(Clone)]
pub struct ImportedTokens {
    /// The tokens. An access token of unknown age that can be renewed counts as ended.
    pub tokens: TokenSet,
    /// The account's name at the provider.
    pub account_login: Option<String>,
    /// The account's unchanging id at the provider.
    pub account_id: Option<String>,
}

impl std::fmt::Debug for ImportedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportedTokens").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

/// Reads the content of a file at `now`: one result for each of its entries, in their order.
///
/// # Errors
///
/// `usage` when it is neither of the two shapes. So is the error of an entry, which names it: by its number, and by its
/// account where that can be read.
pub fn read(content: &[u8], now: Timestamp) -> Result<Vec<Result<ImportedLogin>>> {
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    // The library's own words quote nothing, and are dropped all the same.
    let document: Value = serde_json::from_slice(content).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        refused(format!("that is not JSON ({place})"))
            .with_advice("Name a file that another tool has kept logins in.")
    })?;
    let Value::Object(mut document) = document else { return Err(of_no_shape()) };
    let entries = match document.remove("logins") {
        Some(Value::Array(logins)) => of_list(logins, now),
        Some(_) => return Err(of_no_shape()),
        None => of_providers(document, now)?,
    };
    if entries.is_empty() {
        return Err(
            refused("there is no login in that file".to_owned()).with_advice("Nothing has to be imported.")
        );
    }
    Ok(without_doubles(entries))
}

fn of_list(logins: Vec<Value>, now: Timestamp) -> Vec<Result<ImportedLogin>> {
    let read = |(index, login): (usize, Value)| {
        let place = format!("entry {}", index + 1);
        let Value::Object(mut fields) = login else { return Err(refused(format!("{place} is no object"))) };
        let name = match fields.remove("account") {
            Some(Value::String(name)) => name,
            _ => return Err(refused(format!("{place} has no `account`"))),
        };
        entry::read(&place, &name, fields, Shape::Documented, now)
    };
    logins.into_iter().enumerate().map(read).collect()
}

fn of_providers(providers: Map<String, Value>, now: Timestamp) -> Result<Vec<Result<ImportedLogin>>> {
    // A file of something else, such as a package's, has other things than objects in it.
    if !providers.values().all(Value::is_object) {
        return Err(of_no_shape());
    }
    let objects = providers.into_iter().filter_map(|(name, value)| match value {
        Value::Object(fields) => Some((name, fields)),
        _ => None,
    });
    let read = |(index, (name, fields)): (usize, (String, Map<String, Value>))| {
        entry::read(&format!("entry {}", index + 1), &name, fields, Shape::ByProvider, now)
    };
    Ok(objects.enumerate().map(read).collect())
}

/// Of two entries for one thing nobody can say which one is meant, so that the first counts and the second is an error.
fn without_doubles(entries: Vec<Result<ImportedLogin>>) -> Vec<Result<ImportedLogin>> {
    let mut seen = BTreeSet::new();
    entries
        .into_iter()
        .map(|entry| {
            let login = entry?;
            let kind = match &login.credential {
                ImportedCredential::Connection(_) => None,
                ImportedCredential::Static(kind, _) => Some(kind.as_str()),
            };
            if seen.insert((login.account.clone(), kind)) {
                return Ok(login);
            }
            Err(refused(format!("{} comes twice", login.account)).with_account(&login.account))
        })
        .collect()
}

fn refused(message: String) -> Error {
    Error::new(ErrorCode::Usage, message).with_advice("Correct it in a copy of the file, and import that.")
}

fn of_no_shape() -> Error {
    refused("that file has neither `logins` nor an object for each provider".to_owned())
        .with_advice("Run `loomkin-auth import --help` for the two shapes that are read.")
}

#[cfg(test)]
mod tests;
