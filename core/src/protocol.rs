//! RFC messages, built and read. Nothing here does I/O.
//!
//! The `oauth2` crate builds the requests. Answers are read here, because real servers are laxer than the crate's
//! readers allow, and because those readers put whole bodies into their errors.

pub mod authorization;
mod body;
pub mod caching;
mod capture;
pub mod device;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod fixture;
pub mod id_token;
pub mod identity;
pub mod jwk;
pub(crate) mod kept;
pub mod message;
pub mod paste;
pub mod pkce;
pub mod redirect;
pub mod refresh;
pub mod rejection;
pub mod revocation;
pub mod state;
pub mod token;
pub mod token_answer;
pub mod token_set;
