//! An opened [`Auth`], as Elixir holds it.

use std::collections::HashMap;

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::Auth;
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::lifecycle::Schedule;
use rustler::{Env, Resource, ResourceArc, Term};

use crate::call::{Begun, answer};
use crate::released::Released;

/// An instance. Dropping it ends its schedule.
#[derive(Debug)]
pub(crate) struct Handle(Released<Opened>);

#[derive(Debug)]
struct Opened {
    auth: Auth,
    _schedule: Option<Schedule>,
}

#[rustler::resource_impl]
impl Resource for Handle {}

impl Handle {
    /// The instance itself, without waiting.
    pub(crate) fn here(&self) -> &Auth {
        &self.0.auth
    }

    /// The instance, for a task.
    pub(crate) fn auth(&self) -> Auth {
        self.0.auth.clone()
    }
}

/// The version that this library was built from; Elixir's must be the same.
#[rustler::nif]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Opens the configuration at `config`, else the one that is found from `directory`, and its store.
#[rustler::nif]
fn open<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    config: Option<String>,
    variables: HashMap<String, String>,
    directory: String,
    renew_ahead: bool,
) -> Begun {
    answer(env, tag, async move {
        let read = move || {
            let environment = environment(variables, directory);
            Config::open(config.as_deref().map(AsRef::as_ref), &environment)
                .map(|config| (config, environment))
        };
        let (config, environment) = tokio::task::spawn_blocking(read).await.map_err(|_| broken_off())??;
        let auth = Auth::open(config, &environment).await?;
        let schedule = if renew_ahead { Some(auth.renew_ahead()?) } else { None };
        Ok(ResourceArc::new(Handle(Released::new(Opened { auth, _schedule: schedule }))))
    })
}

/// Waits for what is on its way into the store.
#[rustler::nif]
fn close<'a>(env: Env<'a>, tag: Term<'a>, handle: ResourceArc<Handle>) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        auth.close().await;
        Ok(true)
    })
}

/// `provider` or `provider/account`, of `owner`.
pub(crate) fn account_key(owner: &str, account: &str) -> Result<AccountKey> {
    Ok(account.parse::<AccountKey>()?.for_owner(Owner::new(owner)?))
}

/// This process's, with the variables and the folder that Elixir has: the BEAM changes copies of its own.
fn environment(variables: HashMap<String, String>, directory: String) -> Environment {
    let (process, mut environment) = (Environment::from_process(), Environment::new(variables, directory));
    if process.is_in_container() {
        environment = environment.in_container();
    }
    if process.has_terminal() {
        environment = environment.at_terminal();
    }
    environment
}

fn broken_off() -> Error {
    Error::new(ErrorCode::Unavailable, "reading the configuration was broken off")
}
