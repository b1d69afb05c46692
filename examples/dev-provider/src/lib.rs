//! A local authorization server whose every move can be commanded.
//!
//! It speaks OAuth 2.0 and OpenID Connect as strictly as a careful provider does: PKCE always, codes that work once,
//! refresh tokens that rotate and whose reuse ends the grant. Then a test orders it to misbehave: one call makes
//! the next answers late, lost, cut off, oversized or untrue. The endpoints themselves stay honest; every lie is
//! told in one place, on the way out.
//!
//! ```
//! use loomkin_auth_dev_provider::{DevProvider, Endpoint, Fault, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let provider = DevProvider::start(Settings::default()).await?;
//! provider.fault(Endpoint::Token, Fault::RetryAfterSeconds { status: 429, seconds: 3 }).times(2);
//! // … point a client at provider.issuer(), let it refresh …
//! assert_eq!(provider.count_token_requests("refresh_token"), 0);
//! provider.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Everything lives in memory, listens on 127.0.0.1 only, and means nothing outside the process.

// What a test holds
mod fault;
mod gate;
mod provider;
mod record;
mod settings;

// The server
mod clock;
mod connection;
mod endpoints;
mod form;
mod interpose;
mod page;
mod random;
mod redirect;
mod server;
mod shared;
mod sign;
mod state;

pub use fault::plan::Planned;
pub use fault::{Endpoint, Fault, Forgery};
pub use gate::{Gate, Moment};
pub use provider::DevProvider;
pub use record::{PresentedToken, RecordedRequest};
pub use settings::{Client, Redirects, Rotation, Settings, Signing};
