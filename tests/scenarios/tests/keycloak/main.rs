//! The real command against Keycloak, a second server that was not written here and has nothing in common with the first.
//!
//! Every test here needs Java and what `tests/servers/keycloak/setup` unpacks.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

#[path = "../peers/app.rs"]
mod app;
mod device;
mod disconnects;
#[macro_use]
#[path = "../openid/mod.rs"]
mod openid;
mod peer;
mod registration;

use loomkin_auth_scenarios::Keycloak;

every_scenario! { Keycloak, "needs Java and tests/servers/keycloak/setup" }
