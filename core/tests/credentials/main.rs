//! Which credential is used: the shared decision table, the rules it follows, and everything that can be wrong.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod decisions;
mod properties;
mod refusals;
mod rules;

use std::path::Path;

use loomkin_auth::account::Owner;
use loomkin_auth::config::Config;
use loomkin_auth::credential::{EnvironmentFacts, Holdings, Resolution, Target, resolve};
use loomkin_auth::environment::Environment;
use loomkin_auth::error::Result;
use loomkin_auth::secret::Secret;
use loomkin_auth::status::ConnectionState;

/// A configuration, an environment and a store, as somebody might have them.
struct World {
    config: String,
    variables: Vec<(String, String)>,
    no_text_in: Option<&'static str>,
    held: Holdings,
}

impl World {
    fn new(config: &str) -> Self {
        Self { config: config.to_owned(), variables: Vec::new(), no_text_in: None, held: Holdings::default() }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn holds(mut self, held: Holdings) -> Self {
        self.held = held;
        self
    }

    fn config(&self) -> Config {
        let path = Path::new("/home/ada/app/.loomkin.toml");
        Config::parse(&self.config, path, &self.environment()).map_err(|error| error.to_string()).unwrap()
    }

    fn environment(&self) -> Environment {
        let home = ("HOME".to_owned(), "/home/ada".to_owned());
        let environment = Environment::new(self.variables.iter().cloned().chain([home]), "/home/ada/app");
        self.no_text_in.into_iter().fold(environment, Environment::with_no_text_in)
    }

    /// What `name`, a tier or a provider, is answered.
    fn resolve(&self, name: &str) -> Result<Resolution> {
        let config = self.config();
        let facts = EnvironmentFacts::of(&config, &self.environment());
        let target = Target::find(&config, name, &Owner::default())?;
        let resolution = resolve(&config, &facts, &target, &self.held);
        let printed = format!("{resolution:?} {resolution:#?} {facts:?} {:?}", self.held);
        assert!(!printed.contains("canary"), "{printed}");
        resolution
    }

    /// As [`Self::resolve`], as a kind and a place.
    fn answer(&self, name: &str) -> String {
        self.resolve(name).map_or_else(|error| error.code().to_string(), |found| said(&found))
    }
}

fn said(resolution: &Resolution) -> String {
    format!("{} {}", resolution.kind, resolution.source.place())
}

fn secret(text: &str) -> Option<Result<Secret>> {
    Some(Ok(Secret::new(text)))
}

fn holds_key() -> Holdings {
    Holdings { api_key: secret("canary-stored-key"), ..Holdings::default() }
}

fn holds_token() -> Holdings {
    Holdings { auth_token: secret("canary-stored-token"), ..Holdings::default() }
}

fn is_connected() -> Holdings {
    Holdings { connection: Some(Ok(ConnectionState::Connected)), ..Holdings::default() }
}
