//! What `ARCHITECTURE.md` says of the tree: imports go down only, files are short, and the tests it names are there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Modules from the bottom up; those of one row may know each other.
const LAYERS: [&[&str]; 10] = [
    &["account", "backoff", "clock", "environment", "error", "random", "redact", "secret"],
    &["config"],
    &["provider"],
    &["protocol"],
    &["browser", "http"],
    &["store"],
    &["flow", "server"],
    &["lifecycle"],
    &["credential", "doctor", "import", "status"],
    &["auth"],
];

/// A login knows no store, and the store knows no login: they meet in `lifecycle`.
const STRANGERS: [(&str, &str); 2] = [("flow", "store"), ("server", "store")];

/// Helps tests of every layer, and is in no build of an app.
const OUTSIDE: &str = "testing";

#[test]
fn imports_go_down_only() {
    let layer_of: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, modules)| modules.iter().map(move |module| (*module, layer)))
        .collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let path = file.strip_prefix(&source).unwrap();
        let module = path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if module == "lib" || module == OUTSIDE {
            continue;
        }
        let layer = layer_of.get(module).unwrap_or_else(|| panic!("{module} has no layer"));
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for other in code.split("crate::").skip(1) {
            let other: String = other.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let allowed = layer_of.get(other.as_str()).is_some_and(|other| other <= layer)
                && !STRANGERS.contains(&(module, other.as_str()));
            if !allowed && other != OUTSIDE {
                wrong.push(format!("{} imports {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let long: Vec<_> = rust_files(source)
        .into_iter()
        .filter(|file| std::fs::read_to_string(file).unwrap().lines().count() > 400)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn unsafe_code_is_in_one_file_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = ["bindings", "core", "examples", "native", "tests"].map(|folder| root.join(folder));
    let found: Vec<_> = folders
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|file| !file.ends_with("core/tests/layers.rs"))
        .filter(|file| std::fs::read_to_string(file).unwrap().lines().any(has_unsafe_code))
        .collect();
    assert_eq!(found, [root.join("core/src/store/sqlite/shared_words.rs")]);
    let workspace = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let members = workspace.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    for member in members.split('"').skip(1).step_by(2) {
        let manifest = std::fs::read_to_string(root.join(member).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member} does not deny unsafe code");
    }
}

/// Whether `line` has the keyword, or the lint's name, outside a comment.
fn has_unsafe_code(line: &str) -> bool {
    let code = line.split("//").next().unwrap();
    let mut words = code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
    words.any(|word| word == "unsafe" || word == "unsafe_code")
}

#[test]
fn every_test_that_the_architecture_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let sources: String = rust_files(&root.join("core"))
        .into_iter()
        .chain(rust_files(&root.join("tests")))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    // Names in code marks that are sentences: nothing else in that text has so many words.
    let named: Vec<_> = marked(&architecture).filter(|name| name.matches('_').count() >= 4).collect();
    assert!(named.len() > 8, "{named:?}");
    let missing: Vec<_> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The rows of the tables that go through specifications: every one names a test, or says why there is none.
#[test]
fn every_point_of_a_specification_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let sources: String = ["core", "tests", "bindings"]
        .iter()
        .flat_map(|folder| rust_files(&root.join(folder)))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let rows: Vec<Vec<&str>> = architecture
        .lines()
        .filter(|line| line.starts_with("| §"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 40, "{}", rows.len());
    for row in rows {
        let [section, point, place, test] = row[..] else { panic!("{row:?}") };
        assert!(!point.is_empty() && !place.is_empty(), "{section}");
        for file in marked(place).filter(|text| text.ends_with(".rs")) {
            let found =
                ["core/src", "bindings/cli/src"].iter().any(|folder| root.join(folder).join(file).exists());
            assert!(found, "{section}: {file}");
        }
        let names: Vec<_> = marked(test).collect();
        assert!(test == "–" || !names.is_empty(), "{section} names no test");
        for name in names {
            assert!(sources.contains(&format!("fn {name}(")), "{section}: {name}");
        }
    }
}

/// What stands in code marks in `text`.
fn marked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
