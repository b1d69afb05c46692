//! The lifecycle against a scripted network: every interleaving is forced, and time passes when the test says so.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod broken_off;
mod clock_jumps;
mod closed_logins;
mod disconnects;
mod events;
mod faulty_store;
mod fence;
mod kept_login;
mod one_refresh;
mod outcomes;
mod rejected;
mod revocations;
mod schedule;
mod stale;
mod store_trouble;
mod support;
mod whose_login;
