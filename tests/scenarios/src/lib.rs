//! Scenarios across processes, stores and real servers; this library is what they have in common.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test may fail like the test itself"
)]

// Peers
mod browser;
mod http;
mod keycloak;
mod oidc_provider;
mod peer;
mod postgres;
mod ready;
mod relay;
mod tamper;

// What every scenario goes through
mod canary;
mod home;
mod logs;
mod patience;
mod skip;

// What a scenario acts through
mod app;
mod clock;
mod command;
mod crowd;
mod dev;
pub mod kills;
mod listener;
mod oidc;
mod random;
mod spread;
mod visitor;
mod web_node;

pub use app::{App, Login};
pub use browser::{Browser, Choice, Page};
pub use canary::Canary;
pub use clock::MovedClock;
pub use command::{Call, Heard, Ran, Running, connect_by_command, redirect_uri};
pub use crowd::{CROWD, one_token, spread_crowd, waiting_crowd};
pub use dev::Dev;
pub use home::Home;
pub use keycloak::Keycloak;
pub use listener::Listener;
pub use oidc::Oidc;
pub use oidc_provider::OidcProvider;
pub use patience::within;
pub use peer::{Moment, Peer};
pub use postgres::{Database, Postgres};
pub use skip::say_skipped;
pub use spread::Spread;
pub use tamper::{Change, Tamper, with_claims};
pub use visitor::{Visit, Visitor};
