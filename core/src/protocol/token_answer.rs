//! What token endpoints answer (RFC 6749 §5), read as tolerantly as is safe.

use std::time::Duration;

use serde_json::{Map, Value};

use super::body::{read_error, read_fields};
use super::message::Response;
use super::token_set::{Extra, TokenSet};
use crate::clock::Timestamp;
use crate::error::{OauthError, ServerText};
use crate::secret::Secret;

/// An answer of a token endpoint.
#[derive(Clone, Debug)]
pub enum TokenAnswer {
    /// The server names an error, whatever the status (RFC 6749 §5.2).
    Error {
        /// Its `error`.
        error: OauthError,
        /// Its `error_description`.
        text: Option<ServerText>,
    },
    /// Neither tokens nor an error.
    Nothing {
        /// What is wrong with it, in our own words, as the end of a sentence: "has no access_token".
        problem: &'static str,
    },
    /// Tokens.
    Tokens(Box<TokenSet>),
}

/// Reads an answer to a request that was sent at `sent_at`, from which the lifetime counts.
///
/// Tokens come with 200 or 201, as JSON or as a form. `expires_in` may be a number or a text, whole or not: nothing
/// or less means expired at once, more than ten years means ten years, and what is no number means that the server
/// did not say. `scope` may be a text, separated by spaces or commas, or an array. Without `token_type` it is
/// `Bearer`. Tokens of more than 64 KiB, or with characters that no header may carry, are refused.
pub fn read_token_answer(response: &Response, sent_at: Timestamp) -> TokenAnswer {
    let Some(mut fields) = read_fields(response) else {
        return TokenAnswer::Nothing { problem: "is neither JSON nor a form" };
    };
    if let Some((error, text)) = read_error(&fields) {
        return TokenAnswer::Error { error, text };
    }
    if !matches!(response.status, 200 | 201) {
        return TokenAnswer::Nothing { problem: "has another status than 200" };
    }
    match read_tokens(&mut fields, sent_at) {
        Ok(tokens) => TokenAnswer::Tokens(Box::new(tokens)),
        Err(problem) => TokenAnswer::Nothing { problem },
    }
}

fn read_tokens(fields: &mut Map<String, Value>, sent_at: Timestamp) -> Result<TokenSet, &'static str> {
    let access_token = take_token(fields, "access_token")?.ok_or("has no access_token")?;
    let mut tokens = TokenSet::new(access_token, sent_at);
    tokens.refresh_token = take_token(fields, "refresh_token")?;
    tokens.id_token = take_token(fields, "id_token")?;
    if let Some(token_type) = read_token_type(fields.get("token_type"))? {
        tokens.token_type = token_type;
    }
    tokens.expires_at =
        fields.get("expires_in").and_then(read_lifetime).map(|lifetime| sent_at.plus(lifetime));
    tokens.scopes = fields.get("scope").and_then(read_scopes);
    tokens.extra = take_extra(fields);
    Ok(tokens)
}

/// Moves a token out of the answer, so that no copy of it stays behind. A token that is no text is as good as none.
fn take_token(fields: &mut Map<String, Value>, name: &str) -> Result<Option<Secret>, &'static str> {
    match fields.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => {
            let token = Secret::new(text);
            // Looked at, because it goes into a header later (RFC 6749 Appendix A.12, A.17: VSCHAR).
            let text = token.expose();
            if text.len() > MAX_TOKEN {
                Err("has a token of more than 64 KiB")
            } else if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
                Err("has a token with characters that no token has")
            } else {
                Ok(Some(token))
            }
        }
        _ => Ok(None),
    }
}

/// `Bearer` in any case is `Bearer` (RFC 6749 §5.1); other types are kept as they are.
fn read_token_type(value: Option<&Value>) -> Result<Option<String>, &'static str> {
    match value {
        Some(Value::String(text)) if text.eq_ignore_ascii_case("bearer") => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => {
            let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            if text.len() <= MAX_WORD && text.bytes().all(allowed) {
                Ok(Some(text.clone()))
            } else {
                Err("has a token_type that is none")
            }
        }
        _ => Ok(None),
    }
}

fn read_lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    if f64::is_nan(seconds) {
        return None;
    }
    Some(Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_LIFETIME.as_secs_f64())))
}

/// GitHub separates scopes by commas. A text without any scope grants none; that is something else than silence.
fn read_scopes(value: &Value) -> Option<Vec<String>> {
    let words: Vec<&str> = match value {
        Value::String(text) => text.split([' ', ',', '\t', '\n']).collect(),
        Value::Array(entries) => entries.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let scope = |word: &&str| {
        !word.is_empty() && word.len() <= MAX_WORD && word.bytes().all(|byte| byte.is_ascii_graphic())
    };
    Some(words.into_iter().filter(scope).take(MAX_SCOPES).map(str::to_owned).collect())
}

fn take_extra(fields: &mut Map<String, Value>) -> Extra {
    let mut extra = Extra::default();
    for name in EXTRA {
        match fields.remove(name) {
            Some(object @ Value::Object(_)) if object.to_string().len() <= MAX_EXTRA => {
                extra.0.insert(name.to_owned(), object);
            }
            _ => {}
        }
    }
    extra
}

const EXTRA: [&str; 3] = ["account", "organization", "user"];
const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
const MAX_EXTRA: usize = 16 * 1024;
const MAX_SCOPES: usize = 1000;
const MAX_TOKEN: usize = 64 * 1024;
const MAX_WORD: usize = 255;
