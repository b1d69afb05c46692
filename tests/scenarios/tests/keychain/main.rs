//! The real command and a real keychain: gnome-keyring in a D-Bus session of its own.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

use std::fs;

use loomkin_auth_scenarios::{Browser, Choice, Dev, Ran};

/// A home whose store asks for `key`, and has not been made yet.
async fn with_key(key: &str) -> Dev {
    let dev = Dev::start().await;
    set_key(&dev, "env:STORE_KEY", key);
    dev
}

fn set_key(dev: &Dev, old: &str, new: &str) {
    let config = fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
    dev.home.write_config(&config.replace(&format!("key = \"{old}\""), &format!("key = \"{new}\"")));
}

async fn run(dev: &Dev, keyring: &str, arguments: &[&str]) -> Ran {
    dev.home.call_in_session(keyring, arguments).start().ended().await
}

async fn connect(dev: &Dev, keyring: &str) -> Ran {
    let call = dev.home.call_in_session(keyring, &["connect", "dev", "--json", "--no-browser"]);
    call.follow(&mut Browser::new("ada", Choice::Allow).unwrap()).await.exits(0)
}

fn key_file(dev: &Dev) -> Option<Vec<u8>> {
    fs::read(dev.home.path("store/auth.db.key")).ok()
}

#[track_caller]
fn key_unavailable(ran: Ran) {
    let error = ran.exits(74).error();
    assert_eq!(error["code"], "key_unavailable", "{error}");
    assert!(!error["advice"].as_str().unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs dbus-run-session and gnome-keyring"]
async fn a_key_in_the_keychain_opens_the_store_for_every_process() {
    for setting in ["keychain", "auto"] {
        let dev = with_key(setting).await;
        let made = connect(&dev, "unlocked").await;
        assert!(made.stderr.contains("in the keychain"), "{}", made.stderr);
        assert_eq!(key_file(&dev), None);
        let second = run(&dev, "unlocked", &["token", "dev", "--json"]).await;
        assert!(dev.provider.is_active(&second.token()));
        assert!(!second.stderr.contains("\"note\""), "it is said once: {}", second.stderr);
    }
}

#[tokio::test]
#[ignore = "needs dbus-run-session and gnome-keyring"]
async fn a_locked_keychain_is_passed_over_once_and_the_key_file_stays() {
    let dev = with_key("auto").await;
    // There is a keyring, and nobody has typed its password.
    let _ = run(&dev, "unlocked", &["config", "check"]).await;
    let made = connect(&dev, "locked").await;
    assert!(made.stderr.contains("auth.db.key, because the keychain is locked"), "{}", made.stderr);
    stays_with_its_file(&dev).await;
}

#[tokio::test]
#[ignore = "needs dbus-run-session and gnome-keyring"]
async fn no_keychain_is_passed_over_once_and_the_key_file_stays() {
    let dev = with_key("auto").await;
    let call = dev.home.call(&["connect", "dev", "--json", "--no-browser"]);
    let made = call.follow(&mut Browser::new("ada", Choice::Allow).unwrap()).await.exits(0);
    assert!(made.stderr.contains("auth.db.key, because there is no keychain here"), "{}", made.stderr);
    stays_with_its_file(&dev).await;
}

async fn stays_with_its_file(dev: &Dev) {
    let key = key_file(dev).unwrap();
    let later = run(dev, "unlocked", &["token", "dev", "--json"]).await;
    assert!(dev.provider.is_active(&later.token()));
    assert!(!later.stderr.contains("\"note\""), "{}", later.stderr);
    assert_eq!(key_file(dev).unwrap(), key);
}

#[tokio::test]
#[ignore = "needs dbus-run-session and gnome-keyring"]
async fn a_keychain_that_is_gone_later_is_never_replaced() {
    let dev = with_key("auto").await;
    let _ = connect(&dev, "unlocked").await;
    let token = run(&dev, "unlocked", &["token"]).await.token();

    key_unavailable(run(&dev, "locked", &["token", "--json"]).await);
    key_unavailable(dev.home.run(&["token", "--json"]).await);
    let kept = dev.home.path("kept");
    fs::rename(dev.home.path("keyring"), &kept).unwrap();
    key_unavailable(run(&dev, "unlocked", &["token", "--json"]).await);
    set_key(&dev, "auto", "keychain");
    key_unavailable(run(&dev, "unlocked", &["token", "--json"]).await);
    assert_eq!(key_file(&dev), None);

    fs::remove_dir_all(dev.home.path("keyring")).unwrap();
    fs::rename(&kept, dev.home.path("keyring")).unwrap();
    assert_eq!(run(&dev, "unlocked", &["token"]).await.token(), token);
}

#[tokio::test]
#[ignore = "needs dbus-run-session and gnome-keyring"]
async fn a_rotation_moves_the_key_from_its_file_to_the_keychain_and_on_to_a_variable() {
    let dev = with_key("auto").await;
    let call = dev.home.call(&["connect", "dev", "--json", "--no-browser"]);
    let _ = call.follow(&mut Browser::new("ada", Choice::Allow).unwrap()).await.exits(0);
    assert!(key_file(&dev).is_some());
    let token = dev.home.run(&["token"]).await.token();
    let rotate =
        async |keyring, source| run(&dev, keyring, &["store", "rotate-key", "--json", "--key", source]).await;

    key_unavailable(rotate("locked", "keychain").await);
    assert_eq!(dev.home.run(&["token"]).await.token(), token, "nothing has changed");
    let moved = rotate("unlocked", "keychain").await.exits(0).json();
    assert_eq!((&moved["key"], &moved["kept_keys"]), (&"keychain".into(), &0.into()));
    fs::remove_file(dev.home.path("store/auth.db.key")).unwrap();
    assert_eq!(run(&dev, "unlocked", &["token"]).await.token(), token);
    key_unavailable(dev.home.run(&["token", "--json"]).await);

    let stays = run(&dev, "unlocked", &["store", "rotate-key", "--json"]).await.exits(0).json();
    assert_eq!(stays["key"], "keychain");
    assert_eq!(run(&dev, "unlocked", &["token"]).await.token(), token);

    let moved = rotate("unlocked", "env:STORE_KEY").await.exits(0).json();
    assert_eq!(moved["key"], "env:STORE_KEY");
    assert_eq!(dev.home.run(&["token"]).await.token(), token);
}
