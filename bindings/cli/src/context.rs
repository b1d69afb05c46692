//! What every command starts from.

use std::cell::OnceCell;
use std::path::PathBuf;

use loomkin_auth::account::ProviderId;
use loomkin_auth::auth::Auth;
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::store::key::ChosenKey;

use crate::failure::Failure;
use crate::output::Output;
use crate::words;

/// The environment, where to write, and what has been opened.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) environment: Environment,
    pub(crate) output: Output,
    auth: OnceCell<Auth>,
}

impl Context {
    pub(crate) fn new(environment: Environment, output: Output) -> Self {
        Self { environment, output, auth: OnceCell::new() }
    }

    /// The configuration at `path`, or the one that is found from here, or the defaults.
    pub(crate) fn config(&self, path: Option<&PathBuf>) -> Result<Config, Failure> {
        Ok(Config::open(path.map(PathBuf::as_path), &self.environment)?)
    }

    /// Opens the store of that configuration, and says where its key is when the store is new.
    ///
    /// Without a file there is no provider to do anything with, and no reason to make a store.
    pub(crate) async fn open(&self, path: Option<&PathBuf>) -> Result<Auth, Failure> {
        let opened = Auth::open(self.config_of_store(path)?, &self.environment);
        self.keep(self.output.while_waiting(OPENING, opened).await?)
    }

    /// As [`Self::open`]; without a file the defaults do for a well-known `provider`, and where none is named, for a store
    /// that is there.
    pub(crate) async fn open_for(
        &self,
        path: Option<&PathBuf>,
        provider: Option<&ProviderId>,
    ) -> Result<Auth, Failure> {
        self.keep(Auth::open(self.config_for(path, provider)?, &self.environment).await?)
    }

    /// The configuration of [`Self::open_for`].
    pub(crate) fn config_for(
        &self,
        path: Option<&PathBuf>,
        provider: Option<&ProviderId>,
    ) -> Result<Config, Failure> {
        let config = self.config(path)?;
        let is_enough = config.path().is_some()
            || match provider {
                Some(provider) => config.check_known(provider).is_ok(),
                None => config.store().path.value.exists(),
            };
        if is_enough { Ok(config) } else { Err(no_file(&self.environment).into()) }
    }

    /// As [`Self::open`], to rotate the key of the store.
    pub(crate) async fn open_to_rotate(&self, path: Option<&PathBuf>) -> Result<Auth, Failure> {
        let opened = Auth::open_to_rotate(self.config_of_store(path)?, &self.environment);
        self.keep(self.output.while_waiting(OPENING, opened).await?)
    }

    fn config_of_store(&self, path: Option<&PathBuf>) -> Result<Config, Failure> {
        let config = self.config(path)?;
        if config.path().is_none() {
            return Err(no_file(&self.environment).into());
        }
        Ok(config)
    }

    fn keep(&self, auth: Auth) -> Result<Auth, Failure> {
        if let Some(chosen) = auth.chosen_key() {
            self.output.note(&about_key(chosen));
        }
        Ok(self.auth.get_or_init(|| auth).clone())
    }

    /// Waits, within a bound, until what was received is stored.
    pub(crate) async fn close(&self) {
        if let Some(auth) = self.auth.get() {
            auth.close().await;
        }
    }
}

const OPENING: &str = "Opening the store; its keychain or its database takes a while …";

/// There is no configuration file where one is looked for.
pub(crate) fn no_file(environment: &Environment) -> Error {
    let here = environment.current_dir().display();
    Error::new(ErrorCode::ConfigInvalid, "there is no configuration file")
        .with_details(vec![
            format!("  looked for .loomkin.toml in {here} and above it, up to the repository's root or your home,"),
            "  and for loomkin/loomkin.toml in your configuration directory".to_owned(),
        ])
        .with_advice(
            "Write a .loomkin.toml with a table such as [auth.github] and the client_id of your registration there, \
             or name a file with --config PATH.",
        )
}

fn about_key(chosen: &ChosenKey) -> String {
    let place = words::place_of_key(&chosen.source);
    match &chosen.passed_over {
        Some(reason) => format!("the new store is sealed with the key in {place}, because {reason}"),
        None => format!("the new store is sealed with the key in {place}"),
    }
}
