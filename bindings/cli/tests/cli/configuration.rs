use std::fs;

use crate::home::{Home, TWO_PROVIDERS};

/// Twelve lines with a mistake each, and nothing else wrong.
const TWELVE_MISTAKES: &str = r#"
[auth]
callback_base_url = "http://app.example.com"

[auth.store]
backend = "mysql"
key = "vault:x"
colour = "blue"

[auth.refresh]
margin = "soon"
ahead = 5

[auth.github]
client_id = "${CANARY_UNSET}"
client-secret = "canary-4711"
flow = "pigeon"
scopes = 7
base_url = "ftp://api.github.com"
redirect_uri = "not a uri"
"#;

#[test]
fn a_good_file_is_ok() {
    let home = Home::with_config(TWO_PROVIDERS);
    let ran = home.run(&["config", "check"]).exits(0);
    assert!(ran.stdout.contains(".loomkin.toml is ok"), "{ran:?}");
    assert_eq!(home.run(&["config", "check", "--json"]).exits(0).stdout, "[]\n");
    assert!(!home.path("store").exists(), "to check a file is not to use it");
}

#[test]
fn twelve_mistakes_are_twelve_problems_each_with_its_place_and_help() {
    let home = Home::with_config(TWELVE_MISTAKES);
    let ran = home.run(&["config", "check"]).exits(78);
    let is_place = |line: &&str| line.starts_with(".loomkin.toml:");
    assert_eq!(ran.stdout.lines().filter(is_place).count(), 12, "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("  help: ")).count(), 12, "{}", ran.stdout);
    assert!(!ran.stdout.contains("canary-4711"), "{}", ran.stdout);

    let problems = home.run(&["config", "check", "--json"]).exits(78).json();
    assert_eq!(problems.as_array().unwrap().len(), 12);
    assert_eq!(problems[0]["file"], ".loomkin.toml");
    assert_eq!((&problems[0]["line"], &problems[0]["column"]), (&3.into(), &21.into()));
}

#[test]
fn every_command_refuses_a_bad_file_with_all_its_problems() {
    let home = Home::with_config(TWELVE_MISTAKES);
    for command in ["status", "token", "me", "disconnect", "connect"] {
        let error = home.run(&[command, "--json"]).exits(78).error();
        assert_eq!(error["code"], "config_invalid", "{command}");
        assert_eq!(error["details"].as_array().unwrap().len(), 24, "{command}");
    }
    assert!(!home.path("store").exists());
}

#[test]
fn a_file_can_be_named() {
    let home = Home::new();
    fs::write(home.path("other.toml"), TWO_PROVIDERS).unwrap();
    fs::write(home.path("bad.toml"), "[auth]\ncolour = 1\n").unwrap();
    home.run(&["config", "check", "other.toml"]).exits(0);
    home.run(&["--config", "other.toml", "config", "check"]).exits(0);
    home.run(&["--config", "other.toml", "config", "check", "bad.toml"]).exits(78);
    home.run(&["--config", "other.toml", "status"]).exits(0);
    home.run(&["--config", "missing.toml", "status"]).exits(78);
}

#[test]
fn without_a_file_the_person_is_told_where_it_was_looked_for() {
    let home = Home::new();
    for command in [&["status"][..], &["token"], &["connect", "github"], &["config", "check"]] {
        let ran = home.run(command).exits(78);
        assert!(ran.stderr.contains(".loomkin.toml") && ran.stderr.contains("help: "), "{}", ran.stderr);
    }
    assert_eq!(home.run(&["me", "--json"]).exits(78).error()["code"], "config_invalid");
    let made: Vec<_> = fs::read_dir(home.path("")).unwrap().collect();
    assert!(made.is_empty(), "{made:?}");
}

#[test]
fn what_is_shown_has_its_origin_and_no_secret() {
    let secret = "client_secret = \"${GITHUB_SECRET}\"\n\n[auth.work-idp]";
    let home = Home::with_config(&TWO_PROVIDERS.replace("\n[auth.work-idp]", secret));
    let show = |arguments: &[&str]| {
        let output = home.command(arguments).env("GITHUB_SECRET", "canary-4711").output().unwrap();
        crate::home::Ran::from(output).exits(0)
    };
    let rows = show(&["config", "show", "--json"]).json();
    let row = |key: &str| rows.as_array().unwrap().iter().find(|row| row["key"] == key).unwrap().clone();
    assert_eq!(row("auth.github.client_id")["value"], "Iv1.abc");
    assert_eq!(row("auth.github.client_id")["origin"], ".loomkin.toml:7");
    assert_eq!(row("auth.github.client_secret")["value"], "********");
    assert_eq!(row("auth.refresh.margin")["origin"], "default");

    let text = show(&["config", "show"]).stdout;
    assert!(text.contains("auth.github.client_id") && text.contains(".loomkin.toml:7"), "{text}");
    assert!(!text.contains("canary-4711"));
}

#[test]
fn the_schema_is_json_and_knows_our_tables() {
    let schema = Home::new().run(&["config", "schema"]).exits(0).json();
    assert!(schema["properties"]["auth"]["properties"]["store"].is_object());
}
