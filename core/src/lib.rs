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

// RFC messages
pub mod protocol;

// What is kept
pub mod store;

// Ports
pub mod http;
