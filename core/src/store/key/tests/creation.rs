//! The moment when a store gets its key: once, for everybody, and never again.

use std::fs;
use std::process::{Command, Stdio};

use super::*;
use crate::error::ErrorCode;
use crate::store::key::source::Source;
use crate::store::key::wrap;

#[tokio::test]
async fn auto_takes_a_key_file_where_the_keychain_is_no_use_and_says_why() {
    for (mood, because) in [
        (Mood::Refusing(KeychainError::Absent), "there is no keychain here"),
        (Mood::Refusing(KeychainError::Locked), "the keychain is locked"),
        (Mood::Forgetful, "the keychain does not give back what it was given"),
    ] {
        let place = Place::new(mood);
        let (vault, chosen) = place.open(&KeySetting::Auto).await.unwrap();
        let chosen = chosen.unwrap();
        assert_eq!(chosen.source, KeySetting::File(place.path("auth.db.key")));
        assert_eq!(chosen.passed_over.as_deref(), Some(because));
        connect(&vault, "github").await;
        // A keychain that comes later changes nothing.
        place.keychain.turn(Mood::Fine);
        let (vault, chosen) = place.open(&KeySetting::Auto).await.unwrap();
        assert!(chosen.is_none() && opens(&vault, "github").await);
        assert!(place.keychain.secrets.lock().unwrap().is_empty());
        assert!(place.open(&KeySetting::File(place.path("auth.db.key"))).await.is_ok());
    }
}

#[tokio::test]
async fn an_explicit_keychain_is_not_replaced_by_a_file() {
    let place = Place::new(Mood::Refusing(KeychainError::Locked));
    let error = place.open(&KeySetting::Keychain).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::KeyUnavailable, "the keychain is locked"));
    assert!(!place.path("auth.db.key").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_file_that_is_made_is_private_and_one_that_is_gone_is_not_made_again() {
    use std::os::unix::fs::MetadataExt;

    let place = Place::new(Mood::Refusing(KeychainError::Absent));
    let (vault, _) = place.open(&KeySetting::Auto).await.unwrap();
    connect(&vault, "github").await;
    let key = place.path("auth.db.key");
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o7777, 0o600);
    let kept = place.path("kept");
    fs::rename(&key, &kept).unwrap();

    let error = place.open(&KeySetting::Auto).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::KeyUnavailable, "the key file is not there"));
    assert!(error.advice().starts_with("Restore "), "{}", error.advice());
    assert!(!key.exists());

    fs::rename(&kept, &key).unwrap();
    assert!(opens(&place.open(&KeySetting::Auto).await.unwrap().0, "github").await);
}

#[tokio::test]
async fn records_without_any_key_never_get_a_new_one() {
    let place = Place::new(Mood::Fine);
    let (vault, _) = place.open(&KeySetting::Auto).await.unwrap();
    connect(&vault, "github").await;
    drop(vault);
    rusqlite::Connection::open(place.path("auth.db")).unwrap().execute("DELETE FROM data_key", []).unwrap();
    let error = place.open(&KeySetting::Auto).await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::KeyUnavailable, "the store has connections, but its key is gone")
    );
    assert!(place.store().await.keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_secret_that_a_maker_left_who_died_is_used_and_not_replaced() {
    let place = Place::new(Mood::Fine);
    let name = place.store().await.id().await.unwrap().to_string();
    place.keychain.secrets.lock().unwrap().insert(name.clone(), vec![7; 32]);
    place.open(&KeySetting::Auto).await.unwrap();
    assert_eq!(place.keychain.secrets.lock().unwrap()[&name], [7; 32]);
}

#[tokio::test]
async fn the_store_and_its_key_file_can_be_moved_together() {
    let place = Place::new(Mood::Refusing(KeychainError::Absent));
    connect(&place.open(&KeySetting::Auto).await.unwrap().0, "github").await;
    let moved = Place::new(Mood::Refusing(KeychainError::Absent));
    fs::rename(place.path(""), moved.path("")).unwrap();
    assert!(opens(&moved.open(&KeySetting::Auto).await.unwrap().0, "github").await);
}

#[tokio::test]
async fn an_older_key_opens_older_records_and_the_newest_seals_new_ones() {
    let place = Place::with("APP_KEY", LONG);
    let setting = KeySetting::Env("APP_KEY".to_owned());
    connect(&place.open(&setting).await.unwrap().0, "github").await;
    let store = place.store().await;
    let source = Source::Env("APP_KEY".to_owned()).to_string();
    let second = wrap::make(LONG.as_bytes(), source, Timestamp::from_unix_seconds(9), &SystemRandom).unwrap();
    assert!(store.add_key(second.clone(), false).await.unwrap());

    let (vault, _) = place.open(&setting).await.unwrap();
    connect(&vault, "google").await;
    assert!(opens(&vault, "github").await && opens(&vault, "google").await);
    let sealed = store.load(&"google".parse().unwrap()).await.unwrap().unwrap().sealed;
    assert_eq!(sealed.0[1..9], second.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_start_at_once_all_open_the_one_key() {
    for mood in [Mood::Fine, Mood::Refusing(KeychainError::Absent)] {
        let place = Arc::new(Place::new(mood));
        let starts: Vec<_> = (0..8)
            .map(|number| {
                let place = Arc::clone(&place);
                tokio::spawn(async move {
                    let (vault, chosen) = place.open(&KeySetting::Auto).await.unwrap();
                    connect(&vault, &format!("github/{number}")).await;
                    (vault, chosen.is_some())
                })
            })
            .collect();
        let mut vaults = Vec::new();
        for start in starts {
            vaults.push(start.await.unwrap());
        }
        assert_eq!(vaults.iter().filter(|(_, chose)| *chose).count(), 1, "one of them made it, and said so");
        for (vault, _) in &vaults {
            for number in 0..8 {
                assert!(opens(vault, &format!("github/{number}")).await);
            }
        }
    }
}

#[tokio::test]
async fn of_many_processes_that_start_at_once_all_open_the_one_key() {
    let place = Place::new(Mood::Refusing(KeychainError::Absent));
    let name = "store::key::tests::creation::start_as_a_process";
    let processes: Vec<_> = (0..8)
        .map(|number| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", name])
                .env(DIRECTORY, place.directory.path())
                .env(NUMBER, number.to_string())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let (vault, chosen) = place.open(&KeySetting::Auto).await.unwrap();
    assert!(chosen.is_none());
    for number in 0..8 {
        assert!(opens(&vault, &format!("github/{number}")).await);
    }
}

/// What the test above starts as a process of its own.
#[tokio::test]
#[ignore = "a part of another test"]
async fn start_as_a_process() {
    let environment = Environment::from_process();
    let path = PathBuf::from(environment.variable(DIRECTORY).unwrap()).join("store").join("auth.db");
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let store = Arc::new(SqliteStore::open(path, clock.clone(), random.clone()).await.unwrap());
    let keychain = FakeKeychain::new(Mood::Refusing(KeychainError::Absent));
    let opened = Vault::open(store, &KeySetting::Auto, &environment, keychain, random, clock).await;
    connect(&opened.unwrap().0, &format!("github/{}", environment.variable(NUMBER).unwrap())).await;
}

const DIRECTORY: &str = "LOOMKIN_AUTH_TEST_DIRECTORY";
const NUMBER: &str = "LOOMKIN_AUTH_TEST_NUMBER";
