//! One entry of a file.

use serde_json::{Map, Value};

use super::{ImportedCredential, ImportedLogin, ImportedTokens, moment, refused};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::protocol::token_answer::take_token;
use crate::protocol::token_set::TokenSet;
use crate::store::StaticKind;

/// Which words a file uses.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    ByProvider,
    Documented,
}

struct Words {
    access_token: &'static str,
    refresh_token: &'static str,
    expires_at: &'static str,
    api_keys: &'static [&'static str],
}

impl Shape {
    fn words(self) -> Words {
        match self {
            Self::ByProvider => Words {
                access_token: "access",
                refresh_token: "refresh",
                expires_at: "expires",
                api_keys: &["api_key", "key"],
            },
            Self::Documented => Words {
                access_token: "access_token",
                refresh_token: "refresh_token",
                expires_at: "expires_at",
                api_keys: &["api_key"],
            },
        }
    }
}

/// Reads the entry at `place`, which says that it is `name`'s. A name that is none is not repeated: it could be a key.
pub(super) fn read(
    place: &str,
    name: &str,
    mut fields: Map<String, Value>,
    shape: Shape,
    now: Timestamp,
) -> Result<ImportedLogin> {
    let account: AccountKey = name.parse().map_err(|error: Error| {
        refused(format!("{place}: {}", error.message())).with_advice(error.advice())
    })?;
    let wrong = |problem: String| refused(format!("{place} ({account}) {problem}")).with_account(&account);
    let words = shape.words();
    let mut found = Vec::new();
    if let Some(tokens) = read_tokens(&mut fields, &words, now).map_err(&wrong)? {
        found.push(ImportedCredential::Connection(Box::new(tokens)));
    }
    for (kind, names) in [(StaticKind::ApiKey, words.api_keys), (StaticKind::AuthToken, &["auth_token"][..])]
    {
        for name in names {
            let secret = take_token(&mut fields, name).map_err(|problem| wrong(problem.to_owned()))?;
            found.extend(secret.map(|secret| ImportedCredential::Static(kind, secret)));
        }
    }
    if let (Shape::Documented, Some(unknown)) = (shape, fields.keys().next()) {
        return Err(wrong(format!("has the unknown key `{}`", unknown.escape_debug())));
    }
    match (found.pop(), found.is_empty()) {
        (Some(credential), true) => Ok(ImportedLogin { account, credential }),
        (Some(_), false) => Err(wrong("has more than one credential".to_owned())),
        (None, _) => Err(wrong("has no credential".to_owned())),
    }
}

/// The tokens, where there are any.
fn read_tokens(
    fields: &mut Map<String, Value>,
    words: &Words,
    now: Timestamp,
) -> Result<Option<ImportedTokens>, String> {
    let refresh_token = take_token(fields, words.refresh_token)?;
    let Some(access_token) = take_token(fields, words.access_token)? else {
        return match refresh_token {
            Some(_) => Err(format!("has no `{}`", words.access_token)),
            None => Ok(None),
        };
    };
    let mut tokens = TokenSet::new(access_token, now);
    tokens.expires_at = match fields.remove(words.expires_at) {
        // Whether it still works is not known, and it can be renewed.
        None | Some(Value::Null) => refresh_token.as_ref().map(|_| now),
        Some(value) => Some(
            moment::read(&value).ok_or_else(|| format!("has an `{}` that is no moment", words.expires_at))?,
        ),
    };
    tokens.refresh_token = refresh_token;
    if let Some(token_type) = take_text(fields, "token_type")? {
        tokens.token_type = token_type;
    }
    tokens.scopes = take_scopes(fields)?;
    let (account_login, account_id) = (take_text(fields, "account_login")?, take_text(fields, "account_id")?);
    Ok(Some(ImportedTokens { tokens, account_login, account_id }))
}

fn take_scopes(fields: &mut Map<String, Value>) -> Result<Option<Vec<String>>, String> {
    let wrong = || "has `scopes` that are no list of texts".to_owned();
    match fields.remove("scopes") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.split_whitespace().map(str::to_owned).collect())),
        Some(Value::Array(list)) => {
            let texts = list.into_iter().map(|scope| match scope {
                Value::String(scope) if crate::provider::is_scope(&scope) => Ok(scope),
                _ => Err(wrong()),
            });
            texts.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(wrong()),
    }
}

/// A text that is shown to people later.
fn take_text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= LONGEST && !text.chars().any(char::is_control) => {
            Ok(Some(text))
        }
        Some(_) => Err(format!("has a `{name}` that is no short text")),
    }
}

const LONGEST: usize = 255;
