//! Ten thousand accounts of one process that all expire within one minute: how much memory that takes, and how far
//! behind the process falls. `cargo bench -p loomkin-auth --bench expiring`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot go on stops there, and says what it measured"
)]

#[path = "common/mod.rs"]
mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Provider, account_number, connect, lifecycle, sqlite_vault, tokens};
use loomkin_auth::account::AccountKey;
use loomkin_auth::lifecycle::Lifecycle;
use tokio::task::JoinSet;

fn main() {
    // `cargo test --benches` starts it too, and wants to know only that it starts.
    if std::env::args().any(|argument| argument == "--bench") {
        tokio::runtime::Runtime::new().unwrap().block_on(measure());
    }
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let vault = sqlite_vault(folder.path()).await;
    let accounts: Vec<_> = (0..ACCOUNTS).map(account_number).collect();
    for account in &accounts {
        // Used up as soon as they are stored: the minute is that of the renewals.
        connect(&vault, account, &tokens(Duration::ZERO)).await;
    }
    let provider = Provider::holding_after(ACCOUNTS);
    let lifecycle = lifecycle(&vault, provider.clone());
    let connected = resident("VmRSS");
    let began = Instant::now();
    let latest = renew_within_a_minute(&lifecycle, accounts).await;
    lifecycle.close(Duration::from_secs(10)).await;
    println!("accounts: {ACCOUNTS}, requests: {}", provider.arrived.available_permits());
    println!("renewed within {:.1} s, the slowest in {latest:.1?}", began.elapsed().as_secs_f64());
    println!(
        "memory: {connected} MiB before, {} MiB after, {} MiB at most",
        resident("VmRSS"),
        resident("VmHWM")
    );
}

/// Asks for each account's token at its moment of the minute, and returns how long the slowest took.
///
/// Callers stand here for the schedule that renews ahead of the end by itself. Like it they are bounded in number, so
/// that a machine which falls behind is measured by its delay and not by the memory of those who wait.
async fn renew_within_a_minute(lifecycle: &Arc<Lifecycle>, accounts: Vec<AccountKey>) -> Duration {
    let mut ticks = tokio::time::interval(Duration::from_secs(60) / u32::try_from(accounts.len()).unwrap());
    let mut callers = JoinSet::new();
    let mut latest = Duration::ZERO;
    for account in accounts {
        ticks.tick().await;
        if callers.len() >= AT_ONCE
            && let Some(took) = callers.join_next().await
        {
            latest = latest.max(took.unwrap());
        }
        let lifecycle = Arc::clone(lifecycle);
        callers.spawn(async move {
            let began = Instant::now();
            lifecycle.access_token(&account).await.unwrap();
            began.elapsed()
        });
        while let Some(took) = callers.try_join_next() {
            latest = latest.max(took.unwrap());
        }
    }
    callers.join_all().await.into_iter().fold(latest, Duration::max)
}

/// A line of this process's status, in MiB; nothing where the system has no such file.
fn resident(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

const ACCOUNTS: usize = 10_000;
const AT_ONCE: usize = 64;
