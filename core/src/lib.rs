//! Subscription auth that never logs its users out.

// Words that every layer uses
pub mod account;
pub mod backoff;
pub mod clock;
pub mod environment;
pub mod error;
pub mod random;
pub mod secret;

// The file that says which providers there are
pub mod config;

// Who is asked
pub mod provider;

// RFC messages
pub mod protocol;

// Ports
pub mod browser;
pub mod http;

// What is kept
pub mod store;

// Logins
pub mod flow;
pub mod server;

// Refresh and revocation
pub mod lifecycle;

// Read-outs
pub mod status;

// One handle for all of it
pub mod auth;

// For those who test with it
#[cfg(any(test, feature = "testing"))]
pub mod testing;
