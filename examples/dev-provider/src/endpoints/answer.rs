//! Answers in JSON: successes that no cache may keep, documents that it may, and the errors of RFC 6749 §5.2.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// `body` as JSON (RFC 6749 §5.1: not to be stored).
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response {
    let headers = [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "application/json")];
    (status, headers, body.to_string()).into_response()
}

/// `body` as JSON that may be kept for an hour, or 304 where whoever asks with `headers` has it (RFC 9110 §13.1.2).
pub(crate) fn public_answer(headers: &HeaderMap, body: &Value) -> Response {
    let body = body.to_string();
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| known == etag.as_str());
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let headers = [(CACHE_CONTROL, "max-age=3600"), (CONTENT_TYPE, "application/json"), (ETAG, &etag)];
    (status, headers, if is_known { String::new() } else { body }).into_response()
}

/// The refusal of a dead or missing access token (RFC 6750 §3).
pub(crate) fn bearer_refusal(is_present: bool) -> Response {
    let challenge = if is_present {
        r#"Bearer realm="dev", error="invalid_token", error_description="The access token does not work""#
    } else {
        // Without credentials there is nothing to call wrong (RFC 6750 §3.1).
        r#"Bearer realm="dev""#
    };
    let body = json!({"error": if is_present { "invalid_token" } else { "unauthorized" }});
    let mut response = json_answer(StatusCode::UNAUTHORIZED, &body);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// An OAuth error; the description is for the developer and holds nothing that was sent.
#[derive(Debug)]
pub(crate) struct OAuthError {
    pub(crate) code: &'static str,
    pub(crate) description: String,
}

impl OAuthError {
    pub(crate) fn invalid_client(description: impl Into<String>) -> Self {
        Self { code: "invalid_client", description: description.into() }
    }

    pub(crate) fn invalid_grant(description: impl Into<String>) -> Self {
        Self { code: "invalid_grant", description: description.into() }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self { code: "invalid_request", description: description.into() }
    }

    pub(crate) fn invalid_scope(description: impl Into<String>) -> Self {
        Self { code: "invalid_scope", description: description.into() }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let is_client = self.code == "invalid_client";
        let status = if is_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let body = json!({"error": self.code, "error_description": self.description});
        let mut response = json_answer(status, &body);
        if is_client {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="dev""#));
        }
        response
    }
}
