//! Hosted logins: begun by one process of a web app, finished by any.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod beginning;
mod bounds;
mod closing;
mod finishing;
mod support;
