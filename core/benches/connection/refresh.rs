//! What a refresh adds to its HTTP request: claim, seal, durable commit. Beside it, the least that any durable store
//! pays: one upsert of as many fresh bytes by a prepared statement, on one thread, with the same settings.

use std::future::Future;
use std::time::{Duration, Instant};

use criterion::Criterion;
use loomkin_auth::random::{Random, SystemRandom};
use loomkin_auth::store::vault::{Claimed, Entry, Renewal, Vault};
use tokio::runtime::Runtime;

use crate::common::{DAY, account, connect, sqlite_vault, tokens};
use crate::token::fill;

pub(crate) fn stored(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("store of one refresh");
    for accounts in [1, 100_000] {
        let folder = tempfile::tempdir().unwrap();
        let vault = once_cell::unsync::Lazy::new(|| {
            runtime.block_on(async {
                let vault = sqlite_vault(folder.path()).await;
                fill(&vault, accounts).await;
                connect(&vault, &account(), &tokens(DAY)).await;
                vault
            })
        });
        let vault = || Vault::clone(&vault);
        group.bench_function(format!("load, one of {accounts}"), |b| {
            b.iter_custom(|times| measure(&runtime, load(vault(), times)));
        });
        group.bench_function(format!("claim and commit, one of {accounts}"), |b| {
            b.iter_custom(|times| measure(&runtime, claim_and_commit(vault(), times)));
        });
        group.bench_function(format!("commit, one of {accounts}"), |b| {
            b.iter_custom(|times| measure(&runtime, commit(vault(), times)));
        });
        if accounts == 1 {
            group.bench_function("for comparison: a bare upsert of the same bytes", |b| {
                let record = runtime.block_on(vault().record(&account())).unwrap().unwrap();
                let bare = Bare::open(folder.path(), record.sealed.0.len());
                b.iter_custom(|times| bare.upsert(times));
            });
        }
    }
    group.finish();
}

/// How long `work` takes by its own account, in a task, which is where refreshes run.
fn measure(runtime: &Runtime, work: impl Future<Output = Duration> + Send + 'static) -> Duration {
    runtime.block_on(async { tokio::spawn(work).await.unwrap() })
}

async fn load(vault: Vault, times: u64) -> Duration {
    let (account, began) = (account(), Instant::now());
    for _ in 0..times {
        vault.load(&account).await.unwrap().unwrap();
    }
    began.elapsed()
}

async fn claim_and_commit(vault: Vault, times: u64) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..times {
        let (entry, answer) = (current(&vault).await, tokens(DAY));
        let began = Instant::now();
        let attempt = vault.make_attempt().unwrap();
        let claimed = vault.claim(&entry, attempt, Duration::from_secs(45)).await.unwrap();
        let Claimed::Claimed { entry, .. } = claimed else { unreachable!("nobody else claims") };
        vault.commit(&vault.seal_renewal(&entry, &answer).unwrap()).await.unwrap();
        took += began.elapsed();
    }
    took
}

async fn commit(vault: Vault, times: u64) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..times {
        let renewal = renewal(&vault).await;
        let began = Instant::now();
        vault.commit(&renewal).await.unwrap();
        took += began.elapsed();
    }
    took
}

async fn renewal(vault: &Vault) -> Renewal {
    vault.seal_renewal(&current(vault).await, &tokens(DAY)).unwrap()
}

async fn current(vault: &Vault) -> Entry {
    vault.load(&account()).await.unwrap().unwrap()
}

/// A database with one row of `length` bytes.
struct Bare {
    database: rusqlite::Connection,
    length: usize,
}

impl Bare {
    fn open(folder: &std::path::Path, length: usize) -> Self {
        let database = rusqlite::Connection::open(folder.join("bare.db")).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.pragma_update(None, "synchronous", "FULL").unwrap();
        database
            .execute_batch("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, bytes BLOB)")
            .unwrap();
        Self { database, length }
    }

    fn upsert(&self, times: u64) -> Duration {
        let mut upsert = self.database.prepare("INSERT OR REPLACE INTO bare VALUES (1, ?)").unwrap();
        let (mut took, mut bytes) = (Duration::ZERO, vec![0; self.length]);
        for _ in 0..times {
            SystemRandom.fill(&mut bytes).unwrap();
            let began = Instant::now();
            upsert.execute([&bytes]).unwrap();
            took += began.elapsed();
        }
        took
    }
}
