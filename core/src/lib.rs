//! Subscription auth that never logs its users out.

// Words that every layer uses
pub mod account;
pub mod backoff;
pub mod clock;
pub mod environment;
pub mod error;
pub mod random;
pub mod secret;

// RFC messages
pub mod protocol;

// What is kept
pub mod store;

// Ports
pub mod http;

// For those who test with it
#[cfg(any(test, feature = "testing"))]
pub mod testing;
