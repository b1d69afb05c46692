//! A new key from the same source or from another, and the processes that have the old configuration.

use std::fs;
use std::time::Duration;

use super::*;
use crate::error::ErrorCode;
use crate::store::RevocationTerms;
use crate::store::vault::{Committed, Disconnected, RotationReport};

fn env(name: &str) -> KeySetting {
    KeySetting::Env(name.to_owned())
}

async fn rotate(vault: &Vault, source: Option<&KeySetting>) -> Result<RotationReport> {
    vault.rotate_key(source, &|_| {}).await
}

impl Place {
    /// As the command opens it.
    async fn open_to_rotate(&self, setting: &KeySetting) -> Result<Vault> {
        let environment = Environment::new(self.variables.iter().copied(), self.directory.path());
        let (store, keychain) = (self.store().await, self.keychain.clone());
        let (random, clock) = (Arc::new(SystemRandom), Arc::new(SystemClock));
        Vault::open_to_rotate(store, setting, &environment, keychain, random, clock)
            .await
            .map(|opened| opened.0)
    }

    async fn sources(&self) -> Vec<String> {
        self.store().await.keys().await.unwrap().into_iter().map(|key| key.source).collect()
    }
}

/// Everything that a store can be moved between on one machine.
async fn with_everything() -> Place {
    let mut place = Place::with("APP_KEY", LONG);
    place.variables.push(("NEW_KEY", "another key of 32 bytes or more, as good as the first"));
    place.keychain.turn(Mood::Fine);
    place.store().await;
    files_key(&place.path("new.key"));
    place
}

fn files_key(path: &std::path::Path) {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
    options.open(path).unwrap().write_all(b"the key in a file, which has 32 bytes too").unwrap();
}

#[tokio::test]
async fn the_source_stays_unless_another_is_named() {
    let place = Place::new(Mood::Refusing(KeychainError::Absent));
    let (vault, _) = place.open(&KeySetting::Auto).await.unwrap();
    connect(&vault, "github").await;
    let old = place.store().await.keys().await.unwrap();
    let report = rotate(&vault, None).await.unwrap();
    let new = place.store().await.keys().await.unwrap();
    assert_eq!(report.source, KeySetting::File(place.path("auth.db.key")));
    assert_eq!((new.len(), &new[0].source), (1, &old[0].source), "it can still be moved with its key file");
    assert!(new[0].id != old[0].id && new[0].salt != old[0].salt && new[0].wrapped != old[0].wrapped);
    assert!(opens(&vault, "github").await);
    assert!(opens(&place.open(&KeySetting::Auto).await.unwrap().0, "github").await);
}

#[tokio::test]
async fn a_rotation_moves_the_key_from_any_source_to_any_other() {
    let place = with_everything().await;
    let file = KeySetting::File(place.path("new.key"));
    let mut from = env("APP_KEY");
    connect(&place.open(&from).await.unwrap().0, "github").await;
    for to in [env("NEW_KEY"), file.clone(), KeySetting::Keychain, env("APP_KEY"), KeySetting::Keychain, file]
    {
        let running = place.open(&from).await.unwrap().0;
        let report = rotate(&place.open_to_rotate(&from).await.unwrap(), Some(&to)).await.unwrap();
        assert_eq!((&report.source, report.made_key, report.kept_keys), (&to, true, 0));

        // What runs goes on, since it can get at the new key. What starts has to name it.
        assert!(opens(&running, "github").await);
        connect(&running, "google").await;
        let refused = place.open(&from).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::KeyUnavailable);
        assert_eq!(refused.advice(), format!("Set key = \"{to}\" under [auth.store]."));
        for setting in [&to, &KeySetting::Auto] {
            let vault = place.open(setting).await.unwrap().0;
            assert!(opens(&vault, "github").await && opens(&vault, "google").await);
        }
        from = to;
    }
}

#[tokio::test]
async fn a_source_that_cannot_be_had_changes_nothing() {
    let place = with_everything().await;
    let vault = place.open(&env("APP_KEY")).await.unwrap().0;
    connect(&vault, "github").await;
    let before = place.store().await.keys().await.unwrap();
    place.keychain.turn(Mood::Refusing(KeychainError::Locked));
    for (source, message) in [
        (env("NO_KEY"), "the variable NO_KEY is not set"),
        (KeySetting::File(place.path("no.key")), "the key file is not there"),
        (KeySetting::Keychain, "the keychain is locked"),
    ] {
        let error = rotate(&vault, Some(&source)).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (ErrorCode::KeyUnavailable, message));
        assert_eq!(place.store().await.keys().await.unwrap(), before);
    }
    place.keychain.turn(Mood::Forgetful);
    assert!(rotate(&vault, Some(&KeySetting::Keychain)).await.is_err());
    assert_eq!(place.store().await.keys().await.unwrap(), before);
    assert!(opens(&vault, "github").await);
}

#[tokio::test]
async fn the_configuration_may_name_the_new_source_already() {
    let place = with_everything().await;
    connect(&place.open(&env("APP_KEY")).await.unwrap().0, "github").await;
    assert!(place.open(&env("NEW_KEY")).await.is_err());
    let vault = place.open_to_rotate(&env("NEW_KEY")).await.unwrap();
    rotate(&vault, Some(&env("NEW_KEY"))).await.unwrap();
    assert!(opens(&place.open(&env("NEW_KEY")).await.unwrap().0, "github").await);
}

/// A store whose key was being moved from `APP_KEY` to `NEW_KEY` when the rotation was broken off.
async fn broken_off() -> Place {
    let place = with_everything().await;
    let vault = place.open(&env("APP_KEY")).await.unwrap().0;
    connect(&vault, "github").await;
    // A damaged record keeps the old key, and its own next login frees that.
    connect(&vault, "google").await;
    spoil(&place, "google");
    let report = rotate(&vault, Some(&env("NEW_KEY"))).await.unwrap();
    assert_eq!(report.kept_keys, 1);
    connect(&place.open(&env("NEW_KEY")).await.unwrap().0, "google").await;
    assert_eq!(place.sources().await, ["env:APP_KEY", "env:NEW_KEY"]);
    place
}

fn spoil(place: &Place, provider: &str) {
    let database = rusqlite::Connection::open(place.path("auth.db")).unwrap();
    let sql = "UPDATE connection SET sealed = substr(sealed, 1, 60) WHERE provider = ?1";
    assert_eq!(database.execute(sql, [provider]).unwrap(), 1);
}

#[tokio::test]
async fn an_unfinished_rotation_to_the_same_source_is_finished_and_no_more() {
    for wanted in [None, Some(env("NEW_KEY"))] {
        let place = broken_off().await;
        let newest = place.store().await.keys().await.unwrap().pop().unwrap();
        let vault = place.open_to_rotate(&env("APP_KEY")).await.unwrap();
        let report = rotate(&vault, wanted.as_ref()).await.unwrap();
        assert_eq!((report.finished_earlier, report.made_key, report.removed_keys), (true, false, 1));
        assert_eq!(place.store().await.keys().await.unwrap(), [newest]);
    }
}

#[tokio::test]
async fn an_unfinished_rotation_to_another_source_is_finished_first() {
    let place = broken_off().await;
    let vault = place.open_to_rotate(&env("NEW_KEY")).await.unwrap();
    let report = rotate(&vault, Some(&KeySetting::Keychain)).await.unwrap();
    assert_eq!((report.finished_earlier, report.made_key, report.removed_keys), (true, true, 2));
    assert_eq!(place.sources().await, ["keychain"]);
}

#[tokio::test]
async fn while_a_rotation_is_unfinished_both_secrets_are_needed() {
    let mut place = broken_off().await;
    for missing in ["APP_KEY", "NEW_KEY"] {
        let all = place.variables.clone();
        place.variables.retain(|(name, _)| *name != missing);
        let error = place.open(&env("NEW_KEY")).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyUnavailable);
        assert_eq!(error.advice(), format!("Set {missing} to the key that the store is sealed with."));
        place.variables = all;
    }
}

#[tokio::test]
async fn a_process_that_does_not_reach_the_new_source_says_so_and_loses_nothing() {
    let mut place = Place::with("APP_KEY", LONG);
    let running = place.open(&env("APP_KEY")).await.unwrap().0;
    let account = "github".parse().unwrap();
    let mut tokens = crate::protocol::token_set::TokenSet::new(
        crate::secret::Secret::new("first"),
        Timestamp::from_unix_seconds(0),
    );
    tokens.refresh_token = Some(crate::secret::Secret::new("refresh"));
    let entry =
        running.connect(&account, &tokens, Default::default(), serde_json::Value::Null).await.unwrap();
    // An answer is on its way while the key moves to a variable that this process was started without.
    place.variables.push(("NEW_KEY", "another key of 32 bytes or more, as good as the first"));
    let rotating = place.open_to_rotate(&env("APP_KEY")).await.unwrap();
    rotate(&rotating, Some(&env("NEW_KEY"))).await.unwrap();
    tokens.access_token = crate::secret::Secret::new("second");
    let renewal = running.seal_renewal(&entry, &tokens).unwrap();

    let advice =
        "Set key = \"env:NEW_KEY\" under [auth.store], provide that key, and start this process anew.";
    let unavailable = [
        running.commit(&renewal).await.map(drop).unwrap_err(),
        running.load(&account).await.map(drop).unwrap_err(),
        running
            .connect(&account, &tokens, Default::default(), serde_json::Value::Null)
            .await
            .map(drop)
            .unwrap_err(),
    ];
    for error in unavailable {
        assert_eq!((error.code(), error.advice()), (ErrorCode::KeyUnavailable, advice));
        assert!(error.message().ends_with("the variable NEW_KEY is not set"), "{error}");
    }

    // What was there is there, and the answer is stored as soon as it can be.
    rotate(&rotating, Some(&env("APP_KEY"))).await.unwrap();
    assert!(matches!(running.commit(&renewal).await.unwrap(), Committed::Committed));
    let entry = place.open(&env("APP_KEY")).await.unwrap().0.load(&account).await.unwrap().unwrap();
    assert!(entry.tokens.access_token.matches(&crate::secret::Secret::new("second")));
}

#[tokio::test]
async fn a_damaged_record_does_not_ask_the_keychain_again_and_again() {
    let place = Place::new(Mood::Fine);
    let vault = place.open(&KeySetting::Keychain).await.unwrap().0;
    connect(&vault, "github").await;
    let database = rusqlite::Connection::open(place.path("auth.db")).unwrap();
    database.execute("UPDATE connection SET sealed = zeroblob(200)", []).unwrap();
    place.keychain.turn(Mood::Refusing(KeychainError::Locked));
    let error = vault.load(&"github".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.message(), "the record of github cannot be unsealed");
}

#[tokio::test]
async fn who_lacks_the_new_key_can_disconnect_and_leaves_the_revocation_to_others() {
    let mut place = Place::with("APP_KEY", LONG);
    let running = place.open(&env("APP_KEY")).await.unwrap().0;
    let account = "github".parse().unwrap();
    let tokens = crate::protocol::token_set::TokenSet::new(
        crate::secret::Secret::new("first"),
        Timestamp::from_unix_seconds(0),
    );
    running.connect(&account, &tokens, Default::default(), serde_json::Value::Null).await.unwrap();
    place.variables.push(("NEW_KEY", "another key of 32 bytes or more, as good as the first"));
    let rotating = place.open_to_rotate(&env("APP_KEY")).await.unwrap();
    rotate(&rotating, Some(&env("NEW_KEY"))).await.unwrap();

    let terms = RevocationTerms { lease: Duration::ZERO, lasts: Duration::MAX };
    let deleted = running.disconnect(&account, Some(terms)).await.unwrap();
    let Disconnected::DeletedUnreadable { waits, is_given_up } = deleted else {
        panic!("it was unsealed without its key")
    };
    assert!(waits.is_some() && !is_given_up);
    let waiting = rotating.revocations(None, 10).await.unwrap().pop().unwrap();
    let entry = rotating.open_revocation(&waiting).await.unwrap();
    assert!(entry.tokens.access_token.matches(&tokens.access_token));
}
