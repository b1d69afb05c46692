//! The wait for the browser: where it listens, and when it ends.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, MovedClock, within};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_port_in_use_is_said_and_another_flow_is_named() {
    let dev = Dev::start().await;
    let somebody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = somebody.local_addr().unwrap().port();
    dev.configure(&format!("redirect_uri = \"http://127.0.0.1:{port}/back\"\nflow = \"loopback\""));
    let app = dev.app().await;
    let error = app.begin("dev", ConnectOptions::default()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "unavailable");
    assert!(error.advice().contains("paste"), "{}", error.advice());

    drop(somebody);
    app.connect("dev", "ada").await.unwrap();
}

#[tokio::test]
async fn a_browser_that_never_comes_back_ends_the_login_at_its_deadline() {
    let dev = Dev::start().await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&dev.home, clock.clone()).await.unwrap();
    let mut login = app.begin("dev", ConnectOptions::default()).await.unwrap();
    let late = Browser::new("ada", Choice::Allow).unwrap().walk(&login.url(), &login.redirect_uri()).await;
    let tick = async {
        clock.has_sleepers().await;
        clock.advance(Duration::from_secs(3600));
    };
    let (ended, ()) = within("the deadline", async { tokio::join!(login.wait(), tick) }).await;
    assert_eq!(ended.unwrap_err().code().as_str(), "login_closed");
    assert_eq!(login.finish(late.unwrap().as_str()).await.unwrap_err().code().as_str(), "login_closed");
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 0);
    dev.app().await.connect("dev", "ada").await.unwrap();
}

#[tokio::test]
async fn a_person_who_comes_back_after_the_deadline_is_told_so() {
    let dev = Dev::start().await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&dev.home, clock.clone()).await.unwrap();
    let mut login = app.begin("dev", ConnectOptions::default()).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let answer = browser.walk(&login.url(), &login.redirect_uri()).await.unwrap();
    clock.advance(Duration::from_secs(3600));
    assert_eq!(login.finish(answer.as_str()).await.unwrap_err().code().as_str(), "login_closed");
}
