//! The peers themselves: a scenario can be no better than the servers and the browser it trusts.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod app;
mod dev_provider;
mod oidc_provider;
