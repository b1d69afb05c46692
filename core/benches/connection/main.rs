//! What a connection costs: `cargo bench -p loomkin-auth`.
//!
//! Benches measure, tests assert. The numbers of the README come from here.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot go on stops there"
)]

mod command;
#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod forms;
mod refresh;
mod token;

use criterion::{Criterion, criterion_group, criterion_main};

criterion_group! {
    name = connection;
    config = Criterion::default().sample_size(50);
    targets = token::fresh, refresh::stored, crowd::released, forms::made_and_read, command::cold_token
}
criterion_main!(connection);
