//! Faults told after the server has acted.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use super::before::{html_error, status_of};
use super::{Fault, Stage, body};
use crate::endpoints::userinfo::claims_of;
use crate::interpose::Verdict;
use crate::shared::Shared;
use crate::sign::Signer;

/// The stages that `response` has come to.
pub(crate) fn stages(response: &Response) -> Vec<Stage> {
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|value| value == "application/json");
    let mut stages = vec![Stage::Acted];
    if response.status().is_success() && is_json {
        stages.push(Stage::Succeeded);
    }
    if response.headers().contains_key(LOCATION) {
        stages.push(Stage::Redirected);
    }
    stages
}

/// What `fault` makes of `response`.
pub(crate) async fn verdict(fault: Fault, response: Response, shared: &Shared) -> Verdict {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    // It marks the truth.
    parts.headers.remove(ETAG);
    // The endpoints' own answers are short and whole.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = match fault {
        Fault::AnswerLost => return Verdict::Reset,
        Fault::CutOffBody => partial(&mut parts, &bytes, body::cut_off),
        Fault::DeeplyNestedBody { depth } => nested(depth, &bytes),
        Fault::EmptyBody => Body::empty(),
        Fault::FormEncodedBody => {
            set_header(&mut parts, CONTENT_TYPE, "application/x-www-form-urlencoded");
            form_encoded(&members(&bytes))
        }
        Fault::Garbage => Body::from(GARBAGE),
        Fault::HtmlErrorAfterProcessing { status } => return Verdict::Answer(html_error(status)),
        Fault::OversizedBody { bytes: padding } => body::oversized(padding, bytes),
        Fault::StalledBody => partial(&mut parts, &bytes, body::stalled),
        Fault::Status { status } => {
            parts.status = status_of(status);
            Body::from(bytes)
        }
        fault => match fault.stage() {
            Stage::Redirected => {
                bend(&fault, &mut parts);
                Body::from(bytes)
            }
            Stage::Succeeded => {
                let mut members = members(&bytes);
                falsify(fault, &mut members, shared);
                Body::from(Value::Object(members).to_string())
            }
            Stage::Acted | Stage::Unread => Body::from(bytes),
        },
    };
    Verdict::Answer(Response::from_parts(parts, body))
}

fn falsify(fault: Fault, members: &mut Map<String, Value>, shared: &Shared) {
    match fault {
        Fault::Field { name, value } => {
            members.insert(name, value);
        }
        Fault::IdTokenClaim { name, value } => resign(members, |claims| {
            match value {
                Value::Null => drop(claims.as_object_mut()?.remove(&name)),
                value => claims[name.as_str()] = value,
            }
            shared.signer.sign(claims)
        }),
        Fault::IdTokenSignature { forgery } => resign(members, |claims| {
            let client = shared.settings.clients.iter().find(|client| claims["aud"] == client.id.as_str())?;
            shared.signer.forge(claims, forgery, client.secret.as_deref().unwrap_or_default())
        }),
        Fault::MissingField { name } => {
            members.remove(&name);
        }
        Fault::OtherAccount { user } => {
            let other = claims_of(&user);
            if members.contains_key("id_token") {
                resign(members, |claims| {
                    merge(claims, &other);
                    shared.signer.sign(claims)
                });
            } else if members.contains_key("sub") {
                members.extend(other);
            }
        }
        Fault::WrongTypes => {
            for value in members.values_mut() {
                *value = match value {
                    Value::String(_) => json!(5),
                    _ => json!(["abc"]),
                };
            }
        }
        _ => {}
    }
}

/// Puts another ID token into the place of the one that is there, made from its claims.
fn resign(members: &mut Map<String, Value>, make: impl FnOnce(&mut Value) -> Option<String>) {
    let claims = members.get("id_token").and_then(Value::as_str).and_then(Signer::claims);
    if let Some(token) = claims.and_then(|mut claims| make(&mut claims)) {
        members.insert("id_token".into(), token.into());
    }
}

fn merge(claims: &mut Value, other: &Map<String, Value>) {
    if let Some(claims) = claims.as_object_mut() {
        for (name, value) in other {
            claims.insert(name.clone(), value.clone());
        }
    }
}

fn bend(fault: &Fault, parts: &mut Parts) {
    let location = parts.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(mut url) = location.and_then(|location| Url::parse(location).ok()) else {
        return;
    };
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let replace = |pairs: &mut Vec<(String, String)>, name: &str, value: &str| {
        pairs.retain(|(key, _)| key != name);
        pairs.push((name.into(), value.into()));
    };
    match fault {
        Fault::HtmlErrorRedirect => {
            pairs.retain(|(key, _)| key != "code");
            replace(&mut pairs, "error", "server_error");
            replace(&mut pairs, "error_description", MARKUP);
        }
        Fault::MissingParameter { name } => pairs.retain(|(key, _)| key != name),
        Fault::WrongIssuer => replace(&mut pairs, "iss", "https://elsewhere.example"),
        Fault::WrongState => replace(&mut pairs, "state", "not-the-state-you-sent"),
        _ => {}
    }
    url.query_pairs_mut().clear().extend_pairs(pairs);
    set_header(parts, LOCATION, url.as_str());
}

fn partial(parts: &mut Parts, bytes: &Bytes, make: fn(Bytes) -> Body) -> Body {
    set_header(parts, CONTENT_LENGTH, &bytes.len().to_string());
    make(bytes.slice(..bytes.len() / 2))
}

fn nested(depth: usize, answer: &[u8]) -> Body {
    let answer = String::from_utf8_lossy(answer);
    Body::from(format!(r#"{{"nested":{}{answer}{}}}"#, "[".repeat(depth), "]".repeat(depth)))
}

fn members(bytes: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn form_encoded(members: &Map<String, Value>) -> Body {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in members {
        match value {
            Value::String(text) => form.append_pair(name, text),
            other => form.append_pair(name, &other.to_string()),
        };
    }
    Body::from(form.finish())
}

fn set_header(parts: &mut Parts, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        parts.headers.insert(name, value);
    }
}

/// What a page must not run when it shows an error.
const MARKUP: &str = "<script>alert(1)</script><img src=x onerror=alert(1)>";

static GARBAGE: &[u8] = b"\xff\xfe{\"access_token\": \x00<\x80\xc3\x28";
