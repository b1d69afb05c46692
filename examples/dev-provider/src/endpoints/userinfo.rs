//! The userinfo endpoint (OpenID Connect Core §5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer::json_answer;
use super::api::live_bearer;
use crate::shared::Shared;

pub(super) async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match live_bearer(&shared, &headers) {
        Ok(live) => json_answer(StatusCode::OK, &Value::Object(claims_of(&live.user))),
        Err(refusal) => *refusal,
    }
}

/// What the server says about a person, here and in ID tokens.
pub(crate) fn claims_of(user: &str) -> Map<String, Value> {
    Map::from_iter([
        ("email".to_owned(), format!("{user}@example.test").into()),
        ("preferred_username".to_owned(), user.into()),
        ("sub".to_owned(), subject_of(user).into()),
    ])
}

/// The lasting identifier of a person. It differs from the name, so that mixing the two up shows.
pub(super) fn subject_of(user: &str) -> String {
    format!("user-{user}")
}
