//! A process that is stopped (SIGSTOP) while it holds the claim, and goes on when its lease has ended.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::error::ErrorCode;
use loomkin_auth::status::ConnectionState;
use loomkin_auth_dev_provider::{Rotation, Settings};
use loomkin_auth_scenarios::{App, Dev, MovedClock, Running, within};

/// A server with `rotation`; a process that was stopped before its answer came, which now waits for it; and an app to
/// whom the lease of that process has ended.
async fn stopped(rotation: Rotation) -> (Dev, Running, App, Arc<MovedClock>) {
    let dev = Dev::start_with(Settings { rotation, ..Settings::default() }).await;
    dev.expired().await.close().await;
    let gate = dev.provider.hold_token_answers();
    let running = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    running.pause();
    gate.release();
    let clock = Arc::new(MovedClock::new(LEASE));
    let later = App::open_at(&dev.home, clock.clone()).await.unwrap();
    (dev, running, later, clock)
}

#[tokio::test]
async fn where_refresh_tokens_do_not_rotate_both_are_served() {
    let (dev, running, later, _) = stopped(Rotation::Off).await;
    let token = later.token("dev").await.unwrap();
    running.go_on();
    assert!(dev.provider.is_active(&running.ended().await.token()));
    assert!(dev.provider.is_active(&token));
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
    assert_eq!(dev.refreshes(), 2);
}

#[tokio::test]
async fn where_a_repeat_is_forgiven_the_late_answer_gives_way_to_what_is_stored() {
    let (dev, running, later, clock) = stopped(Rotation::Forgiving { grace: 2 * LEASE }).await;
    let token = later.token("dev").await.unwrap();
    running.go_on();
    assert_eq!(running.ended().await.token(), token, "it met the fence, and adopted what it found");
    assert_eq!(dev.refreshes(), 2);
    dev.advance(&clock, Duration::from_secs(2 * 3600));
    assert!(
        dev.provider.is_active(&later.token("dev").await.unwrap()),
        "the newest refresh token is in the store"
    );
}

#[tokio::test]
async fn where_reuse_is_punished_the_account_is_lost_and_says_so() {
    let (dev, running, later, clock) = stopped(Rotation::Strict).await;
    assert_eq!(later.token("dev").await.unwrap_err().code(), ErrorCode::ReconnectRequired);
    let ConnectionState::ReconnectRequired { reason } = later.status("dev").await.state else { panic!() };
    assert_eq!(reason.as_str(), "interrupted");

    // The late answer is the newest there is, and good by all that can be known here; the server has ended its grant.
    running.go_on();
    assert!(!dev.provider.is_active(&running.ended().await.token()));
    dev.advance(&clock, Duration::from_secs(2 * 3600));
    assert_eq!(later.token("dev").await.unwrap_err().code(), ErrorCode::ReconnectRequired);
    assert_eq!(later.status("dev").await.account_login.as_deref(), Some("ada"), "nothing is deleted");
    later.connect("dev", "ada").await.unwrap();
    assert!(dev.provider.is_active(&later.token("dev").await.unwrap()));
}

/// A second more than a claim lasts.
const LEASE: Duration = Duration::from_secs(46);
