//! The revocation endpoint (RFC 7009).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::answer::OAuthError;
use crate::form::Form;
use crate::shared::Shared;

pub(super) async fn revoke(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    match end(&shared, &headers, &body) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

fn end(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<(), OAuthError> {
    let form = Form::parse(body);
    form.check_single()?;
    let client = form.authenticate(headers, &shared.settings.clients)?;
    // `token_type_hint` only saves a search (RFC 7009 §2.1).
    let token = form.require("token")?;
    shared.with_state(|state, _| state.revoke(token, &client.id))
}
