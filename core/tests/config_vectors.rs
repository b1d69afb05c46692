//! The shared configuration files and what is expected of them: `tests/vectors/config`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use loomkin_auth::config::{Config, Problem};
use loomkin_auth::environment::Environment;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "about")]
    _about: String,
    environment: BTreeMap<String, String>,
    problems: Option<Vec<String>>,
    rows: Option<Vec<[String; 3]>>,
    notes: Option<Vec<String>>,
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/config")
}

fn read(name: &str, mut variables: BTreeMap<String, String>) -> Result<Config, Vec<String>> {
    let text = fs::read_to_string(vectors().join(name).with_extension("toml")).unwrap();
    variables.entry("HOME".into()).or_insert("/home/ada".into());
    let environment = Environment::new(variables, "/home/ada/app");
    Config::parse(&text, Path::new("/home/ada/app/.loomkin.toml"), &environment)
        .map_err(|problems| printed(problems.list()))
}

fn printed(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .flat_map(|problem| problem.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_file_yields_exactly_what_is_written_beside_it() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(vectors()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        count += 1;
        let name = path.file_stem().unwrap().to_str().unwrap();
        let case: Case =
            serde_json::from_str(&fs::read_to_string(path.with_extension("json")).unwrap()).expect(name);
        let (expected, found) = match read(name, case.environment) {
            Err(problems) => (json!({ "problems": case.problems }), json!({ "problems": problems })),
            Ok(config) => {
                assert!(!format!("{config:?}").contains("canary"), "{name}");
                let rows: Vec<_> = config
                    .rows()
                    .iter()
                    .map(|row| [&row.key, &row.value, &row.origin.to_string()].map(String::clone))
                    .collect();
                (
                    json!({ "rows": case.rows, "notes": case.notes }),
                    json!({ "rows": rows, "notes": printed(config.notes()) }),
                )
            }
        };
        assert!(!found.to_string().contains("canary"), "{name}");
        if expected != found {
            wrong.push(json!({ name: found }));
        }
    }
    assert!(count >= 12, "the vectors are not there");
    assert!(wrong.is_empty(), "found instead:\n{}", serde_json::to_string_pretty(&wrong).unwrap());
}
