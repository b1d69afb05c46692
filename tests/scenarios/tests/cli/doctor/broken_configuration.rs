//! What is wrong in the configuration, the environment, and around the program.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use loomkin_auth_scenarios::Home;

use super::{KEY, visit};

const OPENAI: &str = "[auth.openai]\napi_key_env = \"WORK_KEY\"\n";

#[tokio::test]
async fn no_configuration_at_all() {
    let home = Home::new("");
    fs::remove_file(home.path(".loomkin.toml")).unwrap();
    let visit = visit(&home, 78).await;
    assert_eq!(visit.codes(), ["config_missing"]);
    assert!(visit.remedy("config_missing").contains("> .loomkin.toml"));
}

#[tokio::test]
async fn a_configuration_with_a_missing_variable_and_a_slip() {
    let home = Home::new("[auth.github]\nclient_id = \"${NOT_THERE}\"\nflow = \"loopbak\"\n");
    let visit = visit(&home, 78).await;
    assert_eq!(visit.codes(), ["config_invalid", "config_invalid"]);
    assert!(visit.findings[0]["message"].as_str().unwrap().contains("NOT_THERE"));
    assert_eq!(visit.findings[1]["remedy"], "Did you mean `loopback`?");
}

#[tokio::test]
async fn both_spellings_of_a_mode() {
    let tier = "[auth.tiers.fast]\nprovider = \"openai\"\nauth_mode = \"api_key\"\n";
    for (old, found) in [("use_oauth = false", "mode_twice"), ("use_oauth = true", "config_note")] {
        let home = Home::new(&format!("{OPENAI}{tier}{old}\n"));
        home.set_variable("WORK_KEY", KEY);
        let visit = visit(&home, 1).await;
        assert_eq!(visit.codes(), [found, "store_new"]);
        assert!(visit.remedy(found).contains("`use_oauth` out"));
    }
}

#[tokio::test]
async fn an_empty_variable() {
    let home = Home::new("[auth.zai]\nbase_url = \"https://api.example.com\"\n");
    home.set_variable("ZAI_API_KEY", "");
    let visit = visit(&home, 1).await;
    assert_eq!(visit.codes(), ["variable_empty", "store_new", "provider_unused"]);
}

#[tokio::test]
async fn a_variable_that_is_named_and_missing_and_a_tier_without_a_credential() {
    let home = Home::new(&format!("{OPENAI}[model]\nfast = \"openai:small\"\n"));
    let visit = visit(&home, 77).await;
    assert_eq!(visit.codes(), ["credential_missing", "variable_missing", "store_new"]);
    assert_eq!(visit.remedy("credential_missing"), "Run `loomkin-auth key set openai`, or set WORK_KEY.");
}

#[tokio::test]
async fn a_variable_that_holds_the_name_of_another() {
    let home = Home::new(OPENAI);
    home.set_variable("WORK_KEY", "OPENAI_API_KEY");
    assert_eq!(visit(&home, 78).await.codes(), ["credential_unusable", "store_new"]);
}

#[tokio::test]
async fn a_tier_of_a_provider_that_is_not_there() {
    let home = Home::new("[model]\nfast = \"nowhere:small\"\n");
    assert_eq!(visit(&home, 78).await.codes(), ["config_invalid", "store_new"]);
}

#[tokio::test]
async fn a_secret_in_a_file_that_others_can_read() {
    let home = Home::new("");
    // A literal: the canary would find one of its own in the file, as it should.
    home.write_config("[auth.store]\npath = \"store/auth.db\"\nkey = \"env:STORE_KEY\"\n[auth.zai]\napi_key = \"sk-4711\"\n");
    let path = home.path(".loomkin.toml");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let found = visit(&home, 1).await;
    assert_eq!(found.codes(), ["config_open", "store_new"]);
    assert!(found.remedy("config_open").starts_with("Run: chmod 600 '"));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(visit(&home, 0).await.codes(), ["store_new"]);
}

#[tokio::test]
async fn a_file_of_authorities_that_is_not_there() {
    let home = Home::new("[auth.http]\nca_file = \"not-there.pem\"\n");
    let visit = visit(&home, 78).await;
    assert_eq!(visit.codes(), ["config_invalid"]);
    assert!(visit.remedy("config_invalid").contains("ca_file"));
}

#[tokio::test]
async fn a_port_that_another_program_has() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://127.0.0.1:{}/callback", other.local_addr().unwrap().port());
    let home = Home::new(&format!("[auth.github]\nclient_id = \"x\"\nredirect_uri = \"{uri}\"\n"));
    let found = visit(&home, 1).await;
    assert_eq!(found.codes(), ["port_taken", "store_new", "provider_unused"]);
    assert!(found.findings[0]["message"].as_str().unwrap().contains(&uri));
}

#[tokio::test]
async fn an_older_program_that_comes_first_on_the_path() {
    let home = Home::new("");
    fs::create_dir(home.path("bin")).unwrap();
    let path = home.path("bin/loomkin-auth");
    // Not written through a handle of this process, which a command that starts meanwhile would inherit.
    let script = "printf '#!/bin/sh\\necho loomkin-auth 0.0.9\\n' > \"$0\" && chmod 755 \"$0\"";
    assert!(
        std::process::Command::new("/bin/sh").args(["-c", script]).arg(&path).status().unwrap().success()
    );
    home.set_variable("PATH", &home.path("bin").display().to_string());
    let visit = visit(&home, 1).await;
    assert_eq!(visit.codes(), ["version_other", "store_new"]);
    let message = visit.findings[0]["message"].as_str().unwrap();
    assert!(message.contains("is the older version 0.0.9, which shells start first"), "{message}");
    assert!(visit.remedy("version_other").contains("rm '"));
}
