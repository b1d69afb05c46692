//! Subscription auth that never logs its users out.
//!
//! A person connects an account once. From then on [`Auth::access_token`](auth::Auth::access_token) gives a token that
//! is good now: from memory while it is fresh, else from one refresh, however many tasks and processes ask. The tokens
//! lie sealed in a [store]; what state every account is in is [derived](status), and no
//! [error](error::Error), log line or `Debug` holds a secret.
//!
//! ```no_run
//! use loomkin_auth::account::AccountKey;
//! use loomkin_auth::auth::{Auth, ConnectOptions};
//! use loomkin_auth::config::Config;
//! use loomkin_auth::environment::Environment;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> loomkin_auth::error::Result<()> {
//! let environment = Environment::from_process();
//! let auth = Auth::open(Config::open(None, &environment)?, &environment).await?;
//! let github: AccountKey = "github".parse()?;
//!
//! // Once: send the person to the provider, and wait for them to come back.
//! let mut login = auth.connect(&github, ConnectOptions::default()).await?;
//! println!("Log in at {}", login.authorization_url());
//! login.wait().await?;
//!
//! // Ever after: a token that is good for at least the configured margin.
//! let token = auth.access_token(&github).await?;
//! let header = format!("{} {}", token.token_type(), token.secret().expose());
//! # drop(header);
//!
//! // Before the process ends: let a refresh in flight be stored.
//! auth.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! Start with [`auth::Auth`]; `examples/quickstart` shows all of it in action. The modules below are the layers it
//! stands on, from the bottom up; imports go down only.

// Words that every layer uses
pub mod account;
pub mod backoff;
pub mod clock;
pub mod environment;
pub mod error;
pub mod random;
pub mod redact;
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
pub mod credential;
pub mod doctor;
pub mod import;
pub mod status;

// One handle for all of it
pub mod auth;

// For those who test with it
#[cfg(any(test, feature = "testing"))]
pub mod testing;
