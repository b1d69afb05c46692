//! The real command as processes of its own, against a server in this process.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod device;
mod interrupted;
mod killed;
mod life;
mod races;
mod stores;
