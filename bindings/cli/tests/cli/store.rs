use std::fs;

use crate::home::{Home, Ran, TWO_PROVIDERS};

fn with_key(home: &Home, key: Option<&str>, arguments: &[&str]) -> Ran {
    let mut command = home.command(arguments);
    match key {
        Some(key) => command.env("STORE_KEY", key),
        None => command.env_remove("STORE_KEY"),
    };
    Ran::from(command.output().unwrap())
}

#[test]
fn an_empty_store_shows_every_provider_as_disconnected() {
    let home = Home::with_config(TWO_PROVIDERS);
    let rows = home.run(&["status", "--json"]).exits(0).json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for (row, provider) in rows.iter().zip(["github", "work-idp"]) {
        assert_eq!((&row["provider"], &row["state"]), (&provider.into(), &"disconnected".into()));
        assert_eq!(row["active"], false);
        assert_eq!(row["next_step"], format!("Run `loomkin-auth connect {provider}`."));
    }
    let table = home.run(&["status"]).exits(0).stdout;
    assert!(table.contains("ACCOUNT") && !table.contains('\u{1b}'), "{table}");
}

#[test]
fn a_new_store_says_once_where_its_key_is() {
    let home = Home::with_config(TWO_PROVIDERS);
    let first = home.run(&["status", "--json"]).exits(0);
    let note: serde_json::Value = serde_json::from_str(&first.stderr).unwrap();
    assert!(note["note"]["message"].as_str().unwrap().contains("the variable STORE_KEY"), "{note}");
    assert_eq!(home.run(&["status"]).exits(0).stderr, "");
}

#[test]
fn nothing_active_is_a_choice() {
    let home = Home::with_config(TWO_PROVIDERS);
    let answer = home.run(&["use", "--none", "--json"]).exits(0).json();
    assert_eq!(answer, serde_json::json!({ "provider": null, "account": null }));
}

#[test]
fn a_missing_or_short_key_stops_the_start() {
    let home = Home::with_config(TWO_PROVIDERS);
    for key in [None, Some("short")] {
        let ran = with_key(&home, key, &["status", "--json"]).exits(74);
        assert_eq!(ran.error()["code"], "key_unavailable");
        assert!(!ran.stderr.contains("short\""), "{}", ran.stderr);
    }
}

#[test]
fn another_key_than_the_stores_own_is_refused_and_nothing_is_lost() {
    let home = Home::with_config(TWO_PROVIDERS);
    home.run(&["status"]).exits(0);
    let ran = with_key(&home, Some("another key of thirty-two bytes!!"), &["status", "--json"]).exits(74);
    assert_eq!(ran.error()["code"], "key_unavailable");
    home.run(&["status"]).exits(0);
}

#[test]
fn a_directory_in_the_stores_place_is_store_failed() {
    let home = Home::with_config(TWO_PROVIDERS);
    fs::create_dir_all(home.path("store/auth.db")).unwrap();
    assert_eq!(home.run(&["status", "--json"]).exits(74).error()["code"], "store_failed");
}

#[test]
fn garbage_in_the_stores_place_is_store_failed_and_left_alone() {
    let home = Home::with_config(TWO_PROVIDERS);
    home.run(&["status"]).exits(0);
    let garbage = vec![0x42; 4096];
    fs::write(home.path("store/auth.db"), &garbage).unwrap();
    assert_eq!(home.run(&["status", "--json"]).exits(74).error()["code"], "store_failed");
    assert_eq!(fs::read(home.path("store/auth.db")).unwrap(), garbage);
}

#[test]
#[cfg(unix)]
fn a_store_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::with_config(TWO_PROVIDERS);
    home.run(&["status"]).exits(0);
    fs::set_permissions(home.path("store/auth.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = home.run(&["status", "--json"]).exits(74).error();
    assert_eq!(error["code"], "store_failed");
    assert!(error["advice"].as_str().unwrap().contains("chmod"), "{error}");
}
