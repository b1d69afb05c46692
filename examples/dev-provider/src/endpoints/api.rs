//! The protected resource: it says hello to whom the access token belongs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::answer::{bearer_refusal, json_answer};
use crate::shared::Shared;
use crate::state::lookup::LiveToken;

pub(super) async fn hello(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match live_bearer(&shared, &headers) {
        Ok(live) => json_answer(StatusCode::OK, &json!({"hello": live.user})),
        Err(refusal) => *refusal,
    }
}

/// The access token in the `Authorization` header, if it works, else the answer that says so (RFC 6750 §2.1).
pub(super) fn live_bearer(shared: &Shared, headers: &HeaderMap) -> Result<LiveToken, Box<Response>> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    let live =
        token.and_then(|token| shared.with_state(|state, terms| state.live_access_token(token, terms.now)));
    live.ok_or_else(|| Box::new(bearer_refusal(token.is_some())))
}
