//! The variables that credentials are looked for in.

use super::{Finding, FindingCode};
use crate::config::Config;
use crate::credential::{EnvironmentFacts, VariableUse};

/// Those that are empty, and those that the configuration names and that are not set.
///
/// A convention that nobody follows here is no finding: a variable that the preset knows may well be absent.
pub fn examine(config: &Config, facts: &EnvironmentFacts) -> Vec<Finding> {
    crate::credential::variables_in_use(config).into_iter().filter_map(|used| judge(facts, &used)).collect()
}

fn judge(facts: &EnvironmentFacts, used: &VariableUse) -> Option<Finding> {
    let VariableUse { account, kind, name, shown, is_configured } = used;
    let (noun, option) = (kind.noun(), kind.option());
    if facts.is_empty(name) {
        let message =
            format!("{shown}, which may hold the {noun} of {account}, is empty and counts as not set");
        let remedy = format!("Put the {noun} into it, or unset it.");
        return Some(Finding::new(FindingCode::VariableEmpty, message, remedy).about(account));
    }
    if *is_configured && !facts.is_set(name) {
        let message =
            format!("{shown}, which the configuration names for the {noun} of {account}, is not set");
        let remedy =
            format!("Set it, or run `loomkin-auth key set {account}{option}` to keep the {noun} sealed.");
        return Some(Finding::new(FindingCode::VariableMissing, message, remedy).about(account));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::environment::Environment;

    fn found(variables: &[(&str, &str)]) -> Vec<(FindingCode, String)> {
        let all = variables.iter().copied().chain([("HOME", "/home/ada")]);
        let environment = Environment::new(all, "/app");
        let text = "[auth.github]\nclient_id = \"x\"\n[auth.openai]\napi_key_env = \"WORK_KEY\"\n";
        let config = Config::parse(text, Path::new(".loomkin.toml"), &environment).unwrap();
        let facts = EnvironmentFacts::of(&config, &environment);
        let findings = examine(&config, &facts);
        findings.into_iter().map(|finding| (finding.code, finding.message)).collect()
    }

    #[test]
    fn an_empty_variable_and_one_that_is_named_and_missing_are_found() {
        let findings = found(&[("GITHUB_TOKEN", "")]);
        assert_eq!(findings[0].0, FindingCode::VariableEmpty);
        assert!(findings[0].1.starts_with("GITHUB_TOKEN,"), "{findings:?}");
        assert_eq!(findings[1].0, FindingCode::VariableMissing);
        assert!(findings[1].1.starts_with("WORK_KEY,"), "{findings:?}");
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn one_that_is_set_is_none_and_neither_is_a_convention_that_nobody_follows() {
        assert_eq!(found(&[("WORK_KEY", "sk-x")]), []);
        // Empty, and of a provider that is not configured.
        assert_eq!(found(&[("WORK_KEY", "sk-x"), ("ANTHROPIC_API_KEY", "")]), []);
    }
}
