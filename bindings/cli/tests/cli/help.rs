//! Every help text and manual page, as it is kept beside these tests. `SNAPSHOTS=overwrite` writes them anew.

use std::path::{Path, PathBuf};

use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use crate::home::Home;

/// Compares `text` with what is kept under `name`.
#[track_caller]
fn as_kept(name: &str, text: &str) {
    let path = snapshots().join(name);
    let kept = Data::read_from(&path, Some(DataFormat::Text)).raw();
    Assert::new().action_env("SNAPSHOTS").eq(Data::text(text).raw(), kept);
}

fn snapshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots")
}

/// The commands that the help of `path` lists, and those that theirs list.
fn commands(home: &Home, path: &[String]) -> Vec<Vec<String>> {
    let mut all = vec![path.to_vec()];
    for name in listed(&help(home, path)) {
        all.extend(commands(home, &[path, &[name]].concat()));
    }
    all
}

fn listed(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("Commands:\n") else { return Vec::new() };
    let lines = list.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn help(home: &Home, path: &[String]) -> String {
    let arguments: Vec<_> = path.iter().map(String::as_str).chain(["--help"]).collect();
    home.run(&arguments).exits(0).stdout
}

#[test]
fn every_help_text_is_as_it_is_kept() {
    let home = Home::new();
    let commands = commands(&home, &[]);
    assert!(commands.len() > 20, "{commands:?}");
    for path in &commands {
        let name = [&["loomkin-auth".to_owned()], &path[..]].concat().join("-");
        as_kept(&format!("{name}.txt"), &help(&home, path));
    }
    as_kept("loomkin-auth.short.txt", &home.run(&["-h"]).exits(0).stdout);
    let kept = std::fs::read_dir(snapshots()).unwrap().count();
    assert_eq!(kept, commands.len() + 1, "one is kept that is no help text any more");
}

#[test]
fn no_help_text_is_wider_than_a_hundred_columns() {
    let home = Home::new();
    for path in commands(&home, &[]) {
        let wide = help(&home, &path).lines().find(|line| line.chars().count() > 100).map(str::to_owned);
        assert_eq!(wide, None, "{path:?}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let home = Home::new();
    for path in commands(&home, &[]) {
        let arguments: Vec<_> = ["man"].into_iter().chain(path.iter().map(String::as_str)).collect();
        let page = home.run(&arguments).exits(0).stdout;
        let title = [&["loomkin-auth".to_owned()], &path[..]].concat().join("-").to_uppercase();
        assert!(page.contains(&format!(".TH {title}")), "{path:?}: {page}");
        assert!(page.contains("Examples:") || page.contains("SUBCOMMANDS"), "{path:?}: {page}");
    }
    assert_eq!(home.run(&["man", "conect", "--json"]).exits(64).error()["code"], "usage");
}
