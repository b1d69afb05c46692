//! Ten thousand accounts whose tokens all end within one minute, and one process whose schedule renews them before: how
//! much memory that takes, and whether it is in time. `cargo bench -p loomkin-auth --bench expiring`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot go on stops there, and says what it measured"
)]

#[path = "common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Provider, account_number, connect, lifecycle, sqlite_vault, tokens};

fn main() {
    // `cargo test --benches` starts it too, and wants to know only that it starts.
    if std::env::args().any(|argument| argument == "--bench") {
        tokio::runtime::Runtime::new().unwrap().block_on(measure());
    }
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let vault = sqlite_vault(folder.path()).await;
    for number in 0..ACCOUNTS {
        let moment = MINUTE.mul_f64(f64::from(number) / f64::from(ACCOUNTS));
        connect(&vault, &account_number(number as usize), &tokens(MINUTE + moment)).await;
    }
    let last_end = Instant::now() + 2 * MINUTE;
    let provider = Provider::holding_after(ACCOUNTS as usize);
    let lifecycle = lifecycle(&vault, provider.clone());
    let connected = resident("VmRSS");
    let schedule = lifecycle.renew_ahead().unwrap();
    provider.arrived.acquire_many(ACCOUNTS).await.unwrap().forget();
    let left = last_end.saturating_duration_since(Instant::now());
    drop(schedule);
    lifecycle.close(Duration::from_secs(10)).await;
    println!("accounts: {ACCOUNTS}, requests: {}", ACCOUNTS as usize + provider.arrived.available_permits());
    println!("the last request was made {:.1} s before the last token ended", left.as_secs_f64());
    println!(
        "memory: {connected} MiB before, {} MiB after, {} MiB at most",
        resident("VmRSS"),
        resident("VmHWM")
    );
}

/// A line of this process's status, in MiB; nothing where the system has no such file.
fn resident(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

const ACCOUNTS: u32 = 10_000;
const MINUTE: Duration = Duration::from_secs(60);
