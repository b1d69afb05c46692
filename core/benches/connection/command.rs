//! A whole process: start, read the configuration, open the store, unseal, print. Beside it, a process that does nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use criterion::Criterion;
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::provider::{Preset, ProviderBuilder, Registration};
use loomkin_auth::random::SystemRandom;
use loomkin_auth::store::sqlite::SqliteStore;
use loomkin_auth::store::vault::Identity;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::common::{DAY, KEY, account, clock, open, tokens};

pub(crate) fn cold_token(c: &mut Criterion) {
    let command = once_cell::unsync::Lazy::new(build);
    let home = once_cell::unsync::Lazy::new(home);
    let mut group = c.benchmark_group("a whole process");
    group.bench_function("cold `loomkin-auth token`", |b| {
        b.iter(|| run(Command::new(&*command).args(["token", "github"]), home.path()));
    });
    group
        .bench_function("for comparison: `true`", |b| b.iter(|| run(&mut Command::new("true"), home.path())));
    group.finish();
}

fn run(command: &mut Command, home: &Path) {
    let quiet = command.stdout(Stdio::null());
    let status = quiet.current_dir(home).env_clear().env("HOME", home).env("KEY", KEY).status().unwrap();
    assert!(status.success());
}

/// The command as people have it.
fn build() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "loomkin-auth-cli"])
        .status()
        .unwrap();
    assert!(built.success());
    // Benches run in `target/release/deps`.
    let here = std::env::current_exe().unwrap();
    here.parent().and_then(|deps| deps.parent()).unwrap().join("loomkin-auth")
}

/// A folder with a configuration and a store in which the account is connected.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let text = "[auth.store]\npath = \"store/auth.db\"\nkey = \"env:KEY\"\n\n[auth.github]\nclient_id = \"client\"\n";
    std::fs::write(home.path().join(".loomkin.toml"), text).unwrap();
    Runtime::new().unwrap().block_on(async {
        let environment =
            Environment::new([("HOME", home.path().to_str().unwrap()), ("KEY", KEY)], home.path());
        let config = Config::open(None, &environment).unwrap();
        let path = config.store().path.value.clone();
        let store = Arc::new(SqliteStore::open(&path, clock(), Arc::new(SystemRandom)).await.unwrap());
        let vault = open(store).await;
        let registration = Registration { client_id: "client".to_owned(), ..Registration::default() };
        let github = ProviderBuilder::new(account().provider, Preset::find("github"), registration);
        let binding = github.binding().to_json();
        vault.connect(&account(), &tokens(DAY), Identity::default(), binding).await.unwrap();
    });
    home
}
