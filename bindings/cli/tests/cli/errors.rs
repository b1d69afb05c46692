use crate::home::{Home, Ran, TWO_PROVIDERS};

#[test]
fn an_unknown_provider_is_usage_with_what_was_meant() {
    let home = Home::with_config(TWO_PROVIDERS);
    for command in ["connect", "token", "use", "disconnect"] {
        let error = home.run(&[command, "gihub", "--json"]).exits(64).error();
        assert_eq!(error["code"], "usage", "{command}");
        assert_eq!(error["advice"], "Did you mean `github`?", "{command}");
    }
}

#[test]
fn a_token_of_an_account_that_is_not_connected_is_told_how_to_connect_it() {
    let home = Home::with_config(TWO_PROVIDERS);
    let ran = home.run(&["token", "github/work"]).exits(77);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("error: github/work is not connected"), "{}", ran.stderr);
    assert!(ran.stderr.contains("help: Run `loomkin-auth connect github/work`."), "{}", ran.stderr);

    let error = home.run(&["token", "github/work", "--json"]).exits(77).error();
    assert_eq!(
        error,
        serde_json::json!({
            "code": "not_connected",
            "message": "github/work is not connected",
            "advice": "Run `loomkin-auth connect github/work`.",
            "provider": "github",
            "account": "work",
        })
    );
}

#[test]
fn without_an_active_connection_a_bare_command_says_so() {
    let home = Home::with_config(TWO_PROVIDERS);
    for command in ["token", "disconnect", "me"] {
        let error = home.run(&[command, "--json"]).exits(77).error();
        assert_eq!(error["code"], "no_active_provider", "{command}");
    }
}

#[test]
fn connect_names_the_providers_where_nobody_can_be_asked() {
    let home = Home::with_config(TWO_PROVIDERS);
    let ran = home.run(&["connect"]).exits(64);
    assert!(ran.stderr.contains("github, work-idp"), "{}", ran.stderr);
}

#[test]
fn what_is_not_connected_cannot_be_used_and_may_be_disconnected() {
    let home = Home::with_config(TWO_PROVIDERS);
    assert_eq!(home.run(&["use", "github", "--json"]).exits(77).error()["code"], "not_connected");
    assert_eq!(
        home.run(&["disconnect", "github", "--json"]).exits(0).json(),
        serde_json::json!({
            "provider": "github",
            "account": "default",
            "was_connected": false,
            "revoked": false,
            "queued_until": null,
            "reason": "it was not connected",
            "kept": []
        })
    );
    let ran = home.run(&["disconnect", "github"]).exits(0);
    assert!(ran.stdout.contains("github was not connected"), "{ran:?}");
}

#[test]
fn a_closed_stdout_is_no_error() {
    let home = Home::with_config(TWO_PROVIDERS);
    home.run(&["status"]).exits(0);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = home.command(&["status"]).stdout(writer).output().unwrap();
    assert_eq!(Ran::from(output).exits(0).stderr, "");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_stdout_is_told() {
    let home = Home::with_config(TWO_PROVIDERS);
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = home.command(&["status"]).stdout(full).output().unwrap();
    let ran = Ran::from(output).exits(64);
    assert!(ran.stderr.contains("the output cannot be written"), "{}", ran.stderr);
}

#[test]
fn a_log_filter_that_makes_no_sense_is_told_and_ignored() {
    let home = Home::with_config(TWO_PROVIDERS);
    let output = home.command(&["status"]).env("LOOMKIN_AUTH_LOG", "loomkin_auth=loud").output().unwrap();
    let ran = Ran::from(output).exits(0);
    assert!(ran.stderr.contains("LOOMKIN_AUTH_LOG is not understood"), "{}", ran.stderr);
}
