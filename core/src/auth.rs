//! One handle for everything an app does with its connections.

mod credentials;
mod doctor;
mod hosted;
mod import;
mod login;
mod names;
mod ports;
mod resolved;
mod rotation;
mod status;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use doctor::DoctorOptions;
pub use hosted::{HostedCallback, HostedLogin, HostedOptions, LoginCookie};
pub use import::Imported;
pub use login::{ConnectOptions, PendingLogin};
pub use names::Names;
pub use ports::Ports;

use crate::account::{AccountKey, Owner};
use crate::config::Config;
use crate::credential::EnvironmentFacts;
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::place::Place;
use crate::lifecycle::{
    AccessToken, Answer, DisconnectScope, Disconnected, Lifecycle, Margins, Schedule, Subscription,
    not_connected,
};
use crate::status::{ConnectionStatus, Me};
use crate::store::StaticKind;
use crate::store::key::{Admission, ChosenKey};
use crate::store::vault::Vault;

/// The connections of an app. Cheap to clone; all clones are one.
///
/// Every method that takes an account works for the owner in it; `account.for_owner(…)` names another than `local`.
#[derive(Clone, Debug)]
pub struct Auth {
    config: Arc<Config>,
    lifecycle: Arc<Lifecycle>,
    place: Place,
    ports: Ports,
    chosen_key: Option<ChosenKey>,
    facts: Arc<EnvironmentFacts>,
}

impl Auth {
    /// Opens the store that `config` names, with the network, the keychain and the browser of this machine.
    ///
    /// # Errors
    ///
    /// `key_unavailable` and `store_failed`, see [`Vault::open`](crate::store::vault::Vault::open); `config_invalid`
    /// when `config` names a store that this build does not have.
    pub async fn open(config: Config, environment: &Environment) -> Result<Self> {
        let ports = Ports::of_this_machine(&config, environment)?;
        Self::open_with(config, environment, ports).await
    }

    /// As [`open`](Self::open), with ports of the caller's.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(config: Config, environment: &Environment, ports: Ports) -> Result<Self> {
        Self::open_by(config, environment, ports, Admission::TheSource).await
    }

    async fn open_by(
        config: Config,
        environment: &Environment,
        ports: Ports,
        admission: Admission,
    ) -> Result<Self> {
        let store = ports.open_store(&config).await?;
        let opened = ports.open_vault(store, &config, environment, admission).await?;
        Ok(Self::assemble(config, environment, ports, opened))
    }

    fn assemble(
        config: Config,
        environment: &Environment,
        ports: Ports,
        (vault, chosen_key): (Vault, Option<ChosenKey>),
    ) -> Self {
        let servers = ports.servers(&config);
        let margins = Margins { margin: config.refresh().margin, ahead: config.refresh().ahead };
        let lifecycle = Lifecycle::new(vault, servers, ports.clock.clone(), ports.random.clone(), margins);
        let place = Place::of(environment);
        let facts = Arc::new(EnvironmentFacts::of(&config, environment));
        Self { config: Arc::new(config), lifecycle, place, ports, chosen_key, facts }
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where the sealing key is kept, if it was chosen just now because the store is new. Tell the person.
    pub fn chosen_key(&self) -> Option<&ChosenKey> {
        self.chosen_key.as_ref()
    }

    /// A token of `account` that is good for at least the configured margin, refreshed if need be; see
    /// [`Lifecycle::access_token`]. An account without a connection has its stored API key, else its stored auth token.
    /// The environment and the configuration are not looked at: that is for [`resolve`](Self::resolve).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn access_token(&self, account: &AccountKey) -> Result<AccessToken> {
        match self.lifecycle.access_token(account).await {
            Err(refused) => self.static_token(account, refused).await,
            token => token,
        }
    }

    /// The token of a connected `account` where it is fresh and in memory, without any waiting; `None` says to ask
    /// [`access_token`](Self::access_token). See [`Lifecycle::fresh_token`].
    pub fn fresh_token(&self, account: &AccountKey) -> Option<AccessToken> {
        self.lifecycle.fresh_token(account)
    }

    /// Runs `call` with a good token, and once more with a new one if the resource server rejects it; see
    /// [`Lifecycle::with_token`]. A stored key cannot be renewed: its first answer is the last.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn with_token<T, E, F>(
        &self,
        account: &AccountKey,
        call: impl Fn(AccessToken) -> F,
    ) -> Result<T, E>
    where
        E: From<Error>,
        F: Future<Output = Result<Answer<T>, E>>,
    {
        let token = self.access_token(account).await?;
        if token.static_kind().is_some() {
            return call(token).await.map(Answer::into_inner);
        }
        self.lifecycle.with_token(account, call).await
    }

    /// Renews every connection of the store before anybody has to wait for it, and sends the revocations that wait, until
    /// the returned value is dropped; see [`Lifecycle::renew_ahead`]. For processes that live longer than an access token.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn renew_ahead(&self) -> Result<Schedule> {
        self.lifecycle.renew_ahead()
    }

    /// Deletes the connection here and, as far as `scope` reaches, revokes it at the server, and says truthfully what
    /// happened; see [`Lifecycle::disconnect`]. Static credentials stay, and it says which; see
    /// [`remove_key`](Self::remove_key).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn disconnect(&self, account: &AccountKey, scope: DisconnectScope) -> Result<Disconnected> {
        let disconnected = self.lifecycle.disconnect(account, scope).await?;
        let kept = self.kept(account).await;
        Ok(Disconnected { kept, ..disconnected })
    }

    /// Disconnects every account of `owner`; see [`Lifecycle::disconnect_all`]. Static credentials stay, and each account
    /// says which.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn disconnect_all(
        &self,
        owner: &Owner,
        scope: DisconnectScope,
    ) -> Result<Vec<(AccountKey, Result<Disconnected>)>> {
        let mut results = self.lifecycle.disconnect_all(owner, scope).await?;
        for (account, result) in &mut results {
            if let Ok(disconnected) = result {
                disconnected.kept = self.kept(account).await;
            }
        }
        Ok(results)
    }

    /// What a disconnect has left. It is done by then; what could not be read is not worth an error.
    async fn kept(&self, account: &AccountKey) -> Vec<StaticKind> {
        let stored = self.lifecycle.vault().credentials_of(account).await.unwrap_or_default();
        stored.into_iter().map(|credential| credential.kind).collect()
    }

    /// Tries again what could not be revoked at its server so far; see [`Lifecycle::retry_revocations`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn retry_revocations(&self) -> Result<()> {
        self.lifecycle.retry_revocations().await
    }

    /// Makes an account that is connected, or has a stored key, the owner's active one. Nothing is deleted.
    ///
    /// # Errors
    ///
    /// `usage` for a provider that is neither configured nor a preset; `not_connected`, `store_failed`.
    pub async fn use_provider(&self, account: &AccountKey) -> Result<()> {
        self.config.check_known(&account.provider)?;
        credentials::is_usable(self, account).await?;
        // What it was usable by may have gone meanwhile.
        if self.lifecycle.vault().select(&account.owner, Some(account)).await? {
            Ok(())
        } else {
            Err(not_connected(account))
        }
    }

    /// Leaves the owner without an active account. Nothing is deleted.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn use_none(&self, owner: &Owner) -> Result<()> {
        self.lifecycle.vault().select(owner, None).await.map(drop)
    }

    /// The owner's active account.
    ///
    /// # Errors
    ///
    /// `no_active_provider` where none is selected; `store_failed`.
    pub async fn active(&self, owner: &Owner) -> Result<AccountKey> {
        self.lifecycle.vault().active(owner).await?.ok_or_else(|| {
            Error::new(ErrorCode::NoActiveProvider, "no provider is selected").with_advice(
                "Run `loomkin-auth use PROVIDER` to select a connected one, or `loomkin-auth connect PROVIDER`.",
            )
        })
    }

    /// Who the owner is at the active provider.
    ///
    /// # Errors
    ///
    /// `no_active_provider`, `not_connected`, `store_failed`.
    pub async fn me(&self, owner: &Owner) -> Result<Me> {
        let account = self.active(owner).await?;
        match status::me(&self.lifecycle, &account).await {
            Err(refused) => Err(self.without_a_name(&account, refused).await),
            me => me,
        }
    }

    /// The state of every account that the owner has or could have with this configuration, sorted.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn status(&self, owner: &Owner) -> Result<Vec<ConnectionStatus>> {
        status::of_all(self, owner).await
    }

    /// Listens to what happens to the connections of `owner`, or of all the app's users; see [`Lifecycle::subscribe`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn subscribe(&self, owner: Option<&Owner>) -> Result<Subscription> {
        self.lifecycle.subscribe(owner).await
    }

    /// A mark that changes when anything in the store does, for showing the status live.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub fn change_mark(&self) -> Result<crate::store::ChangeMark> {
        self.lifecycle.vault().change_mark()
    }

    /// Ends the schedules and waits for refreshes in flight to be stored, for at most ten seconds. Call it before the
    /// process ends.
    pub async fn close(&self) {
        self.lifecycle.close(LAST_COMMIT_DEADLINE).await;
    }
}

const LAST_COMMIT_DEADLINE: Duration = Duration::from_secs(10);
