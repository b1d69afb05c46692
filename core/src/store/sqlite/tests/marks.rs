//! The change mark across processes, and when its file goes away.
#![cfg(unix)]

use std::process::Command;

use super::*;
use crate::environment::Environment;
use crate::store::key::{KeySetting, OsKeychain};
use crate::store::vault::Vault;
use crate::store::{Columns, EventKind, SealedTokens};

#[tokio::test]
async fn what_another_process_writes_shows_before_it_ends() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login("first")).await.unwrap();
    let before = store.change_mark().unwrap();
    assert_eq!(store.change_mark().unwrap(), before);
    let name = "store::sqlite::tests::marks::connect_another_account";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name])
        .env(STORE, place.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let after = store.change_mark().unwrap();
    assert_ne!(after, before);
    assert_eq!(store.change_mark().unwrap(), after, "it has said that it is done");
    assert!(store.load(&login("second").account).await.unwrap().is_some());
}

/// What the test above starts as a process of its own.
#[tokio::test]
#[ignore = "a part of another test"]
async fn connect_another_account() {
    let path = Environment::from_process().variable(STORE).map(PathBuf::from).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000)));
    let store = SqliteStore::open(path, clock, Arc::new(SystemRandom)).await.unwrap();
    store.connect(login("second")).await.unwrap();
}

#[tokio::test]
async fn a_mark_that_was_replaced_is_found_within_a_second_by_one_who_asks_for_nothing_else() {
    let place = Place::new();
    let vault = vault(&place).await;
    let before = vault.change_mark().unwrap();
    assert_eq!(vault.change_mark().unwrap(), before);
    std::fs::remove_file(with_suffix(&place.path(), ".changes")).unwrap();
    place.open().await.record_event(&login("first").account, EventKind::Refreshed).await.unwrap();
    place.advance(Duration::from_secs(1));
    let after = vault.change_mark().unwrap();
    assert_ne!(after, before);
    assert_eq!(vault.change_mark().unwrap(), after, "it looks at the new file");
}

#[tokio::test]
async fn a_load_finds_the_mark_that_was_replaced() {
    let place = Place::new();
    let (store, other) = (place.open().await, place.open().await);
    store.connect(login("first")).await.unwrap();
    std::fs::remove_file(with_suffix(&place.path(), ".changes")).unwrap();
    place.open().await.connect(login("second")).await.unwrap();
    other.load(&login("first").account).await.unwrap();
    assert_eq!(other.change_mark().unwrap(), place.open().await.change_mark().unwrap());
}

async fn vault(place: &Place) -> Vault {
    let environment = Environment::new([("KEY", "0123456789abcdef0123456789abcdef")], "/");
    let (store, random) = (Arc::new(place.open().await), Arc::new(SystemRandom));
    let key = KeySetting::Env("KEY".to_owned());
    Vault::open(store, &key, &environment, Arc::new(OsKeychain), random, place.clock.clone()).await.unwrap().0
}

fn login(name: &str) -> NewConnection {
    NewConnection {
        account: format!("github/{name}").parse().unwrap(),
        connection: ConnectionId([1; 16]),
        columns: Columns::new(Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(1)),
        sealed: SealedTokens(vec![1; 100]),
        refresh_digest: None,
        begun_after: None,
    }
}

const STORE: &str = "LOOMKIN_AUTH_TEST_STORE";
