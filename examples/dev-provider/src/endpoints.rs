//! The routes; each endpoint is honest, whatever is ordered around it.

pub(crate) mod answer;
mod api;
mod authorize;
mod dev;
mod device;
mod introspect;
mod metadata;
mod paste;
mod revoke;
mod token;
pub(crate) mod userinfo;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};

use crate::interpose::interpose;
use crate::shared::Shared;

/// Every route of the server.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let protocol = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/api/hello", get(api::hello))
        .route("/authorize", get(authorize::show).post(authorize::decide))
        .route("/device", get(device::show).post(device::decide))
        .route("/device_authorization", post(device::authorize))
        .route("/introspect", post(introspect::introspect))
        .route("/jwks", get(metadata::keys))
        .route("/paste", get(paste::show))
        .route("/revoke", post(revoke::revoke))
        .route("/token", post(token::token))
        .route("/userinfo", get(userinfo::show).post(userinfo::show))
        .layer(from_fn_with_state(Arc::clone(shared), interpose));
    // PUT and DELETE, because a page in a browser cannot send them to another origin unasked.
    let controls = Router::new()
        .route("/dev/access-token-lifetime", put(dev::set_access_token_lifetime))
        .route("/dev/clock", put(dev::advance_clock))
        .route("/dev/device", put(dev::decide_device))
        .route("/dev/expire-access-tokens", put(dev::expire_access_tokens))
        .route("/dev/faults", get(dev::list_faults).put(dev::order_fault).delete(dev::clear_faults))
        .route("/dev/hold", get(dev::wait_for_held).put(dev::hold))
        .route("/dev/release", put(dev::release))
        .route("/dev/requests", get(dev::list_requests).delete(dev::clear_requests))
        .route("/dev/revoke-grants", put(dev::revoke_grants))
        .route("/dev/rotate-signing-key", put(dev::rotate_signing_key));
    protocol.merge(controls).with_state(Arc::clone(shared))
}
