//! A token that is fresh, the clock and the look for changes included.

use std::hint::black_box;
use std::sync::Arc;

use criterion::Criterion;
use loomkin_auth::account::AccountKey;
use loomkin_auth::lifecycle::Lifecycle;
use loomkin_auth::store::vault::Vault;
use tokio::runtime::Runtime;

use crate::common::{DAY, Provider, account, account_number, connect, lifecycle, sqlite_vault, tokens_of};

pub(crate) fn fresh(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("access_token, fresh");
    for accounts in [1, 100_000] {
        let folder = tempfile::tempdir().unwrap();
        let all = once_cell::unsync::Lazy::new(|| runtime.block_on(connected(accounts, folder.path())));
        group.bench_function(format!("one of {accounts}"), |b| {
            let (lifecycle, _) = &*all;
            let account = account();
            b.to_async(&runtime).iter(|| async { lifecycle.access_token(&account).await.unwrap() });
        });
        if accounts > 1 {
            group.bench_function(format!("each of {accounts} in turn"), |b| {
                let (lifecycle, accounts) = &*all;
                let mut next = accounts.iter().cycle();
                b.iter(|| {
                    let account = next.next().unwrap();
                    runtime.block_on(async { black_box(lifecycle.access_token(account).await.unwrap()) })
                });
            });
        }
    }
    group.finish();
}

/// `count` accounts, connected and in the lifecycle's memory.
async fn connected(count: usize, folder: &std::path::Path) -> (Arc<Lifecycle>, Vec<AccountKey>) {
    let vault = sqlite_vault(folder).await;
    let accounts = fill(&vault, count).await;
    let lifecycle = lifecycle(&vault, Provider::holding_after(0));
    for account in &accounts {
        lifecycle.access_token(account).await.unwrap();
    }
    (lifecycle, accounts)
}

/// Connects `count` accounts, [`account`] in the middle of them.
pub(crate) async fn fill(vault: &Vault, count: usize) -> Vec<AccountKey> {
    let accounts: Vec<_> =
        (0..count).map(|n| if n == count / 2 { account() } else { account_number(n) }).collect();
    for account in &accounts {
        connect(vault, account, &tokens_of(1, DAY)).await;
    }
    accounts
}
