//! A connection from its login to its end.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::clock::{Clock as _, SystemClock};
use loomkin_auth::protocol::revocation::RevocationAnswer;
use loomkin_auth::status::ConnectionState;
use loomkin_auth::store::ReconnectReason;
use loomkin_auth::testing::ManualClock;
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, MovedClock};

#[tokio::test]
async fn a_connection_lives_from_login_to_disconnect() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    assert_eq!(app.status("dev").await.state, ConnectionState::Disconnected);

    dev.connect_expired(&app, "dev").await.unwrap();
    let status = app.status("dev").await;
    assert_eq!((status.state, status.active), (ConnectionState::Connected, true));
    assert_eq!(status.account_login.as_deref(), Some("ada"));
    assert_eq!(app.me().await.unwrap().account.to_string(), "dev");

    let first = app.token("dev").await.unwrap();
    assert_eq!(dev.refreshes(), 1);
    assert_eq!(app.token("dev").await.unwrap(), first, "a fresh token is kept");
    assert_eq!(dev.refreshes(), 1);
    assert!(dev.provider.is_active(&first));

    let ended = app.disconnect("dev").await.unwrap();
    assert_eq!((ended.was_connected, ended.revocation), (true, RevocationAnswer::Revoked));
    assert!(!dev.provider.is_active(&first));
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
    assert_eq!(app.status("dev").await.state, ConnectionState::Disconnected);
    assert_eq!(app.me().await.unwrap_err().code().as_str(), "no_active_provider");
    assert!(!app.disconnect("dev").await.unwrap().was_connected, "once more is no error");
}

#[tokio::test]
async fn every_refresh_presents_the_newest_token() {
    let dev = Dev::start().await;
    dev.expired().await.token("dev").await.unwrap();
    dev.provider.clear_requests();
    let later = Arc::new(MovedClock::new(HOURS));
    let app = App::open_at(&dev.home, later.clone()).await.unwrap();
    for generation in 2..5 {
        app.token("dev").await.unwrap();
        let presented = dev.provider.requests().into_iter().filter_map(|request| request.presented);
        assert_eq!(presented.collect::<Vec<_>>().pop().unwrap().generation, generation);
        dev.advance(&later, HOURS);
    }
}

#[tokio::test]
async fn memory_gives_a_token_only_while_it_is_fresh_and_nobody_has_changed_the_store() {
    let dev = Dev::start().await;
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let app = App::open_at(&dev.home, clock.clone()).await.unwrap();
    app.connect("dev", "ada").await.unwrap();
    let token = app.token("dev").await.unwrap();
    assert_eq!(app.fresh_token("dev").as_ref(), Some(&token));
    assert_eq!(app.fresh_token("dev/other"), None);

    // Now and then somebody has to look whether the store's files are the same, which is not for memory to say.
    clock.advance(Duration::from_secs(2));
    assert_eq!(app.fresh_token("dev"), None);
    assert_eq!(app.token("dev").await.unwrap(), token);
    assert_eq!(app.fresh_token("dev").as_ref(), Some(&token));

    // It is good for two more minutes, and so it is time to renew it.
    clock.advance(Duration::from_secs(58 * 60));
    dev.provider.advance(Duration::from_secs(58 * 60 + 2));
    assert_eq!(app.token("dev").await.unwrap(), token);
    assert_eq!(app.fresh_token("dev"), None);

    let newer = App::open_at(&dev.home, clock.clone()).await.unwrap();
    newer.connect("dev", "ada").await.unwrap();
    assert_eq!(app.fresh_token("dev"), None, "another has changed the store");
    let token = app.token("dev").await.unwrap();
    assert_eq!(app.fresh_token("dev"), Some(token));
    newer.disconnect("dev").await.unwrap();
    assert_eq!(app.fresh_token("dev"), None, "another has disconnected it");
}

#[tokio::test]
async fn a_connection_outlives_its_process() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    app.close().await;
    drop(app);
    let token = dev.app().await.token("dev").await.unwrap();
    assert!(dev.provider.is_active(&token));
}

#[tokio::test]
async fn what_the_user_revokes_keeps_its_tokens_and_heals_by_the_next_login() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    dev.provider.revoke_grants();
    let revoked = ConnectionState::ReconnectRequired { reason: ReconnectReason::Revoked };
    for _ in 0..2 {
        assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "reconnect_required");
        let status = app.status("dev").await;
        assert_eq!(status.state, revoked);
        assert!(status.account_id.is_some(), "the connection is still there");
    }
    assert_eq!(dev.refreshes(), 1, "a dead token is not presented twice");
    assert_eq!(dev.app().await.status("dev").await.state, revoked, "another process knows too");

    app.connect("dev", "ada").await.unwrap();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_refused_login_leaves_what_was_connected() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    let token = app.token("dev").await.unwrap();
    let mut nobody = Browser::new("ada", Choice::Deny).unwrap();
    let (denied, page) = app.connect_with("dev", &mut nobody).await;
    assert_eq!(denied.unwrap_err().code().as_str(), "access_denied");
    assert_eq!(page.unwrap().status, 400);
    assert_eq!(app.token("dev").await.unwrap(), token);
}

const HOURS: Duration = Duration::from_secs(2 * 3600);
