//! The controls over HTTP, for tests in other languages; README.md describes them for their users.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use crate::fault::Endpoint;
use crate::fault::plan::Order;
use crate::gate::Moment;
use crate::record::RecordedRequest;
use crate::shared::Shared;

pub(super) async fn order_fault(State(shared): State<Arc<Shared>>, Json(order): Json<Order>) -> StatusCode {
    shared.plan.add(order);
    StatusCode::NO_CONTENT
}

pub(super) async fn list_faults(State(shared): State<Arc<Shared>>) -> Json<Vec<Order>> {
    Json(shared.plan.orders())
}

pub(super) async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.plan.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct DeviceDecision {
    user: Option<String>,
    user_code: String,
}

pub(super) async fn decide_device(
    State(shared): State<Arc<Shared>>,
    Json(decision): Json<DeviceDecision>,
) -> StatusCode {
    let DeviceDecision { user, user_code } = decision;
    let is_decided = shared.with_state(|state, terms| state.decide_device(&user_code, user, terms));
    if is_decided { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize)]
pub(super) struct Hold {
    #[serde(default = "token_endpoint")]
    endpoint: Endpoint,
    #[serde(default = "before_answering")]
    moment: Moment,
}

pub(super) async fn hold(State(shared): State<Arc<Shared>>, Json(hold): Json<Hold>) -> StatusCode {
    let gate = shared.gates.close(hold.endpoint, hold.moment);
    shared.closed_gates.lock().unwrap_or_else(PoisonError::into_inner).push(gate);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct Wait {
    #[serde(default)]
    wait_for: usize,
}

/// Answers once `wait_for` requests have arrived at the gate that was closed last.
pub(super) async fn wait_for_held(State(shared): State<Arc<Shared>>, Query(wait): Query<Wait>) -> Response {
    let held = {
        let gates = shared.closed_gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.last().map(crate::gate::Gate::watch)
    };
    let Some(held) = held else {
        return (StatusCode::CONFLICT, "nothing is held; PUT /dev/hold comes first\n").into_response();
    };
    held.wait_for(wait.wait_for).await;
    Json(json!({"arrived": held.arrived()})).into_response()
}

pub(super) async fn release(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.closed_gates.lock().unwrap_or_else(PoisonError::into_inner).clear();
    StatusCode::NO_CONTENT
}

pub(super) async fn list_requests(State(shared): State<Arc<Shared>>) -> Json<Vec<RecordedRequest>> {
    Json(shared.record.all())
}

pub(super) async fn clear_requests(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.record.clear();
    StatusCode::NO_CONTENT
}

pub(super) async fn revoke_grants(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.with_state(|state, _| state.revoke_all());
    StatusCode::NO_CONTENT
}

pub(super) async fn rotate_signing_key(State(shared): State<Arc<Shared>>) -> StatusCode {
    match shared.signer.rotate() {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) async fn expire_access_tokens(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.with_state(|state, _| state.expire_access_tokens());
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct Advance {
    advance_seconds: u64,
}

pub(super) async fn advance_clock(
    State(shared): State<Arc<Shared>>,
    Json(order): Json<Advance>,
) -> StatusCode {
    shared.clock.advance(Duration::from_secs(order.advance_seconds));
    StatusCode::NO_CONTENT
}

/// `times` bounds the order to that many answers; without it, it holds from now on.
#[derive(Deserialize)]
pub(super) struct Lifetime {
    seconds: u64,
    times: Option<usize>,
}

pub(super) async fn set_access_token_lifetime(
    State(shared): State<Arc<Shared>>,
    Json(order): Json<Lifetime>,
) -> StatusCode {
    let lifetime = Duration::from_secs(order.seconds);
    shared.with_state(|state, _| match order.times {
        None => state.set_lifetime(lifetime),
        Some(times) => state.add_lifetimes(std::iter::repeat_n(lifetime, times)),
    });
    StatusCode::NO_CONTENT
}

fn token_endpoint() -> Endpoint {
    Endpoint::Token
}

fn before_answering() -> Moment {
    Moment::BeforeAnswering
}
