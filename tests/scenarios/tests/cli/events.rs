//! What other processes do is heard in this one.

use loomkin_auth::store::EventKind;
use loomkin_auth_scenarios::Dev;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listening_process_hears_what_the_command_does() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    dev.connect_expired(&app, "dev/one").await.unwrap();
    app.connect("dev/two", "grace").await.unwrap();
    let mut listener = app.listen().await.unwrap();

    let token = dev.home.run(&["token", "dev/one"]).await.token();
    assert_eq!(listener.next().await, (Some("dev/one".to_owned()), EventKind::Refreshed));
    assert_eq!(app.status("dev/one").await.state.as_str(), "connected");
    assert_eq!(app.token("dev/one").await.unwrap(), token);

    dev.home.run(&["use", "dev/one"]).await.exits(0);
    assert_eq!(listener.next().await, (Some("dev/one".to_owned()), EventKind::ActiveChanged));
    assert!(app.status("dev/one").await.active);

    dev.home.run(&["disconnect", "dev/one"]).await.exits(0);
    let ended = |revoked| (Some("dev/one".to_owned()), EventKind::Disconnected { revoked });
    assert_eq!(listener.next().await, ended(None));
    assert_eq!(app.token("dev/one").await.unwrap_err().code().as_str(), "not_connected");
    assert_eq!(listener.next().await, (None, EventKind::ActiveChanged));
    assert_eq!(listener.next().await, ended(Some(true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_of_a_process_that_is_killed_afterwards_is_heard() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    let mut listener = app.listen().await.unwrap();
    let gate = dev.provider.hold_token_answers();
    let running = dev.home.call(&["token", "dev"]).start();
    gate.wait_for(1).await;
    dev.home.run(&["use", "--none"]).await.exits(0);
    assert_eq!(
        listener.next().await,
        (None, EventKind::ActiveChanged),
        "a request in flight changes nothing"
    );
    gate.release();
    assert_eq!(listener.next().await, (Some("dev".to_owned()), EventKind::Refreshed));
    running.kill().await;
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
    assert_eq!(dev.refreshes(), 1);
}
