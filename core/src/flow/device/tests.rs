//! The polling, by a clock that jumps to whatever is waited for, against a server that reads from a script.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Mutex;

use ::http::HeaderMap;
use ::http::header::RETRY_AFTER;
use async_trait::async_trait;
use zeroize::Zeroizing;

use super::*;
use crate::error::ErrorCode;
use crate::http::{HttpClient, SendError};
use crate::protocol::message::{Request, Response};
use crate::provider::fixture::builder;
use crate::server::AuthorizationServer;
use crate::testing::ManualClock;

/// A clock that is put forward by everybody who waits, and remembers for how long.
#[derive(Debug)]
struct QuickClock(Mutex<(Timestamp, Vec<u64>)>);

impl QuickClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new((Timestamp::from_unix_seconds(1_800_000_000), Vec::new()))))
    }

    /// The waits so far, in seconds.
    fn waits(&self) -> Vec<u64> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut clock = self.0.lock().unwrap();
        clock.0 = clock.0.plus(duration);
        clock.1.push(duration.as_secs());
        Box::pin(std::future::ready(()))
    }
}

/// Answers in turn; the last answer is given for ever.
#[derive(Debug)]
struct Script(Mutex<VecDeque<Result<Response, SendError>>>);

#[async_trait]
impl HttpClient for Script {
    async fn send(&self, _request: Request) -> Result<Response, SendError> {
        let mut script = self.0.lock().unwrap();
        if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
    }
}

fn says(status: u16, body: &str) -> Result<Response, SendError> {
    Ok(Response { status, headers: HeaderMap::new(), body: Zeroizing::new(body.as_bytes().to_vec()) })
}

fn error(word: &str) -> Result<Response, SendError> {
    says(400, &format!(r#"{{"error":"{word}"}}"#))
}

fn busy(seconds: u64) -> Result<Response, SendError> {
    let mut response = says(429, "")?;
    response.headers.insert(RETRY_AFTER, seconds.into());
    Ok(response)
}

fn granted() -> Result<Response, SendError> {
    says(200, r#"{"access_token":"a1","token_type":"Bearer"}"#)
}

const AUTHORIZATION: &str = r#"{"device_code":"canary-device-code","user_code":"WDJB-MJHT",
    "verification_uri":"https://example.com/device","expires_in":300,"interval":5}"#;

/// A login that has begun, and the server that it is at.
async fn begin(
    clock: Arc<dyn Clock>,
    script: impl IntoIterator<Item = Result<Response, SendError>>,
) -> (DeviceLogin, AuthorizationServer) {
    let script = std::iter::once(says(200, AUTHORIZATION)).chain(script).collect();
    let mut builder = builder(None);
    builder.endpoints.token = Some("https://id.example.com/token".parse().unwrap());
    builder.endpoints.device_authorization = Some("https://id.example.com/device".parse().unwrap());
    let binding = builder.binding();
    let server =
        AuthorizationServer::new(builder, binding, Arc::new(Script(Mutex::new(script))), clock.clone());
    let authorization = server.begin_device_login(&[]).await.unwrap();
    (DeviceLogin::new(authorization, clock), server)
}

/// The waits of a login against `script`, and how it ends.
async fn run(script: impl IntoIterator<Item = Result<Response, SendError>>) -> (Vec<u64>, String) {
    let clock = QuickClock::new();
    let (mut login, server) = begin(clock.clone(), script).await;
    let ended = login.until_decided(async |code| server.poll(&code).await).await;
    let words = match ended {
        Ok(_) => "granted".to_owned(),
        Err(error) => error.code().to_string(),
    };
    (clock.waits(), words)
}

#[tokio::test]
async fn it_waits_before_the_first_poll_and_between_all() {
    let pending = || error("authorization_pending");
    assert_eq!(run([granted()]).await, (vec![5], "granted".into()));
    assert_eq!(run([pending(), pending(), granted()]).await, (vec![5, 5, 5], "granted".into()));
}

#[tokio::test]
async fn it_slows_down_for_good() {
    let script = [error("slow_down"), error("authorization_pending"), error("slow_down"), granted()];
    assert_eq!(run(script).await, (vec![5, 10, 10, 15], "granted".into()));
}

#[tokio::test]
async fn an_outage_is_survived() {
    let reset = || Err(SendError::Unknown { reason: "the connection broke before the answer came" });
    let refused = || Err(SendError::NotSent { reason: "no connection to the server came about" });
    let script = [reset(), refused(), says(502, "<html>"), error("authorization_pending"), granted()];
    assert_eq!(run(script).await, (vec![5, 10, 20, 40, 5], "granted".into()));
    assert_eq!(run([busy(33), granted()]).await, (vec![5, 33], "granted".into()));
}

#[tokio::test]
async fn it_ends_when_the_server_says_so() {
    assert_eq!(run([error("access_denied")]).await, (vec![5], "access_denied".into()));
    assert_eq!(run([error("expired_token")]).await, (vec![5], "login_closed".into()));
    assert_eq!(run([error("invalid_client")]).await, (vec![5], "client_rejected".into()));
    assert_eq!(run([says(200, "<html>")]).await, (vec![5], "server_misbehaved".into()));
}

#[tokio::test]
async fn it_ends_with_the_code_whatever_the_server_says() {
    let (waits, ended) = run([error("authorization_pending")]).await;
    assert_eq!((waits.len(), ended.as_str()), (59, "login_closed"), "every 5 s, and none at 300 s");
    let (waits, ended) = run([error("slow_down")]).await;
    assert_eq!((waits, ended.as_str()), (vec![5, 10, 15, 20, 25, 30, 35, 40, 45, 50], "login_closed"));
    let (waits, ended) = run([Err(SendError::NotSent { reason: "away" })]).await;
    assert_eq!((waits, ended.as_str()), (vec![5, 10, 20, 40, 60, 60, 60], "login_closed"));
    assert_eq!(run([busy(3600)]).await, (vec![5], "login_closed".into()));
}

#[tokio::test]
async fn a_surface_sees_how_far_it_is() {
    let clock = QuickClock::new();
    let away = Err(SendError::NotSent { reason: "the server's name cannot be resolved" });
    let (mut login, server) = begin(clock.clone(), [error("slow_down"), away, granted()]).await;
    let progress = login.progress();
    let seen = Mutex::new(vec![progress.borrow().clone()]);
    let poll = async |code| {
        seen.lock().unwrap().push(progress.borrow().clone());
        server.poll(&code).await
    };
    login.until_decided(poll).await.unwrap();
    let seen: Vec<_> = seen
        .into_inner()
        .unwrap()
        .into_iter()
        .map(|it| (it.polls, it.interval.as_secs(), it.trouble))
        .collect();
    let trouble = "the server's name cannot be resolved".to_owned();
    // As it stood at the begin, and whenever a poll was sent.
    assert_eq!(seen, [(0, 5, None), (1, 5, None), (2, 10, None), (3, 10, Some(trouble))]);
    assert!(!format!("{login:?} {progress:?}").contains("canary"));
}

#[tokio::test]
async fn a_machine_that_slept_too_long_asks_no_more() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(0)));
    let (mut login, _server) = begin(clock.clone(), [granted()]).await;
    let polls = Mutex::new(0);
    let waiting = login.until_decided(async |_| {
        *polls.lock().unwrap() += 1;
        PollAnswer::Granted(())
    });
    let (ended, ()) = tokio::join!(waiting, async { clock.advance(Duration::from_secs(300)) });
    assert_eq!(ended.unwrap_err().code(), ErrorCode::LoginClosed);
    assert_eq!(polls.into_inner().unwrap(), 0);
}

#[tokio::test]
async fn whoever_takes_over_keeps_the_distance_to_a_poll_that_was_dropped() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(0)));
    let (mut login, _server) = begin(clock.clone(), [granted()]).await;
    let progress = login.progress();
    let polling = login.until_decided(async |_| std::future::pending::<PollAnswer<()>>().await);
    tokio::select! {
        biased;
        _ = polling => unreachable!("nobody answers"),
        () = async {
            clock.advance(Duration::from_secs(5));
            progress.clone().wait_for(|progress| progress.polls == 1).await.unwrap();
        } => {}
    }
    assert_eq!(progress.borrow().next_poll_at, Timestamp::from_unix_seconds(10));
    let (ended, ()) = tokio::join!(login.until_decided(async |_| PollAnswer::Granted(())), async {
        clock.advance(Duration::from_secs(5));
    });
    ended.unwrap();
    assert_eq!(progress.borrow().polls, 2);
}

#[tokio::test]
async fn a_login_without_time_for_a_poll_makes_none() {
    let clock = QuickClock::new();
    let (login, server) = begin(clock.clone(), [granted()]).await;
    let soon = clock.now().plus(Duration::from_millis(5000));
    let mut login = DeviceLogin::new(login.authorization.finish_by(soon), clock.clone());
    let ended = login.until_decided(async |code| server.poll(&code).await).await;
    assert_eq!(ended.unwrap_err().code(), ErrorCode::LoginClosed);
    assert_eq!(clock.waits(), [0; 0]);
}
