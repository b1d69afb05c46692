//! The fields of an answer, in whichever of the two forms servers use.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::message::Response;
use crate::error::{OauthError, ServerText};

/// The fields of a JSON object or, where the server labels it so, of a form (RFC 6749 Appendix B).
///
/// `serde_json` stops at 128 levels, so that deep nesting costs no stack.
pub(super) fn read_fields(response: &Response) -> Option<Map<String, Value>> {
    let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
    if let Ok(value) = serde_json::from_slice(body) {
        return match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        };
    }
    if !is_form(&response.headers) {
        return None;
    }
    let pairs = form_urlencoded::parse(body);
    Some(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
}

/// The `error` and `error_description` of an answer (RFC 6749 §5.2), or `None` where there is no `error` that says
/// anything.
///
/// Two departures are followed: an object in place of the word, with the word in its `code` or `type`, which counts
/// only when it is a word we know; and some providers' own words for `invalid_grant` and `invalid_client`.
pub(super) fn read_error(fields: &Map<String, Value>) -> Option<(OauthError, Option<ServerText>)> {
    match fields.get("error")? {
        Value::String(word) if !word.is_empty() => {
            let text = fields.get("error_description").and_then(Value::as_str).and_then(ServerText::new);
            Some((known_error(word), text))
        }
        Value::Object(object) => {
            let words = ["code", "type"].into_iter().filter_map(|name| object.get(name)?.as_str());
            let error = words.map(known_error).find(|error| *error != OauthError::Unknown)?;
            Some((error, object.get("message").and_then(Value::as_str).and_then(ServerText::new)))
        }
        _ => None,
    }
}

fn known_error(word: &str) -> OauthError {
    match word {
        // GitHub, for the refresh token, the code and the device code; OpenAI, for the refresh token.
        "bad_refresh_token"
        | "bad_verification_code"
        | "incorrect_device_code"
        | "refresh_token_expired"
        | "refresh_token_invalidated"
        | "refresh_token_reused" => OauthError::InvalidGrant,
        // GitHub, for the secret and for the redirect URI.
        "incorrect_client_credentials" => OauthError::InvalidClient,
        "redirect_uri_mismatch" => OauthError::InvalidRequest,
        _ => OauthError::from_wire(word),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let label = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = label.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        || essence.eq_ignore_ascii_case("text/plain")
}
