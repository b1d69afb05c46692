//! Scenarios across processes, stores and real servers; this library is what they have in common.

// Peers
mod browser;
mod http;
mod oidc_provider;

// What every scenario goes through
mod canary;
mod home;
mod logs;
mod patience;

// What a scenario acts through
mod app;
mod clock;
mod dev;
mod random;

pub use app::{App, Login};
pub use browser::{Browser, Choice, Page};
pub use canary::Canary;
pub use clock::MovedClock;
pub use dev::Dev;
pub use home::Home;
pub use oidc_provider::{Moment, OidcProvider};
pub use patience::within;
