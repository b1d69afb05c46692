//! The dev-provider over real HTTP, as an app sees it.

mod app;
mod binary;
mod controls;
mod faults_acted;
mod faults_redirect;
mod faults_unread;
mod gates;
mod login;
mod tokens;
