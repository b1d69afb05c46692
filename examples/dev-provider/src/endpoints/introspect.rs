//! The introspection endpoint (RFC 7662).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::answer::{OAuthError, json_answer};
use crate::clock::unix_seconds;
use crate::form::Form;
use crate::shared::Shared;

pub(super) async fn introspect(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match describe(&shared, &headers, &body) {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(error) => error.into_response(),
    }
}

fn describe(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Value, OAuthError> {
    let form = Form::parse(body);
    form.check_single()?;
    // Any client may ask, so that a test needs no registration of its own.
    form.authenticate(headers, &shared.settings.clients)?;
    let token = form.require("token")?;
    let live = shared.with_state(|state, terms| {
        state.live_access_token(token, terms.now).or_else(|| state.live_refresh_token(token))
    });
    let Some(live) = live else {
        // Nothing more is said about a dead token (RFC 7662 §2.2).
        return Ok(json!({"active": false}));
    };
    let mut answer = json!({
        "active": true,
        "client_id": live.client_id,
        "iss": shared.issuer,
        "scope": live.scopes.join(" "),
        "sub": super::userinfo::subject_of(&live.user),
        "username": live.user,
    });
    if let Some(expires_at) = live.expires_at {
        answer["exp"] = unix_seconds(expires_at).into();
        answer["token_type"] = "Bearer".into();
    }
    Ok(answer)
}
