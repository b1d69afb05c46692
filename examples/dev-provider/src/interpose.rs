//! What happens to every request before and after its endpoint: the record, the gates and the faults.

use std::future::pending;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::IF_NONE_MATCH;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::connection::Connection;
use crate::fault::{Endpoint, Stage, after, before};
use crate::form::Form;
use crate::gate::Moment;
use crate::record::RecordedRequest;
use crate::shared::Shared;

/// What becomes of a request.
pub(crate) enum Verdict {
    Answer(Response),
    Reset,
    Silence,
}

/// The middleware around every endpoint except those under `/dev/`.
pub(crate) async fn interpose(
    State(shared): State<Arc<Shared>>,
    Extension(connection): Extension<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let number = shared.record.add(describe(&shared, &parts, &body));
    let request = Request::from_parts(parts, Body::from(body));
    // In a task of its own: what has arrived is acted upon, even when the sender hangs up.
    let verdict = tokio::spawn(attend(Arc::clone(&shared), request, next)).await;
    match verdict {
        Ok(Verdict::Answer(response)) => {
            shared.record.set_status(number, response.status().as_u16());
            response
        }
        Ok(Verdict::Reset) => match connection.reset().await {},
        Ok(Verdict::Silence) => pending().await,
        // The endpoint panicked; the sender hears it and the test sees the trace.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn attend(shared: Arc<Shared>, request: Request, next: Next) -> Verdict {
    let Some(endpoint) = Endpoint::at(request.uri().path()) else {
        return Verdict::Answer(next.run(request).await);
    };
    shared.gates.pass(endpoint, Moment::BeforeProcessing).await;
    let refused = shared.plan.take(endpoint, &[Stage::Unread]);
    let verdict = match refused.and_then(|fault| before::verdict(&fault, shared.clock.now())) {
        Some(verdict) => verdict,
        None => act(&shared, endpoint, request, next).await,
    };
    shared.gates.pass(endpoint, Moment::BeforeAnswering).await;
    verdict
}

async fn act(shared: &Shared, endpoint: Endpoint, mut request: Request, next: Next) -> Verdict {
    if shared.plan.concerns(endpoint) {
        // Whoever has the true document is lied to as well.
        request.headers_mut().remove(IF_NONE_MATCH);
    }
    let response = next.run(request).await;
    match shared.plan.take(endpoint, &after::stages(&response)) {
        Some(fault) => after::verdict(fault, response, shared).await,
        None => Verdict::Answer(response),
    }
}

fn describe(shared: &Shared, parts: &Parts, body: &[u8]) -> RecordedRequest {
    let path = parts.uri.path();
    let is_form = matches!(
        Endpoint::at(path),
        Some(Endpoint::DeviceAuthorization | Endpoint::Revocation | Endpoint::Token)
    );
    let form = Form::parse(if is_form { body } else { &[] });
    let client = form.authenticate(&parts.headers, &shared.settings.clients).ok();
    let presented = form.value("refresh_token").or_else(|| form.value("token"));
    RecordedRequest {
        client_id: client
            .map(|client| client.id.clone())
            .or_else(|| form.value("client_id").map(str::to_owned)),
        grant_type: form.value("grant_type").map(str::to_owned),
        method: parts.method.to_string(),
        number: 0,
        path: path.to_owned(),
        presented: presented.and_then(|token| shared.with_state(|state, _| state.identify(token))),
        status: None,
    }
}

/// No request of these protocols comes near it.
const LONGEST_REQUEST: usize = 64 * 1024;
