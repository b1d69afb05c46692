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
pub(crate) fn take_token(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<Secret>, &'static str> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::fixture::{NOW, answer, body_of, labelled};

    /// The tokens in the form of the vectors.
    fn shown(tokens: &TokenSet) -> Value {
        let mut shown = json!({ "access_token": tokens.access_token.expose() }); // values of the vectors
        if let Some(token) = &tokens.refresh_token {
            shown["refresh_token"] = token.expose().into(); // as above
        }
        if let Some(token) = &tokens.id_token {
            shown["id_token"] = token.expose().into(); // as above
        }
        if tokens.token_type != "Bearer" {
            shown["token_type"] = tokens.token_type.clone().into();
        }
        if let Some(end) = tokens.expires_at {
            shown["expires_in"] = ((end.unix_millis() - NOW.unix_millis()) as f64 / 1000.0).into();
        }
        if let Some(scopes) = &tokens.scopes {
            shown["scopes"] = scopes.clone().into();
        }
        if !tokens.extra.0.is_empty() {
            shown["extra"] = json!(tokens.extra.0);
        }
        shown
    }

    #[test]
    fn the_shared_vectors() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/token_responses.json")).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let status = case["status"].as_u64().map_or(200, |status| u16::try_from(status).unwrap());
            let label = case["content_type"].as_str().unwrap_or("application/json");
            let response = labelled(status, "content-type", label, body_of(case));
            let mut expected = case["expect"].clone();
            if let Some(seconds) = expected.pointer_mut("/tokens/expires_in") {
                *seconds = seconds.as_f64().into(); // 3600 and 3600.0 are the same number to JSON, but not to serde
            }
            let found = match read_token_answer(&response, NOW) {
                TokenAnswer::Error { error: OauthError::Unknown, .. } => json!({ "error": "unknown" }),
                TokenAnswer::Error { error, .. } => {
                    let word = expected["error"].as_str().unwrap_or_default();
                    assert_eq!(OauthError::from_wire(word), error, "{}", case["name"]);
                    json!({ "error": word })
                }
                TokenAnswer::Nothing { .. } => json!({ "nothing": true }),
                TokenAnswer::Tokens(tokens) => json!({ "tokens": shown(&tokens) }),
            };
            assert_eq!(found, expected, "{}", case["name"]);
        }
    }

    #[test]
    fn a_token_may_be_64_kib_long_and_no_longer() {
        let read = |name: &str, length: usize| {
            let mut body = json!({ "access_token": "A1" });
            body[name] = "x".repeat(length).into();
            read_token_answer(&answer(200, body.to_string()), NOW)
        };
        for name in ["access_token", "id_token", "refresh_token"] {
            assert!(matches!(read(name, 64 * 1024), TokenAnswer::Tokens(_)), "{name}");
            assert!(matches!(read(name, 64 * 1024 + 1), TokenAnswer::Nothing { .. }), "{name}");
        }
    }

    #[test]
    fn deep_nesting_and_large_objects_do_no_harm() {
        let deep =
            format!(r#"{{"access_token":"A1","user":{}1{}}}"#, "[".repeat(300_000), "]".repeat(300_000));
        assert!(matches!(read_token_answer(&answer(200, deep), NOW), TokenAnswer::Nothing { .. }));
        let large = json!({ "access_token": "A1", "user": { "x": "x".repeat(17_000) } });
        let TokenAnswer::Tokens(tokens) = read_token_answer(&answer(200, large.to_string()), NOW) else {
            panic!("the tokens are fine");
        };
        assert!(tokens.extra.0.is_empty());
    }

    #[test]
    fn nothing_of_an_answer_is_shown() {
        for body in [
            r#"{"access_token":"canary","refresh_token":"canary","user":{"login":"canary"}}"#,
            r#"{"access_token":["canary"]}"#,
            r#"{"error":"canary","error_description":"canary"}"#,
            "canary",
        ] {
            assert!(!format!("{:?}", read_token_answer(&answer(200, body), NOW)).contains("canary"));
        }
    }
}
