//! Scenarios across processes, stores and real servers; this library is what they have in common.

mod browser;
mod http;
mod oidc_provider;

pub use browser::{Browser, Choice, Page};
pub use oidc_provider::{Moment, OidcProvider};
