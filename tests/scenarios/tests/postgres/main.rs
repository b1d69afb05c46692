//! The store of many hosts, in a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod app;
mod cut;
mod events;
mod hosted;
mod hosts;
mod kills;
mod outage;
mod refusals;
mod rotation;
mod scarce;
mod store;

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::error::Result;
use loomkin_auth::random::SystemRandom;
use loomkin_auth::secret::Secret;
use loomkin_auth::store::postgres::PostgresStore;

/// What one host does first.
async fn open(url: &str) -> Result<Arc<PostgresStore>> {
    PostgresStore::open(&Secret::new(url), Duration::from_secs(60), &SystemRandom).await.map(Arc::new)
}
