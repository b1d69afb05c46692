use crate::home::{Home, Ran, TWO_PROVIDERS};

const TIERS: &str = "\n[auth.tiers.fast]\nprovider = \"github\"\n";

/// What a real bash offers for the last of `words`.
fn offered(home: &Home, words: &[&str]) -> Vec<String> {
    let mut bash = home.command(&[]);
    let program = bash.get_program().to_owned();
    let folder = std::path::Path::new(&program).parent().unwrap().display().to_string();
    bash = std::process::Command::new("bash");
    let script = "source <(loomkin-auth completions bash)\n\
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9\n\
        _clap_complete_loomkin_auth loomkin-auth \"${COMP_WORDS[COMP_CWORD]}\" '' 2>&1\n\
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    bash.args(["-c", script, "bash", "loomkin-auth"])
        .args(words)
        .current_dir(home.path("."))
        .env_clear()
        .env("HOME", home.path("."))
        .env("PATH", format!("{folder}:/usr/bin:/bin"));
    let ran = Ran::from(bash.output().unwrap()).exits(0);
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn every_shell_gets_a_script_that_asks_the_program() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("LOOMKIN_AUTH_COMPLETE"), "{shell}: {script}");
    }
}

#[test]
fn bash_is_offered_commands_accounts_and_tiers() {
    let home = Home::with_config(&format!("{TWO_PROVIDERS}{TIERS}"));
    let set = home.command(&["key", "set", "github/work"]).stdin(std::process::Stdio::piped()).spawn();
    let mut set = set.unwrap();
    std::io::Write::write_all(&mut set.stdin.take().unwrap(), b"sk-0123456789").unwrap();
    assert!(set.wait().unwrap().success());
    assert_eq!(offered(&home, &["disc"]), ["disconnect"]);
    // The key of the store is not in the environment of a completion, and is not needed.
    assert_eq!(offered(&home, &["token", ""])[..3], ["github", "github/work", "work-idp"]);
    assert_eq!(offered(&home, &["key", "remove", "w"]), ["work-idp"]);
    assert_eq!(offered(&home, &["resolve", "f"]), ["fast"]);
}

#[test]
fn a_home_that_is_broken_offers_commands_alone() {
    let home = Home::with_config("[auth.github\n");
    assert_eq!(offered(&home, &["disc"]), ["disconnect"]);
    assert!(!offered(&home, &["token", ""]).iter().any(|word| word.starts_with("github")));
    let home = Home::with_config(TWO_PROVIDERS);
    std::fs::create_dir(home.path("store")).unwrap();
    std::fs::write(home.path("store/auth.db"), [0x42; 4096]).unwrap();
    assert_eq!(offered(&home, &["token", "g"]), ["github"]);
}

#[test]
fn to_complete_makes_no_store() {
    let home = Home::with_config(TWO_PROVIDERS);
    assert_eq!(offered(&home, &["token", "w"]), ["work-idp"]);
    assert!(!home.path("store").exists());
}
