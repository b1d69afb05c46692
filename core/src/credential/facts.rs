//! What the environment has to do with credentials, and nothing else of it.

use std::collections::BTreeMap;
use std::fmt;

use super::candidate;
use crate::config::Config;
use crate::environment::Environment;
use crate::provider::PRESETS;
use crate::secret::Secret;

/// The variables that credentials are looked for in, as far as they are set. Its `Debug` shows names alone.
#[derive(Clone, Default)]
pub struct EnvironmentFacts {
    variables: BTreeMap<String, Content>,
}

/// What a variable that is set holds.
#[derive(Clone)]
pub(super) enum Content {
    Nothing,
    NoText,
    Text(Secret),
}

impl EnvironmentFacts {
    /// Those that `config` and the presets name.
    pub fn of(config: &Config, environment: &Environment) -> Self {
        let configured = config.providers().keys().chain(config.endpoints().keys());
        let named = configured.flat_map(|provider| candidate::variables(config, provider));
        let conventional = PRESETS.iter().flat_map(|preset| {
            preset.api_key_variables.iter().chain(preset.auth_token_variables).map(|name| (*name).to_owned())
        });
        let is_set = |name: &String| environment.names().any(|other| other == name);
        let variables = named
            .chain(conventional)
            .filter(is_set)
            .map(|name| {
                let content = match environment.variable(&name) {
                    Some(text) => Content::Text(Secret::new(text)),
                    None if environment.is_no_text(&name) => Content::NoText,
                    None => Content::Nothing,
                };
                (name, content)
            })
            .collect();
        Self { variables }
    }

    /// Whether `name` is set, if only to nothing.
    pub fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// Whether `name` is set to nothing, which counts as not set.
    pub fn is_empty(&self, name: &str) -> bool {
        matches!(self.variable(name), Some(Content::Nothing))
    }

    /// What `name` holds; `None` where it is not set.
    pub(super) fn variable(&self, name: &str) -> Option<&Content> {
        self.variables.get(name)
    }
}

impl fmt::Debug for EnvironmentFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}
