//! A provider on a scripted network, a store in memory and a clock that the test runs.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use loomkin_auth::account::AccountKey;
use loomkin_auth::clock::{Clock, Timestamp};
use loomkin_auth::environment::Environment;
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::http::{HttpClient, SendError};
use loomkin_auth::lifecycle::{AccessToken, Connected, Lifecycle, Margins};
use loomkin_auth::protocol::identity::Identity;
use loomkin_auth::protocol::message::{Request, Response};
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::provider::{Preset, ProviderBuilder, Registration};
use loomkin_auth::random::{Random, SystemRandom};
use loomkin_auth::secret::Secret;
use loomkin_auth::server::AuthorizationServer;
use loomkin_auth::store::TokenStore;
use loomkin_auth::store::key::{KeySetting, OsKeychain};
use loomkin_auth::store::memory::MemoryStore;
use loomkin_auth::store::vault::Vault;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) const MARGIN: Duration = Duration::from_secs(60);
pub(crate) const AHEAD: Duration = Duration::from_secs(300);
const MARGINS: Margins = Margins { margin: MARGIN, ahead: AHEAD };
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);

/// Runs with tokio's paused clock: time passes when every task waits for it.
#[derive(Debug)]
pub(crate) struct TestClock {
    began: tokio::time::Instant,
    ahead_millis: AtomicI64,
}

impl TestClock {
    /// Somebody corrects the system's clock, which was ahead by `by`. What sleeps, sleeps on.
    pub(crate) fn set_back(&self, by: Duration) {
        self.ahead_millis.fetch_sub(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    /// The machine was suspended for `by`, and has woken up: the time is another, and timers have not noticed.
    pub(crate) fn suspend(&self, by: Duration) {
        self.ahead_millis.fetch_add(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let by_timers = Timestamp::from_unix_seconds(1_800_000_000).plus(self.began.elapsed());
        Timestamp::from_unix_millis(by_timers.unix_millis() + self.ahead_millis.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The system's generator, until it gives nothing.
#[derive(Debug, Default)]
pub(crate) struct TestRandom {
    pub(crate) fails: AtomicBool,
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        match self.fails.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorCode::StoreFailed, "there is no randomness")),
            false => SystemRandom.fill(bytes),
        }
    }
}

/// What the network does with one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with this status, these headers and this body.
    Answer(u16, HeaderMap, String),
    /// Breaks, one way or the other.
    Break(SendError),
    /// Brings down the task that asked.
    Panic,
    /// Comes after a while.
    After(Duration, Box<Reply>),
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Answer(status, HeaderMap::new(), body.to_owned())
    }

    /// The `n`th tokens of the account.
    pub(crate) fn tokens(n: u32) -> Self {
        Self::json(
            200,
            &format!(
                r#"{{"access_token":"canary-access-{n}","refresh_token":"canary-refresh-{n}","expires_in":3600}}"#
            ),
        )
    }

    pub(crate) fn refused() -> Self {
        Self::json(503, "")
    }

    pub(crate) fn unknown() -> Self {
        Self::Break(SendError::Unknown { reason: "the answer was cut off" })
    }

    pub(crate) fn invalid_grant() -> Self {
        Self::json(400, r#"{"error":"invalid_grant"}"#)
    }
}

/// Answers from a script, counts, and holds answers back when asked to.
pub(crate) struct Network {
    script: Mutex<VecDeque<Reply>>,
    /// What the revocation endpoint does; when there is nothing more, it revokes.
    revocations: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<String>>,
    open: watch::Sender<bool>,
    arrived: watch::Sender<usize>,
}

impl Network {
    pub(crate) fn new(script: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            revocations: Mutex::default(),
            seen: Mutex::default(),
            open: watch::Sender::new(true),
            arrived: watch::Sender::new(0),
        })
    }

    /// From now on requests arrive and are not answered.
    pub(crate) fn hold(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.open.send_replace(true);
    }

    /// Completes once `count` requests have arrived.
    pub(crate) async fn arrived(&self, count: usize) {
        self.arrived.subscribe().wait_for(|arrived| *arrived >= count).await.unwrap();
    }

    /// How many requests have arrived.
    fn arrivals(&self) -> usize {
        *self.arrived.borrow()
    }

    pub(crate) fn then(&self, reply: Reply) {
        self.script.lock().unwrap().push_back(reply);
    }

    /// What the revocation endpoint does next.
    pub(crate) fn then_to_revocations(&self, replies: impl IntoIterator<Item = Reply>) {
        self.revocations.lock().unwrap().extend(replies);
    }

    /// The bodies of the requests to `path`, in order.
    pub(crate) fn seen(&self, path: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter_map(|line| Some(line.strip_prefix(path)?.trim().to_owned())).collect()
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.seen("/token").len()
    }
}

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.seen.lock().unwrap().push(format!("{} {body}", request.url.path()));
        self.arrived.send_modify(|arrived| *arrived += 1);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        let mut reply = if request.url.path() == "/revoke" {
            self.revocations.lock().unwrap().pop_front().unwrap_or_else(|| Reply::json(200, ""))
        } else {
            self.script.lock().unwrap().pop_front().expect("no request was expected")
        };
        while let Reply::After(wait, next) = reply {
            tokio::time::sleep(wait).await;
            reply = *next;
        }
        match reply {
            Reply::Answer(status, headers, body) => {
                Ok(Response { status, headers, body: body.into_bytes().into() })
            }
            Reply::Break(error) => Err(error),
            Reply::Panic => unreachable!("as the test asked for"),
            Reply::After(..) => unreachable!("it has been waited for"),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

/// What several processes share: the store, the network and the time.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) network: Arc<Network>,
    /// How the provider `google` is reached, where there is one.
    pub(crate) neighbour: Option<Arc<Network>>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) random: Arc<TestRandom>,
    pub(crate) token_host: &'static str,
    pub(crate) preset: Option<&'static str>,
    pub(crate) base_url: Option<&'static str>,
    /// Whether the configuration names the issuer, and no endpoint.
    pub(crate) discovers: bool,
}

impl World {
    /// Within a test that has `start_paused`.
    pub(crate) fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        let began = tokio::time::Instant::now();
        let clock = Arc::new(TestClock { began, ahead_millis: AtomicI64::new(0) });
        let store = Arc::new(MemoryStore::new(clock.clone(), &SystemRandom).unwrap());
        Self {
            store,
            network: Network::new(script),
            neighbour: None,
            clock,
            random: Arc::default(),
            token_host: "idp.example.com",
            preset: None,
            base_url: None,
            discovers: false,
        }
    }

    /// A process: nothing in its memory, everything else shared.
    pub(crate) async fn process(&self) -> Arc<Lifecycle> {
        let environment = Environment::new([("KEY", "0123456789abcdef0123456789abcdef")], "/");
        let random = self.random.clone();
        let key = KeySetting::Env("KEY".to_owned());
        let (vault, _) = Vault::open(
            self.store.clone(),
            &key,
            &environment,
            Arc::new(OsKeychain),
            random.clone(),
            self.clock.clone(),
        )
        .await
        .unwrap();
        let mut servers = BTreeMap::from([(account().provider, self.server())]);
        if let Some(network) = &self.neighbour {
            let google: AccountKey = "google".parse().unwrap();
            let server = World { network: network.clone(), ..self.clone() }.server();
            servers.insert(google.provider, server);
        }
        Lifecycle::new(vault, servers, self.clock.clone(), random, MARGINS)
    }

    pub(crate) fn server(&self) -> Arc<AuthorizationServer> {
        let registration = Registration { client_id: "client".to_owned(), ..Registration::default() };
        let preset = self.preset.and_then(Preset::find);
        let mut builder = ProviderBuilder::new(account().provider, preset, registration);
        builder.base_url = self.base_url.map(str::to_owned);
        let url = |path: &str| format!("https://{}{path}", self.token_host).parse().unwrap();
        if self.discovers {
            builder.issuer = Some(format!("https://{}", self.token_host));
        } else {
            builder.endpoints.authorization = Some(url("/authorize"));
            builder.endpoints.token = Some(url("/token"));
            builder.endpoints.revocation = Some(url("/revoke"));
            builder.endpoints.user = Some(url("/user"));
        }
        let binding = builder.binding();
        Arc::new(AuthorizationServer::new(builder, binding, self.network.clone(), self.clock.clone()))
    }

    /// Logs in as the account with id `id`; the tokens are number 0 and good for an hour.
    pub(crate) async fn log_in(&self, process: &Arc<Lifecycle>, id: &str) -> Result<Connected> {
        self.log_in_to(process, &account(), id).await
    }

    /// As [`World::log_in`], to another account of the provider.
    pub(crate) async fn log_in_to(
        &self,
        process: &Arc<Lifecycle>,
        account: &AccountKey,
        id: &str,
    ) -> Result<Connected> {
        let mut tokens = TokenSet::new(Secret::new("canary-access-0"), self.clock.now());
        tokens.refresh_token = Some(Secret::new("canary-refresh-0"));
        tokens.expires_at = Some(self.clock.now().plus(LIFETIME));
        let identity = Identity { account_id: id.to_owned(), account_login: Some("ada".to_owned()) };
        let begun = process.begin_login(account, &[]).await?;
        process.keep_login(&begun, &self.server(), tokens, Some(identity)).await
    }

    /// A process with a connection whose access token has ended.
    pub(crate) async fn with_ended_token(&self) -> Arc<Lifecycle> {
        let process = self.process().await;
        self.log_in(&process, "1").await.unwrap();
        tokio::time::advance(LIFETIME).await;
        process
    }

    /// A caller of `process` whose request has arrived and is not answered.
    pub(crate) async fn asking(&self, process: &Arc<Lifecycle>) -> JoinHandle<Result<AccessToken>> {
        self.network.hold();
        let arrived = self.network.arrivals();
        let process = process.clone();
        let caller = tokio::spawn(async move { process.access_token(&account()).await });
        self.network.arrived(arrived + 1).await;
        caller
    }
}

pub(crate) fn account() -> AccountKey {
    "github".parse().unwrap()
}

/// Whether the token is the `n`th.
pub(crate) fn is_token(token: &AccessToken, n: u32) -> bool {
    token.secret().matches(&Secret::new(format!("canary-access-{n}")))
}
