//! What the configuration file says of itself.

use super::{Finding, FindingCode};
use crate::config::{Config, ConfigFault, Origin};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode};

/// There is no file where one is looked for.
pub fn missing(environment: &Environment) -> Finding {
    let here = environment.current_dir().display();
    let error = Error::new(
        ErrorCode::ConfigInvalid,
        format!("there is no .loomkin.toml in {here} or above it, and none in your configuration directory"),
    )
    .with_advice("Write one: printf '[auth.github]\\nclient_id = \"YOUR_CLIENT_ID\"\\n' > .loomkin.toml");
    Finding::of_error(FindingCode::ConfigMissing, &error)
}

/// A file that cannot be used: each of its problems, or why it cannot be read.
pub fn unusable(fault: &ConfigFault) -> Vec<Finding> {
    match fault {
        ConfigFault::Problems(problems) => problems
            .list()
            .iter()
            .map(|problem| {
                let place = format!("{}:{}:{}", problem.file, problem.line, problem.column);
                let error = Error::new(ErrorCode::ConfigInvalid, format!("{place}: {}", problem.message))
                    .with_advice(problem.help.as_str());
                Finding::of_error(FindingCode::ConfigInvalid, &error)
            })
            .collect(),
        ConfigFault::Unreadable(error) => vec![Finding::of_error(FindingCode::ConfigInvalid, error)],
    }
}

/// What is worth knowing of a valid one. `is_open` says whether others than its owner can read the file.
pub fn examine(config: &Config, is_open: bool) -> Vec<Finding> {
    let mut findings: Vec<_> = config
        .notes()
        .iter()
        .map(|note| {
            let message = format!("{}:{}:{}: {}", note.file, note.line, note.column, note.message);
            Finding::new(FindingCode::ConfigNote, message, note.help.as_str())
        })
        .collect();
    findings.extend(modes_that_stand_twice(config));
    findings.extend(open_file(config).filter(|_| is_open));
    findings
}

/// Where the two spellings disagree, the configuration has said so itself.
fn modes_that_stand_twice(config: &Config) -> impl Iterator<Item = Finding> {
    config.tiers().iter().filter_map(|(name, tier)| {
        let old = tier.use_oauth.as_ref()?;
        (*tier.auth_mode == old.value).then(|| {
            let message = format!(
                "tier `{name}` has both auth_mode ({}) and its old spelling use_oauth",
                tier.auth_mode.origin
            );
            Finding::new(FindingCode::ModeTwice, message, "Take `use_oauth` out: `auth_mode` wins.")
        })
    })
}

fn open_file(config: &Config) -> Option<Finding> {
    let path = config.path()?;
    let secret =
        config.rows().iter().find(|row| row.secret && matches!(row.origin, Origin::FileLine { .. }))?;
    let message = format!("the file with {} ({}) is open to other users", secret.key, secret.origin);
    let quoted = path.display().to_string().replace('\'', r"'\''");
    Some(Finding::new(FindingCode::ConfigOpen, message, format!("Run: chmod 600 '{quoted}'")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(text: &str) -> Config {
        let environment = Environment::new([("HOME", "/home/ada")], "/app");
        Config::parse(text, Path::new(".loomkin.toml"), &environment).unwrap()
    }

    fn found(text: &str, is_open: bool) -> Vec<(FindingCode, String)> {
        let findings = examine(&config(text), is_open);
        findings.into_iter().map(|finding| (finding.code, finding.message)).collect()
    }

    #[test]
    fn every_problem_of_a_file_is_a_finding() {
        let environment = Environment::new([("HOME", "/home/ada")], "/app");
        let text = "[auth.github]\nclient_id = \"${MISSING}\"\nflow = \"loopbak\"\n";
        let problems = Config::parse(text, Path::new(".loomkin.toml"), &environment).unwrap_err();
        let findings = unusable(&ConfigFault::Problems(problems));
        assert_eq!(findings.len(), 2);
        assert!(findings[0].message.starts_with(".loomkin.toml:2:"), "{findings:?}");
        assert!(findings[0].message.contains("MISSING"), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.cause == Some(ErrorCode::ConfigInvalid)));
    }

    #[test]
    fn both_spellings_of_a_mode_are_found_once_whether_or_not_they_agree() {
        let both = |mode, old| {
            let tier = "[auth.openai]\napi_key_env = \"K\"\n[auth.tiers.fast]\nprovider = \"openai\"\n";
            found(&format!("{tier}{mode}\n{old}\n"), false)
        };
        let codes =
            |found: Vec<(FindingCode, String)>| found.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
        let (mode, old) = ("auth_mode = \"oauth\"", "use_oauth = true");
        assert_eq!(codes(both(mode, old)), [FindingCode::ModeTwice]);
        assert_eq!(codes(both(mode, "use_oauth = false")), [FindingCode::ConfigNote]);
        assert_eq!(codes(both(mode, "")), []);
        assert_eq!(codes(both("", old)), []);
    }

    #[test]
    fn an_open_file_matters_where_a_secret_stands_in_it() {
        let secret = "[auth.openai]\napi_key = \"sk-canary\"\n";
        let findings = found(secret, true);
        assert_eq!(findings[0].0, FindingCode::ConfigOpen);
        assert!(findings[0].1.contains("auth.openai.api_key (.loomkin.toml:2)"), "{findings:?}");
        assert_eq!(found(secret, false), []);
        assert_eq!(found("[auth.openai]\napi_key_env = \"K\"\n", true), []);
    }
}
