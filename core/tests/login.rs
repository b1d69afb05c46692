//! A login through the loopback redirect: what ends it, and what does not.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use loomkin_auth::account::AccountKey;
use loomkin_auth::auth::{Auth, ConnectOptions, PendingLogin, Ports};
use loomkin_auth::browser::NoBrowser;
use loomkin_auth::clock::SystemClock;
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::http::{HttpClient, SendError};
use loomkin_auth::protocol::message::{Request, Response};
use loomkin_auth::random::SystemRandom;
use loomkin_auth::secret::Secret;
use loomkin_auth::store::key::OsKeychain;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use url::Url;

/// Answers everything with tokens, as soon as it is open.
#[derive(Debug)]
struct Network {
    open: watch::Sender<bool>,
    asked: watch::Sender<bool>,
}

impl Network {
    fn new() -> Arc<Self> {
        Arc::new(Self { open: watch::Sender::new(true), asked: watch::Sender::new(false) })
    }
}

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, _: Request) -> Result<Response, SendError> {
        self.asked.send_replace(true);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        let body = br#"{"access_token":"canary-access","token_type":"Bearer"}"#.to_vec().into();
        Ok(Response { status: 200, headers: HeaderMap::new(), body })
    }
}

fn account() -> AccountKey {
    "idp".parse().unwrap()
}

async fn begin() -> (Auth, PendingLogin) {
    begin_with(ConnectOptions::default()).await
}

async fn begin_with(options: ConnectOptions) -> (Auth, PendingLogin) {
    begin_over(Network::new(), options).await
}

async fn begin_over(network: Arc<Network>, options: ConnectOptions) -> (Auth, PendingLogin) {
    let environment = Environment::new([("HOME", "/home/ada")], "/");
    let text = r#"
        [auth.store]
        backend = "memory"
        [auth.idp]
        client_id = "client"
        flow = "loopback"
        authorization_endpoint = "https://idp.example.com/authorize"
        token_endpoint = "https://idp.example.com/token"
    "#;
    let config = Config::parse(text, Path::new("/.loomkin.toml"), &environment)
        .map_err(|problems| problems.to_string())
        .unwrap();
    let ports = Ports {
        browser: Arc::new(NoBrowser),
        clock: Arc::new(SystemClock),
        http: network,
        keychain: Arc::new(OsKeychain),
        random: Arc::new(SystemRandom),
    };
    let auth = Auth::open_with(config, &environment, ports).await.unwrap();
    let login = auth.connect(&account(), options).await.unwrap();
    (auth, login)
}

/// The answer of the server to `login`: where it sends the browser.
fn redirect_of(login: &PendingLogin) -> Url {
    let asked = Url::parse(login.authorization_url()).unwrap();
    let value = |name: &str| asked.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned();
    let mut redirect = Url::parse(&value("redirect_uri")).unwrap();
    redirect.query_pairs_mut().append_pair("code", "canary-code").append_pair("state", &value("state"));
    redirect
}

/// The status line that a browser gets at `url`.
async fn visit(url: &Url) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    let query = url.query().unwrap_or_default();
    let request = format!("GET {}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", url.path());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_forged_redirect_neither_ends_a_login_nor_finishes_it() {
    let (auth, mut login) = begin().await;
    let redirect = redirect_of(&login);
    let mut forged = redirect.clone();
    forged.set_query(Some("code=forged&state=forged"));
    let visits = async {
        assert_eq!(visit(&forged).await, "HTTP/1.1 400 Bad Request");
        assert_eq!(visit(&redirect).await, "HTTP/1.1 200 OK");
    };
    let (connected, ()) = tokio::join!(login.wait(), visits);
    assert_eq!(connected.unwrap().account, account());
    assert!(auth.access_token(&account()).await.is_ok());
    assert_eq!(login.wait().await.unwrap_err().code(), ErrorCode::LoginClosed);
}

#[tokio::test]
async fn a_wait_that_was_given_up_can_be_taken_up_again() {
    let (_auth, mut login) = begin().await;
    let redirect = redirect_of(&login);
    let given_up = pin!(login.wait()).poll(&mut Context::from_waker(Waker::noop())).is_pending();
    assert!(given_up);
    let (connected, page) = tokio::join!(login.wait(), visit(&redirect));
    assert_eq!(connected.unwrap().account, account());
    assert_eq!(page, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_login_that_nobody_came_back_from_is_over() {
    let mut options = ConnectOptions::default();
    options.timeout = Some(Duration::ZERO);
    let (_auth, mut login) = begin_with(options).await;
    assert_eq!(login.wait().await.unwrap_err().code(), ErrorCode::LoginClosed);
    assert!(login.deadline().is_none());
    let pasted = Secret::new(redirect_of(&login));
    assert_eq!(login.finish(&pasted).await.unwrap_err().code(), ErrorCode::LoginClosed);
}

#[tokio::test]
async fn a_login_whose_caller_goes_away_during_the_exchange_is_still_stored() {
    let network = Network::new();
    network.open.send_replace(false);
    let (auth, mut login) = begin_over(network.clone(), ConnectOptions::default()).await;
    let answer = Secret::new(redirect_of(&login));
    let caller = tokio::spawn(async move { login.finish(&answer).await.map(drop) });
    network.asked.subscribe().wait_for(|asked| *asked).await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    network.open.send_replace(true);
    auth.close().await;
    assert!(auth.access_token(&account()).await.is_ok());
}

#[tokio::test]
async fn what_is_pasted_during_the_exchange_does_not_break_it_off() {
    let network = Network::new();
    network.open.send_replace(false);
    let (auth, mut login) = begin_over(network.clone(), ConnectOptions::default()).await;
    let redirect = redirect_of(&login);
    let pasted = || async {
        network.asked.subscribe().wait_for(|asked| *asked).await.unwrap();
        Some(Secret::new("canary-pasted"))
    };
    let go_on = async {
        network.asked.subscribe().wait_for(|asked| *asked).await.unwrap();
        // Whoever pastes has had their turn by then.
        tokio::task::yield_now().await;
        network.open.send_replace(true);
    };
    let waiting = login.wait_or_paste(|rejected| {
        assert!(rejected.is_none());
        pasted()
    });
    let (connected, page, ()) = tokio::join!(waiting, visit(&redirect), go_on);
    assert_eq!(connected.unwrap().account, account());
    assert_eq!(page, "HTTP/1.1 200 OK");
    assert!(auth.access_token(&account()).await.is_ok());
}

#[tokio::test]
async fn a_paste_that_answers_ends_the_wait_for_the_browser() {
    let (auth, mut login) = begin().await;
    let answer = redirect_of(&login);
    let mut texts = ["canary-4711".to_owned(), answer.to_string()].into_iter();
    let mut told = Vec::new();
    let connected = login.wait_or_paste(|rejected| {
        told.extend(rejected.map(|error| error.code()));
        std::future::ready(texts.next().map(Secret::new))
    });
    assert_eq!(connected.await.unwrap().account, account());
    assert_eq!(told, [ErrorCode::CallbackRejected]);
    assert!(TcpStream::connect(("127.0.0.1", answer.port().unwrap())).await.is_err(), "the port is closed");
    assert!(auth.access_token(&account()).await.is_ok());
}
