//! What is wrong with the store and its key.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use loomkin_auth_scenarios::Home;

use super::{connected, visit, visit_by};

const STORE: &str = "store/auth.db";
const JSON: [&str; 2] = ["doctor", "--json"];

#[tokio::test]
async fn files_that_others_can_read_are_found_all_at_once() {
    let dev = connected().await;
    for (name, mode) in [("store", 0o755), (STORE, 0o644), ("store/auth.db.changes", 0o640)] {
        fs::set_permissions(dev.home.path(name), Permissions::from_mode(mode)).unwrap();
    }
    let found = visit(&dev.home, 74).await;
    assert_eq!(found.codes(), ["store_file"; 3]);
    assert!(found.remedy("store_file").starts_with("Run: chmod 700 '"));
    // What it says to run does mend it.
    for finding in &found.findings {
        let command = finding["remedy"].as_str().unwrap().trim_start_matches("Run: ");
        let command = command.split(" (or ").next().unwrap();
        let mended = std::process::Command::new("/bin/sh").args(["-c", command]).status().unwrap();
        assert!(mended.success(), "{command}");
    }
    assert_eq!(visit(&dev.home, 0).await.codes(), [""; 0]);
}

#[tokio::test]
async fn a_link_in_the_stores_place() {
    let dev = connected().await;
    fs::rename(dev.home.path(STORE), dev.home.path("elsewhere.db")).unwrap();
    symlink(dev.home.path("elsewhere.db"), dev.home.path(STORE)).unwrap();
    let visit = visit(&dev.home, 74).await;
    assert_eq!(visit.codes(), ["store_file"]);
    assert!(visit.remedy("store_file").contains("rm '"));
}

#[tokio::test]
async fn a_damaged_store() {
    let dev = connected().await;
    fs::write(dev.home.path(STORE), vec![0x42; 4096]).unwrap();
    let visit = visit(&dev.home, 74).await;
    assert_eq!(visit.codes(), ["store_unusable"]);
    assert!(visit.remedy("store_unusable").contains("backup"));
}

#[tokio::test]
async fn a_store_whose_key_is_not_set_or_is_another() {
    let dev = connected().await;
    let other = "canary--another-key-of-more-than-thirty-two-bytes";
    dev.home.canary().hide(other);
    for key in [None, Some(other)] {
        let visit = visit_by(&dev.home, |call| call.variable("STORE_KEY", key), &JSON, 74).await;
        // What the store holds is not known, so nothing is called missing.
        assert_eq!(visit.codes(), ["key_unavailable"]);
        assert!(visit.remedy("key_unavailable").contains("STORE_KEY"));
    }
}

#[tokio::test]
async fn a_configuration_that_names_another_source_than_the_store_was_made_with() {
    let dev = connected().await;
    super::reconfigure(&dev.home, "env:STORE_KEY", "keychain");
    let visit = visit(&dev.home, 74).await;
    assert_eq!(visit.codes(), ["key_unavailable"]);
    assert_eq!(visit.remedy("key_unavailable"), "Set key = \"env:STORE_KEY\" under [auth.store].");
}

#[tokio::test]
async fn a_new_store_whose_key_cannot_be_had_is_not_made() {
    let home = Home::new("");
    let short = visit_by(&home, |call| call.variable("STORE_KEY", Some("short")), &JSON, 74).await;
    assert_eq!(short.codes(), ["key_unavailable"]);
    assert!(short.remedy("key_unavailable").contains("export STORE_KEY=\"$(head"));
    // A start that failed has left an empty store behind, and the doctor gives that no key either.
    home.call(&["status"]).variable("STORE_KEY", None).start().ended().await.exits(74);
    let unset = visit_by(&home, |call| call.variable("STORE_KEY", None), &JSON, 74).await;
    assert_eq!(unset.codes(), ["key_unavailable"]);
    assert_eq!(visit(&home, 0).await.codes(), ["store_new"]);
}

#[tokio::test]
async fn a_key_file_that_others_can_read() {
    let home = Home::with_store("path = \"store/auth.db\"\nkey = \"file:store.key\"", "");
    fs::write(home.path("store.key"), Home::KEY).unwrap();
    fs::set_permissions(home.path("store.key"), Permissions::from_mode(0o644)).unwrap();
    let visit = visit(&home, 74).await;
    assert_eq!(visit.codes(), ["key_unavailable"]);
    assert!(visit.remedy("key_unavailable").contains("chmod 600"));
}

#[tokio::test]
async fn a_session_without_a_keychain() {
    let absent = |call: loomkin_auth_scenarios::Call| {
        call.variable("DBUS_SESSION_BUS_ADDRESS", Some("unix:path=/nonexistent/bus"))
    };
    let home = Home::with_store("path = \"store/auth.db\"\nkey = \"keychain\"", "");
    assert_eq!(visit_by(&home, absent, &JSON, 74).await.codes(), ["key_unavailable"]);
    let home = Home::with_store("path = \"store/auth.db\"\nkey = \"auto\"", "");
    assert_eq!(visit_by(&home, absent, &JSON, 0).await.codes(), ["keychain_passed_over", "store_new"]);
}
