//! What an [`Auth`](super::Auth) reaches the world through.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::account::ProviderId;
use crate::browser::{Browser, SystemBrowser};
use crate::clock::{Clock, SystemClock};
use crate::config::{AuthMethod, Backend, Config, ProviderConfig};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{HttpClient, HttpSettings, ReqwestClient};
use crate::provider::{ClientAuth, Preset, ProviderBuilder, Registration};
use crate::random::{Random, SystemRandom};
use crate::server::AuthorizationServer;
use crate::store::TokenStore;
use crate::store::key::{Admission, ChosenKey, Keychain, OsKeychain};
use crate::store::memory::MemoryStore;
#[cfg(feature = "postgres")]
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::SqliteStore;
use crate::store::vault::Vault;

/// The network, the browser, the keychain, the clock and the randomness. An app may bring its own of each.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Shows pages to the person.
    pub browser: Arc<dyn Browser>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Reaches the authorization servers.
    pub http: Arc<dyn HttpClient>,
    /// Keeps the secret of the sealing key.
    pub keychain: Arc<dyn Keychain>,
    /// Makes states, verifiers, keys and nonces.
    pub random: Arc<dyn Random>,
}

impl Ports {
    /// Those of this machine, with the proxy and the certificate authorities that `config` or `environment` name.
    ///
    /// # Errors
    ///
    /// `config_invalid` when the proxy cannot be used, or the file of the certificates cannot be opened. What is in the
    /// file is read with the first request that needs it.
    pub fn of_this_machine(config: &Config, environment: &Environment) -> Result<Self> {
        let configured = config.http();
        let ca_file = configured.ca_file.as_ref().map(|file| file.value.clone());
        let ca_file = ca_file.or_else(|| environment.variable("SSL_CERT_FILE").map(PathBuf::from));
        let settings = HttpSettings {
            proxy: configured.proxy.as_ref().map(|proxy| proxy.value.clone()),
            ca_file: ca_file.map(check_readable).transpose()?,
            ..HttpSettings::default()
        };
        Ok(Self {
            browser: Arc::new(SystemBrowser),
            clock: Arc::new(SystemClock),
            http: Arc::new(ReqwestClient::new(settings)?),
            keychain: Arc::new(OsKeychain),
            random: Arc::new(SystemRandom),
        })
    }

    /// Opens the store that `config` names, still sealed.
    pub(super) async fn open_store(&self, config: &Config) -> Result<Arc<dyn TokenStore>> {
        let configured = config.store();
        Ok(match configured.backend.value {
            Backend::Memory => Arc::new(MemoryStore::new(self.clock.clone(), &*self.random)?),
            Backend::Sqlite => Arc::new(
                SqliteStore::open(&configured.path.value, self.clock.clone(), self.random.clone()).await?,
            ),
            #[cfg(feature = "postgres")]
            Backend::Postgres if let Some(url) = &configured.url => {
                Arc::new(PostgresStore::open(&url.value, configured.outage_grace, &*self.random).await?)
            }
            other => {
                return Err(Error::new(ErrorCode::ConfigInvalid, format!("this build has no {other} store"))
                    .with_advice("Set backend = \"sqlite\" in [auth.store]."));
            }
        })
    }

    /// Opens `store` with the key that `config` names.
    pub(super) async fn open_vault(
        &self,
        store: Arc<dyn TokenStore>,
        config: &Config,
        environment: &Environment,
        admission: Admission,
    ) -> Result<(Vault, Option<ChosenKey>)> {
        let (keychain, random, clock) = (self.keychain.clone(), self.random.clone(), self.clock.clone());
        let key = &config.store().key.value;
        match admission {
            Admission::TheSource => Vault::open(store, key, environment, keychain, random, clock).await,
            Admission::AnySource => {
                Vault::open_to_rotate(store, key, environment, keychain, random, clock).await
            }
        }
    }

    /// The authorization servers of all providers that can be logged in to.
    pub(super) fn servers(&self, config: &Config) -> BTreeMap<ProviderId, Arc<AuthorizationServer>> {
        let logins = config.providers().values().filter(|provider| provider.client_id.is_some());
        logins.map(|provider| (provider.id.clone(), self.server(config, provider))).collect()
    }

    fn server(&self, config: &Config, provider: &ProviderConfig) -> Arc<AuthorizationServer> {
        let builder = builder(provider);
        // A file that came with a checkout could name a proxy or an authority that reads along.
        let proxy = config.http().proxy.as_ref().and_then(|proxy| {
            // Without the credentials that may be in it.
            Url::parse(proxy.value.expose()).ok().map(|url| {
                format!(
                    "{}://{}:{}",
                    url.scheme(),
                    url.host_str().unwrap_or_default(),
                    url.port().unwrap_or(0)
                )
            })
        });
        let ca = config.http().ca_file.as_ref().map(|file| file.value.display().to_string());
        let binding = builder.binding().with_route(proxy, ca);
        Arc::new(AuthorizationServer::new(builder, binding, self.http.clone(), self.clock.clone()))
    }
}

/// What the configuration says of a provider, in the words of the protocol.
fn builder(configured: &ProviderConfig) -> ProviderBuilder {
    let preset = configured.preset.as_ref().and_then(|preset| Preset::find(&preset.value));
    let registration = Registration {
        client_id: configured.client_id.as_ref().map(|id| id.value.clone()).unwrap_or_default(),
        client_secret: configured.client_secret.as_ref().map(|secret| secret.value.clone()),
        client_auth: configured.auth_method.as_ref().and_then(|method| match method.value {
            AuthMethod::ClientSecretBasic => Some(ClientAuth::Basic),
            AuthMethod::ClientSecretPost => Some(ClientAuth::Body),
            _ => None,
        }),
        redirect_uri: configured.redirect_uri.as_ref().map(|uri| uri.value.clone()),
        device_name: configured.device_name.as_ref().map(|name| name.value.clone()),
        scopes: configured.scopes.as_ref().map(|scopes| scopes.value.clone()),
        params: configured.params.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect(),
    };
    let mut builder = ProviderBuilder::new(configured.id.clone(), preset, registration);
    let url = |endpoint: &Option<crate::config::Sourced<Url>>| endpoint.as_ref().map(|url| url.value.clone());
    builder.issuer = configured.issuer.as_ref().map(|issuer| issuer.value.clone());
    builder.endpoints.authorization = url(&configured.authorization_endpoint);
    builder.endpoints.device_authorization = url(&configured.device_authorization_endpoint);
    builder.endpoints.keys = url(&configured.jwks_uri);
    builder.endpoints.revocation = url(&configured.revocation_endpoint);
    builder.endpoints.token = url(&configured.token_endpoint);
    builder.endpoints.user = url(&configured.userinfo_endpoint);
    builder.base_url = configured.base_url.as_ref().map(|url| url.value.clone());
    builder
}

fn check_readable(file: PathBuf) -> Result<PathBuf> {
    match std::fs::File::open(&file) {
        Ok(_) => Ok(file),
        Err(_) => Err(Error::new(
            ErrorCode::ConfigInvalid,
            format!("the certificates in {} cannot be read", file.display()),
        )
        .with_advice("Correct ca_file in [auth.http], or the variable SSL_CERT_FILE.")),
    }
}
