//! What a connection costs: `cargo bench -p loomkin-auth`.
//!
//! Benches measure, tests assert. The numbers of the README come from here.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot go on stops there"
)]

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use loomkin_auth::account::AccountKey;
use loomkin_auth::clock::{Clock, SystemClock};
use loomkin_auth::environment::Environment;
use loomkin_auth::http::{HttpClient, SendError};
use loomkin_auth::lifecycle::{Lifecycle, Margins};
use loomkin_auth::protocol::authorization::request_authorization;
use loomkin_auth::protocol::message::{Request, Response};
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::provider::{Preset, ProviderBuilder, Registration};
use loomkin_auth::random::{Random, SystemRandom};
use loomkin_auth::secret::Secret;
use loomkin_auth::server::AuthorizationServer;
use loomkin_auth::store::key::{KeySetting, OsKeychain};
use loomkin_auth::store::memory::MemoryStore;
use loomkin_auth::store::sqlite::SqliteStore;
use loomkin_auth::store::vault::{Claimed, Entry, Identity, Vault};
use loomkin_auth::store::{AttemptId, TokenStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn benches(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sqlite = runtime.block_on(sqlite_vault(&folder));
    fresh_access_token(c, &runtime, &sqlite);
    seal_and_open(c, &runtime);
    authorization_url(c);
    stored_refresh(c, &runtime, &sqlite, &folder);
    cold_token(c);
}

/// Reading the clock and noticing changes of the store included.
fn fresh_access_token(c: &mut Criterion, runtime: &Runtime, vault: &Vault) {
    let lifecycle = runtime.block_on(async {
        connect(vault).await;
        lifecycle(vault)
    });
    let account = account();
    c.bench_function("access_token, fresh, SQLite", |b| {
        b.to_async(runtime).iter(|| async { lifecycle.access_token(&account).await.unwrap() });
    });
}

/// Two tokens of 1 KB, their metadata and their binding.
fn seal_and_open(c: &mut Criterion, runtime: &Runtime) {
    let vault = runtime.block_on(async {
        let store = Arc::new(MemoryStore::new(clock(), &SystemRandom).unwrap());
        open(store).await
    });
    let entry = runtime.block_on(connect(&vault));
    let answer = tokens();
    c.bench_function("seal", |b| b.iter(|| vault.seal_renewal(&entry, &answer).unwrap()));
    let account = account();
    c.bench_function("open", |b| b.to_async(runtime).iter(|| async { vault.load(&account).await.unwrap() }));
}

fn authorization_url(c: &mut Criterion) {
    let provider = builder().build(None).unwrap();
    let now = SystemClock.now();
    c.bench_function("authorization URL with PKCE", |b| {
        b.iter(|| {
            request_authorization(&provider, account(), "http://127.0.0.1:1/callback", now, &SystemRandom)
                .unwrap()
        });
    });
}

/// What a refresh adds to its HTTP request: claim, seal, durable commit. Beside it, the least that any durable store
/// pays: one upsert of as many fresh bytes with the same settings.
fn stored_refresh(c: &mut Criterion, runtime: &Runtime, vault: &Vault, folder: &TempDir) {
    let account = account();
    let mut group = c.benchmark_group("durable store of one refresh");
    group.bench_function("claim, seal, commit", |b| {
        b.to_async(runtime).iter(|| async {
            let entry = vault.load(&account).await.unwrap().unwrap();
            let attempt = AttemptId((&SystemRandom as &dyn Random).make_bytes().unwrap());
            let claimed = vault.claim(&entry, attempt, Duration::from_secs(45)).await.unwrap();
            let Claimed::Claimed { entry, .. } = claimed else { unreachable!("nobody else claims") };
            let renewal = vault.seal_renewal(&entry, &tokens()).unwrap();
            vault.commit(&renewal).await.unwrap()
        });
    });
    group.bench_function("commit alone", |b| {
        let entry = || runtime.block_on(vault.load(&account)).unwrap().unwrap();
        b.iter_batched(
            || vault.seal_renewal(&entry(), &tokens()).unwrap(),
            |renewal| runtime.block_on(vault.commit(&renewal)).unwrap(),
            BatchSize::PerIteration,
        );
    });
    let bare = rusqlite::Connection::open(folder.path().join("bare.db")).unwrap();
    bare.pragma_update(None, "journal_mode", "WAL").unwrap();
    bare.pragma_update(None, "synchronous", "FULL").unwrap();
    bare.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, bytes BLOB)", []).unwrap();
    group.bench_function("floor: one fsynced upsert of 3 KB", |b| {
        b.iter_batched(
            || (&SystemRandom as &dyn Random).make_bytes::<3072>().unwrap(),
            |bytes| bare.execute("INSERT OR REPLACE INTO bare VALUES (1, ?)", [bytes]).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// A whole process: start, read the configuration, open the store, unseal, print.
fn cold_token(c: &mut Criterion) {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "loomkin-auth-cli"])
        .status()
        .unwrap();
    assert!(built.success());
    // Benches run in `target/release/deps`.
    let here = std::env::current_exe().unwrap();
    let command = here.parent().and_then(|deps| deps.parent()).unwrap().join("loomkin-auth");
    let home = tempfile::tempdir().unwrap();
    let key = "0123456789abcdef0123456789abcdef";
    let config = "[auth.store]\npath = \"store/auth.db\"\nkey = \"env:KEY\"\n\n[auth.github]\nclient_id = \"client\"\n";
    std::fs::write(home.path().join(".loomkin.toml"), config).unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let environment =
            Environment::new([("HOME", home.path().to_str().unwrap()), ("KEY", key)], home.path());
        let config = loomkin_auth::config::Config::open(None, &environment).unwrap();
        let path = config.store().path.value.clone();
        let store = Arc::new(SqliteStore::open(&path, clock(), Arc::new(SystemRandom)).await.unwrap());
        let vault = open(store).await;
        let registration = Registration { client_id: "client".to_owned(), ..Registration::default() };
        let github = ProviderBuilder::new(account().provider, Preset::find("github"), registration);
        let binding = github.binding().to_json();
        vault.connect(&account(), &tokens(), Identity::default(), binding).await.unwrap();
    });
    c.bench_function("cold `loomkin-auth token`", |b| {
        b.iter(|| {
            let status = Command::new(&command)
                .args(["token", "github"])
                .current_dir(home.path())
                .env_clear()
                .env("HOME", home.path())
                .env("KEY", key)
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert!(status.success());
        });
    });
}

async fn sqlite_vault(folder: &TempDir) -> Vault {
    let path = folder.path().join("store/auth.db");
    open(Arc::new(SqliteStore::open(&path, clock(), Arc::new(SystemRandom)).await.unwrap())).await
}

async fn open(store: Arc<dyn TokenStore>) -> Vault {
    let environment = Environment::new([("KEY", "0123456789abcdef0123456789abcdef")], "/");
    let key = KeySetting::Env("KEY".to_owned());
    let random = Arc::new(SystemRandom);
    Vault::open(store, &key, &environment, Arc::new(OsKeychain), random, clock()).await.unwrap().0
}

async fn connect(vault: &Vault) -> Entry {
    let binding = builder().binding().to_json();
    vault.connect(&account(), &tokens(), Identity::default(), binding).await.unwrap()
}

fn lifecycle(vault: &Vault) -> Arc<Lifecycle> {
    let server = AuthorizationServer::new(builder(), builder().binding(), Arc::new(NoNetwork), clock());
    let servers = BTreeMap::from([(account().provider, Arc::new(server))]);
    let margins = Margins { margin: Duration::from_secs(60), ahead: Duration::from_secs(300) };
    Lifecycle::new(vault.clone(), servers, clock(), Arc::new(SystemRandom), margins)
}

fn builder() -> ProviderBuilder {
    let registration = Registration { client_id: "client".to_owned(), ..Registration::default() };
    let mut builder = ProviderBuilder::new(account().provider, None, registration);
    builder.endpoints.authorization = Some("https://idp.example.com/authorize".parse().unwrap());
    builder.endpoints.token = Some("https://idp.example.com/token".parse().unwrap());
    builder
}

/// Fresh random tokens, because a database does not write a page that has not changed.
fn tokens() -> TokenSet {
    let random: &dyn Random = &SystemRandom;
    let token = || {
        Secret::new((0..24).map(|_| random.make_secret().unwrap().expose().to_owned()).collect::<String>())
    };
    let now = SystemClock.now();
    let mut tokens = TokenSet::new(token(), now);
    tokens.refresh_token = Some(token());
    tokens.expires_at = Some(now.plus(Duration::from_secs(86_400)));
    tokens
}

fn account() -> AccountKey {
    "github".parse().unwrap()
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

#[derive(Debug)]
struct NoNetwork;

#[async_trait]
impl HttpClient for NoNetwork {
    async fn send(&self, _request: Request) -> Result<Response, SendError> {
        Err(SendError::NotSent { reason: "there is no network in a bench" })
    }
}

criterion_group! {
    name = connection;
    config = Criterion::default().sample_size(50);
    targets = benches
}
criterion_main!(connection);
