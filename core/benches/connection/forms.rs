//! What is computed and touches no disk: seals and authorization URLs.

use std::sync::Arc;

use criterion::Criterion;
use loomkin_auth::clock::{Clock, SystemClock};
use loomkin_auth::protocol::authorization::request_authorization;
use loomkin_auth::random::SystemRandom;
use loomkin_auth::store::memory::MemoryStore;
use tokio::runtime::Runtime;

use crate::common::{DAY, account, builder, clock, connect, open, tokens};

pub(crate) fn made_and_read(c: &mut Criterion) {
    seal_and_open(c);
    authorization_url(c);
}

/// Two tokens of 1 KB, their metadata and their binding.
fn seal_and_open(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let vault = runtime.block_on(async {
        let store = Arc::new(MemoryStore::new(clock(), &SystemRandom).unwrap());
        open(store).await
    });
    let entry = runtime.block_on(connect(&vault, &account(), &tokens(DAY)));
    let answer = tokens(DAY);
    c.bench_function("seal", |b| b.iter(|| vault.seal_renewal(&entry, &answer).unwrap()));
    let account = account();
    c.bench_function("open", |b| b.to_async(&runtime).iter(|| async { vault.load(&account).await.unwrap() }));
}

fn authorization_url(c: &mut Criterion) {
    let provider = builder().build(None).unwrap();
    let now = SystemClock.now();
    c.bench_function("authorization URL with PKCE", |b| {
        b.iter(|| {
            request_authorization(
                &provider,
                account(),
                &provider.scopes,
                "http://127.0.0.1:1/callback",
                now,
                &SystemRandom,
            )
            .unwrap()
        });
    });
}
