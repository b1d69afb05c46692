use crate::home::{Home, TWO_PROVIDERS};

const COMMANDS: [&str; 11] = [
    "connect",
    "disconnect",
    "status",
    "token",
    "use",
    "me",
    "key",
    "resolve",
    "redact",
    "config",
    "completions",
];

#[test]
fn help_names_every_command_and_goes_to_stdout() {
    let help = Home::new().run(&["--help"]).exits(0);
    assert_eq!(help.stderr, "");
    for command in COMMANDS {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command}");
    }
}

#[test]
fn every_command_explains_itself_with_examples() {
    let home = Home::new();
    for command in COMMANDS {
        let help = home.run(&[command, "--help"]).exits(0);
        let shows_more = help.stdout.contains("Examples:") || help.stdout.contains("Commands:");
        assert!(shows_more, "{command}: {}", help.stdout);
    }
}

#[test]
fn the_version_is_one_line() {
    let version = Home::new().run(&["--version"]).exits(0);
    assert_eq!(version.stdout, concat!("loomkin-auth ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_wrong_command_line_is_usage() {
    let home = Home::with_config(TWO_PROVIDERS);
    for arguments in [
        &[][..],
        &["conect"],
        &["token", "--now"],
        &["token", "Git Hub"],
        &["use"],
        &["use", "github", "--none"],
        &["connect", "github", "--timeout", "soon"],
        &["connect", "github", "--flow", "pigeon"],
        &["config"],
    ] {
        let ran = home.run(arguments).exits(64);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(ran.stderr.contains("--help"), "{arguments:?}: {}", ran.stderr);

        let ran = home.run(&[arguments, &["--json"]].concat()).exits(64);
        assert_eq!(ran.stderr.lines().count(), 1, "{arguments:?}");
        assert_eq!(ran.error()["code"], "usage", "{arguments:?}");
    }
}

#[test]
fn a_slip_in_a_command_is_told_what_was_meant() {
    let ran = Home::new().run(&["statsu", "--json"]).exits(64);
    assert_eq!(ran.error()["advice"], "Did you mean `status`?");
}

#[test]
fn an_account_with_a_name_that_cannot_be_one_is_told_the_rule() {
    let ran = Home::new().run(&["token", "GitHub"]).exits(64);
    assert!(ran.stderr.contains("lower-case letters"), "{}", ran.stderr);
}
