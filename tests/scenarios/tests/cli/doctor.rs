//! Homes in which something is wrong, and what the doctor finds in each; and healthy ones, in which it finds nothing.

mod broken_configuration;
mod broken_connection;
mod broken_store;
mod healthy;
mod probed;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use loomkin_auth_scenarios::{Call, Dev, Home};
use serde_json::Value;

const KEY: &str = "canary--sk-0123456789abcdef";

/// A doctor that has been: what it said for programs.
struct Visit {
    findings: Vec<Value>,
    proofs: Vec<Value>,
}

impl Visit {
    /// The codes of what was found, the worst first.
    fn codes(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
    }

    /// What mends the finding of that code.
    #[track_caller]
    fn remedy(&self, code: &str) -> &str {
        let finding = self.findings.iter().find(|finding| finding["code"] == code);
        finding.unwrap()["remedy"].as_str().unwrap()
    }

    /// Who has which credential, from where: `fast: api_key variable OPENAI_API_KEY`.
    fn proofs(&self) -> Vec<String> {
        let text = |proof: &Value, key: &str| proof[key].as_str().map(str::to_owned);
        self.proofs
            .iter()
            .map(|proof| {
                let name = text(proof, "tier").or(text(proof, "provider")).unwrap();
                format!("{name}: {} {}", text(proof, "kind").unwrap(), text(proof, "source").unwrap())
            })
            .collect()
    }
}

/// Calls the doctor for programs, checks that it ends with `code`, and that it has changed nothing.
async fn visit(home: &Home, code: i32) -> Visit {
    visit_by(home, |call| call, &["doctor", "--json"], code).await
}

async fn visit_by(home: &Home, change: impl FnOnce(Call) -> Call, arguments: &[&str], code: i32) -> Visit {
    let before = files(&home.path("."));
    let ran = change(home.call(arguments)).start().ended().await.exits(code);
    assert_eq!(files(&home.path(".")), before, "it is to change nothing");
    let said = ran.json();
    let list = |key: &str| said[key].as_array().unwrap().clone();
    Visit { findings: list("findings"), proofs: list("proofs") }
}

/// Every file below `directory`, and what is in it. SQLite's shared memory is no content.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.insert(path.display().to_string(), Vec::new());
            found.extend(files(&path));
        } else if !path.display().to_string().ends_with("-shm") {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

/// A home whose account `dev` is connected.
async fn connected() -> Dev {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    app.close().await;
    dev
}

async fn set_key(home: &Home, provider: &str) {
    let mut setting = home.call(&["key", "set", provider]).start();
    setting.write_all(KEY.as_bytes()).await;
    setting.ended().await.exits(0);
}

/// Replaces a part of the configuration that is there.
fn reconfigure(home: &Home, old: &str, new: &str) {
    let text = fs::read_to_string(home.path(".loomkin.toml")).unwrap();
    assert!(text.contains(old), "{text}");
    home.write_config(&text.replace(old, new));
}
