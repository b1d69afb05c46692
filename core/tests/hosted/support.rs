//! A provider on a scripted network, a store that several processes share, and a clock that the test moves.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use loomkin_auth::account::{AccountKey, Owner, ProviderId};
use loomkin_auth::auth::{Auth, HostedCallback, HostedOptions, Ports};
use loomkin_auth::browser::NoBrowser;
use loomkin_auth::clock::{Clock, Timestamp};
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::Result;
use loomkin_auth::http::{HttpClient, SendError};
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::protocol::message::{Request, Response};
use loomkin_auth::protocol::pkce::CodeVerifier;
use loomkin_auth::protocol::state::StateDigest;
use loomkin_auth::random::SystemRandom;
use loomkin_auth::secret::Secret;
use loomkin_auth::store::key::OsKeychain;
use tokio::sync::watch;
use url::{Url, form_urlencoded};

pub(crate) const ISSUER: &str = "https://idp.example.com";

/// The end of every configuration here; what stands before it is the store.
pub(crate) const CONFIG: &str = r#"
[auth]
callback_base_url = "https://app.example.com"
[auth.idp]
issuer = "https://idp.example.com"
client_id = "client"
scopes = ["read"]
[auth.anthropic]
client_id = "client"
"#;

/// What the processes of a test have in common.
pub(crate) struct Stage {
    pub(crate) network: Arc<Network>,
    pub(crate) clock: Arc<HandClock>,
    directory: tempfile::TempDir,
}

/// One process of a web app.
pub(crate) struct App {
    pub(crate) auth: Auth,
}

/// What a login's browser, server and app know of it.
pub(crate) struct Login {
    pub(crate) id: StateDigest,
    pub(crate) redirect_uri: String,
    /// The authorization request.
    pub(crate) query: HashMap<String, String>,
    pub(crate) set_cookie: String,
    /// The header that its browser sends.
    pub(crate) cookies: String,
    pub(crate) max_age: Duration,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(HandClock(AtomicI64::new(1_800_000_000_000)));
        Self { network: Arc::default(), clock, directory: tempfile::tempdir().unwrap() }
    }

    /// A process that starts now.
    pub(crate) async fn app(&self) -> App {
        self.app_with(CONFIG).await
    }

    /// A process with another configuration, of the same store.
    pub(crate) async fn app_with(&self, config: &str) -> App {
        let path = self.directory.path().join("store/auth.db");
        let store = format!("[auth.store]\npath = \"{}\"\nkey = \"env:STORE_KEY\"\n", path.display());
        self.open(&format!("{config}{store}")).await
    }

    /// A process that keeps everything in its own memory.
    pub(crate) async fn app_in_memory(&self) -> App {
        self.open(&format!("{CONFIG}[auth.store]\nbackend = \"memory\"\n")).await
    }

    async fn open(&self, config: &str) -> App {
        let variables = [("HOME", "/home/ada"), ("STORE_KEY", "a key of more than thirty-two bytes")];
        let environment = Environment::new(variables, "/");
        let config = Config::parse(config, Path::new("/.loomkin.toml"), &environment)
            .map_err(|problems| problems.to_string())
            .unwrap();
        let ports = Ports {
            browser: Arc::new(NoBrowser),
            clock: self.clock.clone(),
            http: self.network.clone(),
            keychain: Arc::new(OsKeychain),
            random: Arc::new(SystemRandom),
        };
        App { auth: Auth::open_with(config, &environment, ports).await.unwrap() }
    }

    /// The bytes of every file of the store.
    pub(crate) fn files(&self) -> Vec<Vec<u8>> {
        let folder = std::fs::read_dir(self.directory.path().join("store")).unwrap();
        let paths = folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        paths.map(|path| std::fs::read(path).unwrap()).collect()
    }
}

impl App {
    /// Begins a login of the account `idp` of `user`.
    pub(crate) async fn begin(&self, user: &str) -> Login {
        self.begin_with(user, HostedOptions::default()).await
    }

    pub(crate) async fn begin_with(&self, user: &str, options: HostedOptions) -> Login {
        let login = self.auth.begin_hosted(&account(user), options).await.unwrap();
        let asked = Url::parse(login.authorization_url()).unwrap();
        let set_cookie = login.cookie().set_cookie();
        let set_cookie = set_cookie.expose(); // what its browser gets
        let pair = set_cookie.split(';').next().unwrap();
        Login {
            id: login.id(),
            redirect_uri: login.redirect_uri().to_owned(),
            query: asked.query_pairs().into_owned().collect(),
            set_cookie: set_cookie.to_owned(),
            cookies: format!("session=of-{user}; {pair}"),
            max_age: login.cookie().max_age(),
        }
    }

    /// Brings `query` and `cookies` to the callback of `idp`, as the app's user `user`.
    pub(crate) async fn finish(&self, user: &str, query: &str, cookies: &str) -> Result<Connected> {
        self.finish_at("idp", user, query, cookies).await
    }

    pub(crate) async fn finish_at(
        &self,
        provider: &str,
        user: &str,
        query: &str,
        cookies: &str,
    ) -> Result<Connected> {
        let callback = HostedCallback::read(ProviderId::new(provider).unwrap(), &Secret::new(query))?;
        self.auth.finish_hosted(&owner(user), callback.with_cookies(&Secret::new(cookies))).await
    }
}

impl Login {
    /// The server's answer when the person agrees.
    pub(crate) fn answer(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("code", "canary-code")
            .append_pair("state", &self.query["state"])
            .append_pair("iss", ISSUER)
            .finish()
    }

    /// The value of its cookie.
    pub(crate) fn binding(&self) -> &str {
        self.cookies.rsplit_once('=').unwrap().1
    }
}

/// What `work` comes to. A test that waits for what will never happen fails, and does not hang.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it did not happen")
}

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn owner(user: &str) -> Owner {
    Owner::new(user).unwrap()
}

pub(crate) fn account(user: &str) -> AccountKey {
    "idp".parse::<AccountKey>().unwrap().for_owner(owner(user))
}

/// The challenge that belongs to `verifier` (RFC 7636 §4.2).
pub(crate) fn challenge(verifier: &str) -> String {
    CodeVerifier::read(Secret::new(verifier)).unwrap().derive_challenge()
}

/// A clock that stands still until the test moves it.
#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The server: its metadata, its token endpoint, and who waits for either.
#[derive(Debug, Default)]
pub(crate) struct Network {
    metadata: Gate,
    tokens: Gate,
    is_lost: AtomicBool,
    forms: Mutex<Vec<HashMap<String, String>>>,
}

#[derive(Debug)]
struct Gate {
    open: watch::Sender<bool>,
    asked: watch::Sender<usize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { open: watch::Sender::new(true), asked: watch::Sender::new(0) }
    }
}

impl Gate {
    fn hold(&self) {
        self.asked.send_replace(0);
        self.open.send_replace(false);
    }

    async fn pass(&self) {
        self.asked.send_modify(|asked| *asked += 1);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
    }

    async fn is_asked(&self, times: usize) {
        self.asked.subscribe().wait_for(|asked| *asked >= times).await.unwrap();
    }
}

impl Network {
    /// Lets whoever asks for the metadata wait from now on.
    pub(crate) fn hold_metadata(&self) {
        self.metadata.hold();
    }

    pub(crate) async fn metadata_is_asked_for(&self, times: usize) {
        self.metadata.is_asked(times).await;
    }

    /// Lets whoever asks for tokens wait from now on.
    pub(crate) fn hold_tokens(&self) {
        self.tokens.hold();
    }

    pub(crate) async fn tokens_are_asked_for(&self) {
        self.tokens.is_asked(1).await;
    }

    /// Answers everybody who waits, and everybody else.
    pub(crate) fn release(&self) {
        self.metadata.open.send_replace(true);
        self.tokens.open.send_replace(true);
    }

    /// Whether the metadata cannot be read.
    pub(crate) fn lose_metadata(&self, is_lost: bool) {
        self.is_lost.store(is_lost, Ordering::SeqCst);
    }

    /// The token requests so far.
    pub(crate) fn forms(&self) -> Vec<HashMap<String, String>> {
        self.forms.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let (status, body) = if request.url.path().starts_with("/.well-known/") {
            self.metadata.pass().await;
            let status = if self.is_lost.load(Ordering::SeqCst) { 503 } else { 200 };
            (status, METADATA)
        } else {
            self.forms.lock().unwrap().push(form_urlencoded::parse(&request.body).into_owned().collect());
            self.tokens.pass().await;
            (200, r#"{"access_token":"canary-access","token_type":"Bearer"}"#)
        };
        Ok(Response { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec().into() })
    }
}

const METADATA: &str = r#"{
    "issuer": "https://idp.example.com",
    "authorization_endpoint": "https://idp.example.com/authorize",
    "token_endpoint": "https://idp.example.com/token",
    "response_types_supported": ["code"],
    "authorization_response_iss_parameter_supported": true
}"#;
