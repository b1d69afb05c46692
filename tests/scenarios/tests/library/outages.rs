//! Networks that come and go, and servers that ask for patience.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::status::ConnectionState;
use loomkin_auth_dev_provider::{Endpoint, Fault, Rotation, Settings};
use loomkin_auth_scenarios::{App, Dev, MovedClock};

async fn with_clock(dev: &Dev) -> (App, Arc<MovedClock>) {
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&dev.home, clock.clone()).await.unwrap();
    (app, clock)
}

#[tokio::test]
async fn invalid_grant_while_the_network_comes_and_goes_is_not_forgotten_and_not_repeated() {
    let dev = Dev::start().await;
    let (app, clock) = with_clock(&dev).await;
    dev.connect_expired(&app, "dev").await.unwrap();

    dev.provider.go_offline().await;
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "unavailable");
    assert!(matches!(app.status("dev").await.state, ConnectionState::Degraded { usable: false, .. }));

    dev.provider.go_online().await.unwrap();
    dev.provider.revoke_grants();
    dev.advance(&clock, HOUR);
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "reconnect_required");
    let sent = dev.refreshes();

    dev.provider.go_offline().await;
    dev.advance(&clock, HOUR);
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "reconnect_required");
    dev.provider.go_online().await.unwrap();
    dev.advance(&clock, HOUR);
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "reconnect_required");
    assert_eq!(dev.refreshes(), sent, "the dead token was presented once");

    app.connect("dev", "ada").await.unwrap();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_network_that_is_away_costs_no_account() {
    let dev = Dev::start().await;
    let (app, clock) = with_clock(&dev).await;
    dev.connect_expired(&app, "dev").await.unwrap();
    for _ in 0..3 {
        dev.provider.go_offline().await;
        assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "unavailable");
        dev.advance(&clock, HOUR);
        dev.provider.go_online().await.unwrap();
        assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
        dev.advance(&clock, 2 * HOUR);
    }
}

#[tokio::test]
async fn a_wait_in_seconds_or_as_a_date_is_kept_by_every_process() {
    let forms = [
        Fault::RetryAfterSeconds { status: 429, seconds: 120 },
        Fault::RetryAfterDate { status: 429, seconds: 120 },
        Fault::RetryAfterSeconds { status: 503, seconds: 120 },
        Fault::RetryAfterDate { status: 503, seconds: 120 },
    ];
    for form in forms {
        let dev = Dev::start().await;
        let (app, clock) = with_clock(&dev).await;
        dev.connect_expired(&app, "dev").await.unwrap();
        dev.provider.fault(Endpoint::Token, form).once();
        let error = app.token("dev").await.unwrap_err();
        assert_eq!(error.code().as_str(), "unavailable");
        // A date has whole seconds, and some of them pass on the way here; far less than a minute of them.
        assert!(error.retry_after().unwrap() > Duration::from_secs(60), "{error:?}");

        let other = App::open_at(&dev.home, clock.clone()).await.unwrap();
        assert_eq!(other.token("dev").await.unwrap_err().code().as_str(), "unavailable");
        assert_eq!(dev.refreshes(), 1, "nobody asks again before the time");
        dev.advance(&clock, HOUR);
        assert!(dev.provider.is_active(&other.token("dev").await.unwrap()));
        assert_eq!(dev.refreshes(), 2);
    }
}

#[tokio::test]
async fn an_answer_lost_once_is_repeated_where_the_server_forgives_it() {
    let rotation = Rotation::Forgiving { grace: Duration::from_secs(60) };
    let dev = Dev::start_with(Settings { rotation, ..Settings::default() }).await;
    let app = dev.expired().await;
    dev.provider.fault(Endpoint::Token, Fault::AnswerLost).once();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
    assert_eq!(dev.refreshes(), 2);
}

#[tokio::test]
async fn an_answer_lost_once_costs_the_account_where_reuse_is_punished_and_says_so() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    dev.provider.fault(Endpoint::Token, Fault::AnswerLost).once();
    let error = app.token("dev").await.unwrap_err();
    assert_eq!(error.code().as_str(), "reconnect_required");
    let ConnectionState::ReconnectRequired { reason } = app.status("dev").await.state else {
        panic!("{error}")
    };
    assert_eq!(reason.as_str(), "interrupted");
    app.connect("dev", "ada").await.unwrap();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_server_that_drops_one_request_is_not_noticed() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    dev.provider.fault(Endpoint::Token, Fault::ResetBeforeProcessing).once();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_redirecting_token_endpoint_takes_no_token_along() {
    let dev = Dev::start().await;
    let elsewhere = Dev::start().await;
    let (app, clock) = with_clock(&dev).await;
    dev.connect_expired(&app, "dev").await.unwrap();
    let to = elsewhere.provider.url("/token");
    dev.provider.fault(Endpoint::Token, Fault::Redirect { to }).until_cleared();
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "unavailable");
    assert!(elsewhere.provider.requests().is_empty());
    dev.provider.clear_faults();
    dev.advance(&clock, HOUR);
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

const HOUR: Duration = Duration::from_secs(3600);
