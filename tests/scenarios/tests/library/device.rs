//! A person who decides on another device (RFC 8628). Time passes as quickly as the login waits for it.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::error::Result;
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::provider::Flow;
use loomkin_auth_dev_provider::{Endpoint, Fault, Forgery};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, Login, MovedClock, within};
use tokio::task::JoinSet;

fn device() -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.flow = Some(Flow::Device);
    options
}

async fn app(dev: &Dev) -> (Arc<MovedClock>, App) {
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    (clock.clone(), App::open_at(&dev.home, clock).await.unwrap())
}

/// Waits for the end of `login` while time passes.
async fn wait(dev: &Dev, clock: &MovedClock, login: &mut Login) -> Result<Connected> {
    let progress = login.progress();
    within("the end of a device login", async {
        tokio::select! {
            connected = login.wait() => connected,
            () = dev.pass_time(clock, progress) => unreachable!("time passes for ever"),
        }
    })
    .await
}

fn polls(dev: &Dev) -> usize {
    dev.provider.count_token_requests("urn:ietf:params:oauth:grant-type:device_code")
}

#[tokio::test]
async fn a_person_enters_the_code_elsewhere_and_is_connected_here() {
    let dev = Dev::start().await;
    dev.configure("device_name = \"Ada's laptop\"");
    let (clock, app) = app(&dev).await;
    let mut login = app.begin("dev", device()).await.unwrap();
    let (code, page) = (login.device().user_code().to_owned(), login.device().verification_uri().to_string());
    assert_eq!(page, dev.provider.url("/device"));
    assert_eq!(login.url(), format!("{page}?user_code={code}"));
    assert_eq!(login.device().interval(), Duration::from_secs(5));

    let mut progress = login.progress();
    let person = async {
        // They take their time.
        progress.wait_for(|progress| progress.polls == 2).await.unwrap();
        let mut browser = Browser::new("ada", Choice::Allow).unwrap();
        let asked = browser.open(&format!("{page}?user_code={code}")).await.unwrap();
        assert!(asked.text.contains("Ada&#39;s laptop") && asked.text.contains(&code), "{}", asked.text);
        let done = browser.enter(&code, &page).await.unwrap();
        assert!(done.status == 200 && done.text.contains("Done"), "{}", done.text);
    };
    let (connected, ()) = tokio::join!(wait(&dev, &clock, &mut login), person);
    assert_eq!(connected.unwrap().account_login.as_deref(), Some("ada"));
    assert!(polls(&dev) >= 2);
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
    assert_eq!(login.wait().await.unwrap_err().code().as_str(), "login_closed", "it is over");
    assert!(!login.is_open());
}

#[tokio::test]
async fn a_person_who_says_no_is_believed() {
    let dev = Dev::start().await;
    let (clock, app) = app(&dev).await;
    let mut login = app.begin("dev", device()).await.unwrap();
    let page = Browser::new("ada", Choice::Deny).unwrap().visit(&login.url()).await.unwrap();
    assert!(page.text.contains("Denied"), "{}", page.text);
    let denied = wait(&dev, &clock, &mut login).await.unwrap_err();
    assert_eq!(denied.code().as_str(), "access_denied");
    assert_eq!(polls(&dev), 1);
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
}

#[tokio::test]
async fn a_code_that_nobody_enters_ends_the_login() {
    let dev = Dev::start().await;
    let (clock, app) = app(&dev).await;
    let mut login = app.begin("dev", device()).await.unwrap();
    let ended = wait(&dev, &clock, &mut login).await.unwrap_err();
    assert_eq!(ended.code().as_str(), "login_closed");
    // Every five seconds, and fewer than 119 where this machine lets real time pass as well.
    assert!((90..120).contains(&polls(&dev)), "{}", polls(&dev));
}

#[tokio::test]
async fn what_a_poll_is_told_is_borne_or_ends_the_login() {
    let denied = Fault::OAuthError { error: "access_denied".into(), status: 400 };
    let expired = Fault::OAuthError { error: "expired_token".into(), status: 400 };
    let unheard_of = Fault::OAuthError { error: "something_new".into(), status: 400 };
    let forged = Fault::IdTokenSignature { forgery: Forgery::AnotherKey };
    check(
        Endpoint::Token,
        [
            (Fault::authorization_pending(), Some(3), "connected after 4 polls"),
            (Fault::slow_down(), Some(2), "connected after 3 polls"),
            (
                Fault::ErrorWithOk { error: "authorization_pending".into() },
                Some(1),
                "connected after 2 polls",
            ),
            (Fault::ResetBeforeProcessing, Some(2), "connected after 3 polls"),
            (Fault::HtmlError { status: 502 }, Some(3), "connected after 4 polls"),
            (Fault::RetryAfterSeconds { status: 429, seconds: 20 }, Some(1), "connected after 2 polls"),
            (Fault::RetryAfterDate { status: 503, seconds: 20 }, Some(1), "connected after 2 polls"),
            (Fault::slow_down(), None, "login_closed after 14 polls"),
            (Fault::HtmlError { status: 500 }, None, "login_closed after 12 polls"),
            // The server has acted, and its second answer is that the code was used.
            (Fault::AnswerLost, Some(1), "login_closed after 2 polls"),
            (Fault::CutOffBody, Some(1), "login_closed after 2 polls"),
            (denied, Some(1), "access_denied after 1 polls"),
            (expired, Some(1), "login_closed after 1 polls"),
            (unheard_of, Some(1), "client_rejected after 1 polls"),
            (Fault::invalid_client(), Some(1), "client_rejected after 1 polls"),
            (Fault::Garbage, Some(1), "server_misbehaved after 1 polls"),
            (Fault::missing("access_token"), Some(1), "server_misbehaved after 1 polls"),
            (Fault::RefusalWithoutError { status: 404 }, Some(1), "server_misbehaved after 1 polls"),
            (Fault::field("id_token", "not-a-token"), Some(1), "server_misbehaved after 1 polls"),
            (forged, Some(1), "server_misbehaved after 1 polls"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_the_device_endpoint_says_is_bounded_or_refused() {
    let lie = |name: &str, value: serde_json::Value| Fault::field(name, value);
    let misbehaved = "server_misbehaved after 0 polls";
    check(
        Endpoint::DeviceAuthorization,
        [
            (lie("interval", 0.into()), None, "connected after 1 polls"),
            (lie("interval", (-1).into()), None, "connected after 1 polls"),
            (lie("interval", 1_000_000.into()), None, "connected after 1 polls"),
            (lie("interval", "soon".into()), None, "connected after 1 polls"),
            (Fault::missing("interval"), None, "connected after 1 polls"),
            (lie("expires_in", 1_000_000_000_000_u64.into()), None, "connected after 1 polls"),
            (lie("expires_in", 0.into()), None, misbehaved),
            (lie("expires_in", (-600).into()), None, misbehaved),
            (lie("expires_in", "soon".into()), None, misbehaved),
            (Fault::missing("expires_in"), None, misbehaved),
            // Too short for a single poll.
            (lie("expires_in", 1.into()), None, "login_closed after 0 polls"),
            (Fault::missing("device_code"), None, misbehaved),
            (Fault::missing("user_code"), None, misbehaved),
            (lie("user_code", "A\u{1b}]0;owned\u{7}".into()), None, misbehaved),
            (lie("user_code", "A".repeat(65).into()), None, misbehaved),
            (Fault::missing("verification_uri"), None, misbehaved),
            (lie("verification_uri", "http://elsewhere.example/".into()), None, misbehaved),
            (lie("verification_uri", "https://dev@elsewhere.example/".into()), None, misbehaved),
            (lie("verification_uri_complete", "javascript:alert(1)".into()), None, "connected after 1 polls"),
            (Fault::WrongTypes, None, misbehaved),
            (Fault::Garbage, None, misbehaved),
            (Fault::EmptyBody, None, misbehaved),
            (Fault::DeeplyNestedBody { depth: 100_000 }, None, misbehaved),
            (Fault::Redirect { to: "http://127.0.0.1:9/".into() }, None, misbehaved),
            (Fault::RefusalWithoutError { status: 404 }, None, misbehaved),
            (Fault::FormEncodedBody, None, "connected after 1 polls"),
            (Fault::OversizedBody { bytes: 2 << 20 }, None, "unavailable after 0 polls"),
            (Fault::HtmlError { status: 503 }, None, "unavailable after 0 polls"),
            (Fault::ResetBeforeProcessing, None, "unavailable after 0 polls"),
            (Fault::CutOffBody, None, "unavailable after 0 polls"),
            (Fault::invalid_client(), None, "client_rejected after 0 polls"),
            (
                Fault::ErrorWithOk { error: "unauthorized_client".into() },
                None,
                "client_rejected after 0 polls",
            ),
        ],
    )
    .await;
}

async fn check<const N: usize>(endpoint: Endpoint, table: [(Fault, Option<usize>, &'static str); N]) {
    let mut cases = JoinSet::new();
    for (fault, times, expected) in table {
        cases.spawn(async move {
            (format!("{fault:?}, {times:?} times"), expected, outcome(endpoint, fault, times).await)
        });
    }
    let outcomes = cases.join_all().await;
    let wrong: Vec<_> = outcomes.iter().filter(|(_, expected, outcome)| expected != outcome).collect();
    assert!(wrong.is_empty(), "(fault, expected, came): {wrong:#?}");
}

/// How a login ends whose person allows it at once.
async fn outcome(endpoint: Endpoint, fault: Fault, times: Option<usize>) -> String {
    let dev = Dev::start().await;
    let (clock, app) = app(&dev).await;
    let order = dev.provider.fault(endpoint, fault);
    match times {
        Some(times) => order.times(times),
        None => order.until_cleared(),
    }
    let ended = match app.begin("dev", device()).await {
        Ok(mut login) => {
            // Nobody waits with this code where the server lied about it.
            dev.provider.allow_device(login.device().user_code(), "ada");
            wait(&dev, &clock, &mut login).await.map(drop)
        }
        Err(error) => Err(error),
    };
    let stored = app.token("dev").await.is_ok();
    assert_eq!(stored, ended.is_ok(), "{ended:?}");
    let word = ended.map_or_else(|error| error.code().to_string(), |()| "connected".to_owned());
    format!("{word} after {} polls", polls(&dev))
}

#[tokio::test]
async fn another_account_than_the_stored_one_is_refused() {
    let dev = Dev::start().await;
    let (clock, app) = app(&dev).await;
    app.connect("dev", "ada").await.unwrap();
    let token = app.token("dev").await.unwrap();
    let mut login = app.begin("dev", device()).await.unwrap();
    assert!(dev.provider.allow_device(login.device().user_code(), "grace"));
    let refused = wait(&dev, &clock, &mut login).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "account_mismatch");
    assert_eq!(app.token("dev").await.unwrap(), token);
    assert!(dev.provider.is_active(&token));
}

#[tokio::test]
async fn a_dropped_login_asks_no_more_and_stores_nothing() {
    let dev = Dev::start().await;
    let (clock, app) = app(&dev).await;
    let mut login = app.begin("dev", device()).await.unwrap();
    let code = login.device().user_code().to_owned();
    {
        let mut progress = login.progress();
        tokio::select! {
            ended = wait(&dev, &clock, &mut login) => unreachable!("{ended:?}"),
            _ = progress.wait_for(|progress| progress.polls == 2) => {}
        }
    }
    drop(login);
    app.close().await;
    assert!(dev.provider.allow_device(&code, "ada"));
    let before = polls(&dev);
    dev.advance(&clock, Duration::from_secs(60));
    app.close().await;
    assert_eq!(polls(&dev), before);
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
}

#[tokio::test]
async fn a_grant_that_is_on_its_way_is_kept_when_the_caller_goes_away() {
    let dev = Dev::start().await;
    let (clock, app) = app(&dev).await;
    let gate = dev.provider.hold_token_answers();
    let mut login = app.begin("dev", device()).await.unwrap();
    assert!(dev.provider.allow_device(login.device().user_code(), "ada"));
    tokio::select! {
        ended = wait(&dev, &clock, &mut login) => unreachable!("{ended:?}"),
        () = gate.wait_for(1) => {}
    }
    drop(login);
    gate.release();
    app.close().await;
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_grant_that_came_after_its_waiter_had_gone_is_told_to_the_next() {
    let dev = Dev::start().await;
    let (clock, app) = app(&dev).await;
    let gate = dev.provider.hold_token_answers();
    let mut login = app.begin("dev", device()).await.unwrap();
    assert!(dev.provider.allow_device(login.device().user_code(), "ada"));
    tokio::select! {
        ended = wait(&dev, &clock, &mut login) => unreachable!("{ended:?}"),
        () = gate.wait_for(1) => {}
    }
    gate.release();
    // The clock stands still: nothing else is sent.
    assert_eq!(login.wait().await.unwrap().account.to_string(), "dev");
    assert!(!login.is_open());
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_provider_without_the_endpoint_is_said() {
    let dev = Dev::start().await;
    dev.provider.fault(Endpoint::Metadata, Fault::missing("device_authorization_endpoint")).until_cleared();
    let (_, app) = app(&dev).await;
    let error = app.begin("dev", device()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "config_invalid");
    assert!(error.advice().contains("device_authorization_endpoint"), "{}", error.advice());
}

#[tokio::test]
async fn nothing_is_pasted_into_a_device_login() {
    let dev = Dev::start().await;
    let (_, app) = app(&dev).await;
    let mut login = app.begin("dev", device()).await.unwrap();
    assert_eq!(login.finish("code#state").await.unwrap_err().code().as_str(), "usage");
    assert!(login.is_open());
}
