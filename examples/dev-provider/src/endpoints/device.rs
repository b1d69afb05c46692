//! The device authorization endpoint (RFC 8628 §3.1, §3.2), and the page where the person decides (§3.3).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::answer::{OAuthError, json_answer};
use super::authorize::html;
use crate::form::Form;
use crate::page;
use crate::shared::Shared;
use crate::state::device::DeviceRequest;

pub(super) async fn authorize(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match begin(&shared, &headers, &body) {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(error) => error.into_response(),
    }
}

fn begin(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Value, OAuthError> {
    let form = Form::parse(body);
    form.check_single()?;
    let client = form.authenticate(headers, &shared.settings.clients)?;
    let (lifetime, interval) = (shared.settings.device_code_lifetime, shared.settings.device_interval);
    let request = DeviceRequest {
        client_id: client.id.clone(),
        device_name: form.value("device_name").map(str::to_owned),
        interval,
        lifetime,
        scopes: form.value("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
    };
    let (device_code, user_code) = shared.with_state(|state, terms| {
        let codes = state.begin_device(request, terms);
        if let Some(user) = &shared.settings.auto_approve {
            state.decide_device(&codes.1, Some(user.clone()), terms);
        }
        codes
    });
    let page = format!("{}/device", shared.issuer);
    Ok(json!({
        "device_code": device_code,
        "expires_in": lifetime.as_secs(),
        "interval": interval.as_secs(),
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
    }))
}

/// Asks for the code, or with a code whether its device may have access.
pub(super) async fn show(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    answer(&shared, form.value("user_code"))
}

/// Takes the code that the person typed, or what they chose on the page after that.
pub(super) async fn decide(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let (query, form) = (Form::parse(query.unwrap_or_default().as_bytes()), Form::parse(&body));
    let user = match (form.value("decision"), form.value("user")) {
        (Some("allow"), Some(user)) => Some(user.to_owned()),
        (Some("deny"), _) => None,
        _ => return answer(&shared, form.value("user_code").or_else(|| query.value("user_code"))),
    };
    let is_allowed = user.is_some();
    let code = query.value("user_code").unwrap_or_default();
    if shared.with_state(|state, terms| state.decide_device(code, user, terms)) {
        html(StatusCode::OK, page::decided(is_allowed))
    } else {
        html(StatusCode::BAD_REQUEST, page::user_code(Some(NO_SUCH_CODE)))
    }
}

fn answer(shared: &Shared, user_code: Option<&str>) -> Response {
    let Some(user_code) = user_code else { return html(StatusCode::OK, page::user_code(None)) };
    let Some((code, request)) = shared.with_state(|state, terms| state.device_request(user_code, terms.now))
    else {
        return html(StatusCode::BAD_REQUEST, page::user_code(Some(NO_SUCH_CODE)));
    };
    let (client, scopes, users) = (&request.client_id, &request.scopes, &shared.settings.users);
    html(StatusCode::OK, page::device_login(client, scopes, users, &code, request.device_name.as_deref()))
}

const NO_SUCH_CODE: &str = "No device waits with this code.";
