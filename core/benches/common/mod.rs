//! What the benches share: a vault, connections in it, and a network that answers in this process.
#![allow(dead_code, reason = "each bench uses its part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loomkin_auth::account::AccountKey;
use loomkin_auth::clock::{Clock, SystemClock};
use loomkin_auth::environment::Environment;
use loomkin_auth::http::{HttpClient, SendError};
use loomkin_auth::lifecycle::{Lifecycle, Margins};
use loomkin_auth::protocol::message::{Request, Response};
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::provider::{ProviderBuilder, Registration};
use loomkin_auth::random::{Random, SystemRandom};
use loomkin_auth::secret::Secret;
use loomkin_auth::server::AuthorizationServer;
use loomkin_auth::store::TokenStore;
use loomkin_auth::store::key::{KeySetting, OsKeychain};
use loomkin_auth::store::sqlite::SqliteStore;
use loomkin_auth::store::vault::{Entry, Identity, Vault};
use tokio::sync::Semaphore;

/// How long tokens last that nobody renews while a bench runs.
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A vault over a new SQLite store in `folder`.
pub(crate) async fn sqlite_vault(folder: &Path) -> Vault {
    let path = folder.join("store/auth.db");
    open(Arc::new(SqliteStore::open(&path, clock(), Arc::new(SystemRandom)).await.unwrap())).await
}

/// A vault over `store`.
pub(crate) async fn open(store: Arc<dyn TokenStore>) -> Vault {
    let environment = Environment::new([("KEY", KEY)], "/");
    let key = KeySetting::Env("KEY".to_owned());
    let random = Arc::new(SystemRandom);
    Vault::open(store, &key, &environment, Arc::new(OsKeychain), random, clock()).await.unwrap().0
}

/// A login of `account` with tokens that last for `lifetime`; nothing if they have ended already.
pub(crate) async fn connect(vault: &Vault, account: &AccountKey, tokens: &TokenSet) -> Entry {
    vault.connect(account, tokens, Identity::default(), builder().binding().to_json()).await.unwrap()
}

/// Everything that keeps the connections of `vault` alive, with the network `http`.
pub(crate) fn lifecycle(vault: &Vault, http: Arc<dyn HttpClient>) -> Arc<Lifecycle> {
    let server = AuthorizationServer::new(builder(), builder().binding(), http, clock());
    let servers = BTreeMap::from([(account().provider, Arc::new(server))]);
    let margins = Margins { margin: Duration::from_secs(60), ahead: Duration::from_secs(300) };
    Lifecycle::new(vault.clone(), servers, clock(), Arc::new(SystemRandom), margins)
}

pub(crate) fn builder() -> ProviderBuilder {
    let registration = Registration { client_id: "client".to_owned(), ..Registration::default() };
    let mut builder = ProviderBuilder::new(account().provider, None, registration);
    builder.endpoints.authorization = Some("https://idp.example.com/authorize".parse().unwrap());
    builder.endpoints.token = Some("https://idp.example.com/token".parse().unwrap());
    builder
}

/// Fresh random tokens of 1 KB, because a database does not write a page that has not changed.
pub(crate) fn tokens(lifetime: Duration) -> TokenSet {
    tokens_of(24, lifetime)
}

/// Fresh random tokens of `parts` times 43 characters.
pub(crate) fn tokens_of(parts: usize, lifetime: Duration) -> TokenSet {
    let now = SystemClock.now();
    let mut tokens = TokenSet::new(token(parts), now);
    tokens.refresh_token = Some(token(parts));
    tokens.expires_at = Some(now.plus(lifetime));
    tokens
}

fn token(parts: usize) -> Secret {
    let random: &dyn Random = &SystemRandom;
    Secret::new((0..parts).map(|_| random.make_secret().unwrap().expose().to_owned()).collect::<String>())
}

pub(crate) fn account() -> AccountKey {
    "github".parse().unwrap()
}

/// One of many.
pub(crate) fn account_number(number: usize) -> AccountKey {
    format!("github/account-{number}").parse().unwrap()
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Answers every refresh with fresh tokens of 1 KB, as soon as there is a permit for it.
#[derive(Debug)]
pub(crate) struct Provider {
    /// Counts the requests that have come.
    pub(crate) arrived: Semaphore,
    /// What answers wait for.
    pub(crate) permits: Semaphore,
}

impl Provider {
    /// One that holds back all but the first `permits` answers.
    pub(crate) fn holding_after(permits: usize) -> Arc<Self> {
        Arc::new(Self { arrived: Semaphore::new(0), permits: Semaphore::new(permits) })
    }
}

#[async_trait]
impl HttpClient for Provider {
    async fn send(&self, _request: Request) -> Result<Response, SendError> {
        let [access, refresh] = [token(24), token(24)];
        // The tokens go into the answer of a made-up provider.
        let body = format!(
            r#"{{"access_token":"{}","refresh_token":"{}","token_type":"Bearer","expires_in":86400}}"#,
            access.expose(),
            refresh.expose()
        );
        self.arrived.add_permits(1);
        self.permits.acquire().await.unwrap().forget();
        let headers =
            [(http::header::CONTENT_TYPE, "application/json".parse().unwrap())].into_iter().collect();
        Ok(Response { status: 200, headers, body: body.into_bytes().into() })
    }
}

/// What stores of benches are sealed with.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
