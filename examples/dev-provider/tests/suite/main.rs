//! The dev-provider over real HTTP, as an app sees it.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod app;
mod binary;
mod controls;
mod device;
mod faults_acted;
mod faults_redirect;
mod faults_unread;
mod gates;
mod login;
mod readme;
mod tokens;
