//! Each source when it is there, missing, short, wrong or in a bad mood.

use std::fs;
use std::time::Duration;

use super::*;
use crate::error::ErrorCode;
use crate::testing::ManualClock;

#[tokio::test]
async fn a_variable_that_is_unset_or_short_is_refused_with_a_recipe() {
    let setting = KeySetting::Env("APP_KEY".to_owned());
    for (place, message) in [
        (Place::with("OTHER", LONG), "the variable APP_KEY is not set"),
        (
            Place::with("APP_KEY", "canary-4711"),
            "the key in APP_KEY is 11 bytes long; at least 32 are needed",
        ),
    ] {
        let error = place.open(&setting).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (ErrorCode::KeyUnavailable, message));
        assert!(error.advice().contains("export APP_KEY=\"$(head -c 32 /dev/urandom | base64)\""));
        assert!(!format!("{error:?} {}", error.advice()).contains("canary"));
        assert!(place.store().await.keys().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_variable_opens_the_store_it_was_made_with_and_another_value_does_not() {
    let setting = KeySetting::Env("APP_KEY".to_owned());
    let mut place = Place::with("APP_KEY", LONG);
    let (vault, chosen) = place.open(&setting).await.unwrap();
    assert_eq!(chosen.unwrap().source, setting);
    connect(&vault, "github").await;
    assert!(opens(&place.open(&setting).await.unwrap().0, "github").await);

    place.variables = vec![("APP_KEY", "another key of 32 bytes or more, of no use")];
    let error = place.open(&setting).await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::KeyUnavailable, "the key does not open this store")
    );
    // Now that there is a store, a new key would be no remedy.
    place.variables.clear();
    let error = place.open(&setting).await.unwrap_err();
    assert_eq!(error.advice(), "Set APP_KEY to the key that the store is sealed with.");

    place.variables = vec![("APP_KEY", LONG)];
    assert!(opens(&place.open(&KeySetting::Auto).await.unwrap().0, "github").await);
}

#[tokio::test]
async fn another_source_than_the_recorded_one_is_refused_by_name() {
    let mut place = Place::with("APP_KEY", LONG);
    place.variables.push(("OTHER_KEY", LONG));
    place.keychain.turn(Mood::Fine);
    place.open(&KeySetting::Env("APP_KEY".to_owned())).await.unwrap();
    for setting in
        [KeySetting::Keychain, KeySetting::File("k".into()), KeySetting::Env("OTHER_KEY".to_owned())]
    {
        let error = place.open(&setting).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyUnavailable);
        assert_eq!(error.advice(), "Set key = \"env:APP_KEY\" under [auth.store].");
    }
}

#[tokio::test]
async fn a_keychain_in_any_bad_mood_is_key_unavailable_and_never_replaced() {
    let place = Place::new(Mood::Fine);
    let (vault, chosen) = place.open(&KeySetting::Auto).await.unwrap();
    assert_eq!(chosen, Some(ChosenKey { source: KeySetting::Keychain, passed_over: None }));
    connect(&vault, "github").await;

    for (mood, message) in [
        (Mood::Refusing(KeychainError::Locked), "the keychain is locked"),
        (Mood::Refusing(KeychainError::Absent), "there is no keychain here"),
        (Mood::Refusing(KeychainError::Failed), "the keychain failed"),
    ] {
        place.keychain.turn(mood);
        for setting in [KeySetting::Auto, KeySetting::Keychain] {
            let error = place.open(&setting).await.unwrap_err();
            assert_eq!((error.code(), error.message()), (ErrorCode::KeyUnavailable, message));
        }
    }
    place.keychain.turn(Mood::Fine);
    let kept = std::mem::take(&mut *place.keychain.secrets.lock().unwrap());
    let error = place.open(&KeySetting::Auto).await.unwrap_err();
    assert_eq!(error.message(), "the keychain has no key of this store");
    assert!(place.keychain.secrets.lock().unwrap().is_empty(), "no new key was made");
    assert!(!place.path("auth.db.key").exists());

    *place.keychain.secrets.lock().unwrap() = kept;
    let (vault, chosen) = place.open(&KeySetting::Auto).await.unwrap();
    assert!(chosen.is_none() && opens(&vault, "github").await);
}

#[tokio::test]
async fn a_keychain_that_hangs_is_given_five_seconds() {
    let place = Arc::new(Place::new(Mood::Fine));
    place.open(&KeySetting::Auto).await.unwrap();
    place.keychain.turn(Mood::Hanging);
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(0)));
    let opening = {
        let (place, clock) = (Arc::clone(&place), clock.clone());
        tokio::spawn(async move { place.open_by(&KeySetting::Auto, clock).await.map(drop) })
    };
    while clock.sleepers() == 0 && !opening.is_finished() {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_millis(4_999));
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(!opening.is_finished());
    clock.advance(Duration::from_millis(1));
    let error = opening.await.unwrap().unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::KeyUnavailable, "the keychain did not answer within 5 s")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_file_is_refused_for_what_is_wrong_with_it() {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    let place = Place::new(Mood::Fine);
    place.store().await;
    let key = place.path("key");
    let setting = KeySetting::File(key.clone());
    let refusal = async |what: &str| {
        let error = place.open(&setting).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (ErrorCode::KeyUnavailable, what));
        error.advice().to_owned()
    };
    let write = |text: &str, mode| {
        fs::write(&key, text).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
    };
    let quoted = format!("'{}'", key.display());

    let recipe = format!("(umask 077; head -c 32 /dev/urandom | base64 > {quoted})");
    assert!(refusal("the key file is not there").await.contains(&recipe));
    write("canary-4711", 0o600);
    assert!(refusal("the key file is 11 bytes long; at least 32 are needed").await.contains(&recipe));
    write(LONG, 0o644);
    assert_eq!(refusal("the key file is open to other users").await, format!("Run: chmod 600 {quoted}"));
    write(&"x".repeat(4097), 0o600);
    refusal("the key file is longer than 4096 bytes").await;
    fs::rename(&key, place.path("real")).unwrap();
    symlink(place.path("real"), &key).unwrap();
    refusal("the key file is a link").await;
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    refusal("the key file is not a file").await;
    fs::remove_dir(&key).unwrap();
    write(LONG, 0o400);
    assert!(place.open(&setting).await.unwrap().1.is_some());
}

/// Through the whole vault, so that it is proved to work inside an async runtime too.
#[tokio::test]
#[ignore = "needs an unlocked keychain of the system, which gets an entry for a moment"]
async fn the_systems_keychain_keeps_a_key() {
    let place = Place::new(Mood::Fine);
    let open = async || {
        let (environment, clock) = (Environment::new([("", ""); 0], "/"), Arc::new(SystemClock));
        let (store, keychain) = (place.store().await, Arc::new(OsKeychain));
        Vault::open(store, &KeySetting::Keychain, &environment, keychain, Arc::new(SystemRandom), clock).await
    };
    let opened = open().await;
    if let Ok((vault, _)) = &opened {
        connect(vault, "github").await;
    }
    let again = open().await;
    let name = place.store().await.id().await.unwrap().to_string();
    let removed = tokio::task::spawn_blocking(move || {
        keyring::Entry::new("loomkin-auth", &name).and_then(|entry| entry.delete_credential())
    });
    let _ = removed.await.unwrap();
    assert_eq!(opened.unwrap().1.unwrap().source, KeySetting::Keychain);
    assert!(opens(&again.unwrap().0, "github").await);
}
