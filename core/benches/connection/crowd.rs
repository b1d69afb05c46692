//! A thousand callers who wait for one refresh: from the answer's arrival to the last caller's return.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use loomkin_auth::store::vault::Vault;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::common::{Provider, account, connect, lifecycle, sqlite_vault, tokens};

pub(crate) fn released(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let vault = runtime.block_on(sqlite_vault(folder.path()));
    let mut group = c.benchmark_group("callers released by one refresh");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    for callers in [1, 1000] {
        group.bench_function(callers.to_string(), |b| {
            b.iter_custom(|times| {
                (0..times).map(|_| runtime.block_on(release(vault.clone(), callers))).sum::<Duration>()
            });
        });
    }
    group.finish();
}

async fn release(vault: Vault, callers: usize) -> Duration {
    // Ended, so that everybody waits.
    connect(&vault, &account(), &tokens(Duration::ZERO)).await;
    let provider = Provider::holding_after(0);
    let lifecycle = lifecycle(&vault, provider.clone());
    let mut waiting = JoinSet::new();
    for _ in 0..callers {
        let lifecycle = Arc::clone(&lifecycle);
        waiting.spawn(async move { lifecycle.access_token(&account()).await.unwrap() });
    }
    provider.arrived.acquire().await.unwrap().forget();
    // Nothing tells from outside that the last of them waits; they need a fraction of this.
    tokio::time::sleep(SETTLE).await;
    let began = Instant::now();
    provider.permits.add_permits(1);
    waiting.join_all().await;
    began.elapsed()
}

const SETTLE: Duration = Duration::from_millis(500);
