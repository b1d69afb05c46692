//! Answers and signatures for the tests of this layer.

pub(super) mod signer;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::message::{Request, Response};
use crate::clock::Timestamp;

pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

pub(super) fn answer(status: u16, body: impl AsRef<[u8]>) -> Response {
    Response { status, headers: HeaderMap::new(), body: Zeroizing::new(body.as_ref().to_vec()) }
}

pub(super) fn labelled(status: u16, name: &str, value: &str, body: impl AsRef<[u8]>) -> Response {
    let mut response = answer(status, body);
    let name: HeaderName = name.parse().unwrap();
    response.headers.insert(name, HeaderValue::from_str(value).unwrap());
    response
}

/// The body of a vector: its `json` or its `text`.
pub(super) fn body_of(case: &Value) -> Vec<u8> {
    match (&case["json"], &case["text"]) {
        (Value::Null, text) => text.as_str().unwrap_or_default().as_bytes().to_vec(),
        (json, _) => json.to_string().into_bytes(),
    }
}

/// The form in a request, sorted by name.
pub(super) fn form_of(request: &Request) -> Vec<(String, String)> {
    let mut fields: Vec<_> = form_urlencoded::parse(&request.body).into_owned().collect();
    fields.sort();
    fields
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
