//! The answer to one question, where nothing else is wanted of the store.

use super::Auth;
use crate::account::Owner;
use crate::config::{Backend, Config};
use crate::credential::{self, EnvironmentFacts, Holdings, Resolution, Target};
use crate::environment::Environment;
use crate::error::{Error, Result};

impl Auth {
    /// As [`open`](Self::open) and [`resolve`](Self::resolve) together, for a caller that wants nothing else. It makes no
    /// store where there is none; and where there is one that cannot be opened, the answer is that of a place that comes
    /// before it, if one has it. So a job with a key in its environment needs no keychain.
    ///
    /// # Errors
    ///
    /// As there; those of [`open`](Self::open) only where the answer could lie in the store.
    pub async fn resolve_once(
        config: Config,
        environment: &Environment,
        owner: &Owner,
        name: &str,
    ) -> Result<Resolution> {
        if !may_have_store(&config) {
            return without_store(&config, environment, owner, name, &Holdings::default());
        }
        match Self::open(config.clone(), environment).await {
            Ok(auth) => auth.resolve(owner, name).await,
            Err(error) => {
                let held = Holdings {
                    api_key: Some(Err(error.clone())),
                    auth_token: Some(Err(error.clone())),
                    connection: Some(Err(error.clone())),
                };
                let resolution = without_store(&config, environment, owner, name, &held)?;
                Ok(unread(resolution, &error))
            }
        }
    }
}

/// Whether anything could be stored: a file that is not there holds nothing.
fn may_have_store(config: &Config) -> bool {
    let store = config.store();
    store.backend.value != Backend::Sqlite || store.path.value.exists()
}

fn without_store(
    config: &Config,
    environment: &Environment,
    owner: &Owner,
    name: &str,
    held: &Holdings,
) -> Result<Resolution> {
    let target = Target::find(config, name, owner)?;
    credential::resolve(config, &EnvironmentFacts::of(config, environment), &target, held)
}

/// What comes after the answer in a store that nobody could look into may be there or not.
fn unread(mut resolution: Resolution, error: &Error) -> Resolution {
    for passed_over in &mut resolution.passed_over {
        if passed_over.place == credential::THE_STORE {
            passed_over.reason = format!("not looked at: {}", error.message());
        }
    }
    resolution
}
