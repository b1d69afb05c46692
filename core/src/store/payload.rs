//! What is sealed: the tokens and the binding of their connection, or a login that waits, as versioned JSON.
//!
//! [`TokenSet`] itself cannot be serialized; writing tokens out is this file's visible act. Fields may be added to
//! the payload without a new version, since readers skip what they do not know. A field that changes its meaning or
//! goes away makes a new version.

mod login;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

pub(crate) use login::{decode_login, encode_login};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::protocol::token_set::{Extra, TokenSet};
use crate::secret::Secret;

/// The payload of `tokens` and `binding`, in a buffer that is wiped when dropped.
pub(crate) fn encode(tokens: &TokenSet, binding: &Value) -> Zeroizing<Vec<u8>> {
    let payload = Payload {
        version: VERSION,
        // The tokens leave for a buffer that is sealed next, and wiped.
        access_token: tokens.access_token.expose().into(),
        refresh_token: tokens.refresh_token.as_ref().map(|token| token.expose().into()),
        id_token: tokens.id_token.as_ref().map(|token| token.expose().into()),
        token_type: tokens.token_type.as_str().into(),
        issued_at_ms: tokens.issued_at.unix_millis(),
        expires_at_ms: tokens.expires_at.map(Timestamp::unix_millis),
        scopes: Cow::Borrowed(&tokens.scopes),
        extra: Cow::Borrowed(&tokens.extra.0),
        binding: Cow::Borrowed(binding),
    };
    write(&payload)
}

/// `payload` as JSON, in a buffer that is wiped when dropped.
fn write(payload: &impl Serialize) -> Zeroizing<Vec<u8>> {
    // A buffer that grows leaves its earlier, shorter copies behind unwiped: so it is measured first.
    let mut length = Counter(0);
    let measured = serde_json::to_writer(&mut length, payload);
    let mut buffer = Zeroizing::new(Vec::with_capacity(length.0));
    let written = serde_json::to_writer(&mut *buffer, payload);
    debug_assert!(measured.is_ok() && written.is_ok() && buffer.len() == length.0);
    buffer
}

/// Reads a payload; `None` when it is none, or of a version that this code does not know.
pub(crate) fn decode(bytes: &[u8]) -> Option<(TokenSet, Value)> {
    let payload: Payload<'_> = serde_json::from_slice(bytes).ok()?;
    if payload.version != VERSION {
        return None;
    }
    let mut tokens = TokenSet::new(
        Secret::new(payload.access_token.into_owned()),
        Timestamp::from_unix_millis(payload.issued_at_ms),
    );
    tokens.refresh_token = payload.refresh_token.map(|token| Secret::new(token.into_owned()));
    tokens.id_token = payload.id_token.map(|token| Secret::new(token.into_owned()));
    tokens.token_type = payload.token_type.into_owned();
    tokens.expires_at = payload.expires_at_ms.map(Timestamp::from_unix_millis);
    tokens.scopes = payload.scopes.into_owned();
    tokens.extra = Extra(payload.extra.into_owned());
    Some((tokens, payload.binding.into_owned()))
}

#[derive(Deserialize, Serialize)]
struct Payload<'a> {
    version: u32,
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    id_token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    token_type: Cow<'a, str>,
    issued_at_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<i64>,
    #[serde(default)]
    scopes: Cow<'a, Option<Vec<String>>>,
    #[serde(default)]
    extra: Cow<'a, BTreeMap<String, Value>>,
    #[serde(default)]
    binding: Cow<'a, Value>,
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_reads_back_whole() {
        let mut tokens = TokenSet::new(Secret::new("access \"quoted\""), Timestamp::from_unix_millis(1_500));
        tokens.refresh_token = Some(Secret::new("refresh"));
        tokens.id_token = Some(Secret::new("id"));
        tokens.token_type = "DPoP".to_owned();
        tokens.expires_at = Some(Timestamp::from_unix_millis(9_999));
        tokens.scopes = Some(vec!["repo".to_owned()]);
        tokens.extra.0.insert("user".to_owned(), json!({"login": "ada"}));
        let binding = json!({"issuer": "https://id.example.com"});

        let (read, read_binding) = decode(&encode(&tokens, &binding)).unwrap();

        assert!(read.access_token.matches(&tokens.access_token));
        assert!(read.refresh_token.unwrap().matches(&Secret::new("refresh")));
        assert!(read.id_token.unwrap().matches(&Secret::new("id")));
        assert_eq!(read.token_type, "DPoP");
        assert_eq!((read.issued_at, read.expires_at), (tokens.issued_at, tokens.expires_at));
        assert_eq!(read.scopes, tokens.scopes);
        assert_eq!(read.extra.0, tokens.extra.0);
        assert_eq!(read_binding, binding);
    }

    #[test]
    fn a_field_that_a_later_version_added_is_skipped() {
        let text = r#"{"version":1,"access_token":"a","token_type":"Bearer","issued_at_ms":0,"later":[1]}"#;
        let (tokens, binding) = decode(text.as_bytes()).unwrap();
        assert!(tokens.refresh_token.is_none() && tokens.scopes.is_none());
        assert_eq!(binding, Value::Null);
    }

    #[test]
    fn another_version_is_not_guessed_at() {
        let text = r#"{"version":2,"access_token":"a","token_type":"Bearer","issued_at_ms":0}"#;
        assert!(decode(text.as_bytes()).is_none());
        assert!(decode(b"{").is_none());
    }
}
