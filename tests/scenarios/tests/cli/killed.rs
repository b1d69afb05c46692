//! Processes that are killed in the middle of a refresh.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{App, Dev, MovedClock, Spread, within};

#[tokio::test]
async fn the_next_process_takes_over_from_one_that_was_killed_before_the_server_acted() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    // The gate tells when the request has arrived; the fault keeps the server from acting on it.
    let gate = dev.provider.hold_token_answers();
    dev.provider.fault(Endpoint::Token, Fault::Hang).once();
    let running = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    running.kill().await;
    gate.release();

    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
    assert_eq!(dev.refreshes(), 2);
}

#[tokio::test]
async fn a_token_that_was_spent_for_a_killed_process_is_interrupted_and_not_lost() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    let gate = dev.provider.hold_token_answers();
    let running = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    running.kill().await;
    gate.release();

    let refused = dev.home.run(&["token", "dev", "--json"]).await.exits(77);
    assert_eq!(refused.error()["code"], "reconnect_required");
    let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
    assert_eq!(
        (&status[0]["state"], &status[0]["reason"]),
        (&"reconnect_required".into(), &"interrupted".into())
    );
    assert_eq!(status[0]["account_login"], "ada", "the connection is still there");

    dev.app().await.connect("dev", "ada").await.unwrap();
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
}

#[tokio::test]
async fn a_store_survives_processes_killed_again_and_again() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    for _ in 0..5 {
        let gate = dev.provider.hold_token_answers();
        dev.provider.fault(Endpoint::Token, Fault::Hang).once();
        let running = dev.home.call(&["token", "dev"]).start();
        within("the request", gate.wait_for(1)).await;
        running.kill().await;
        gate.release();
        let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
        assert_eq!(status[0]["account_login"], "ada");
    }
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
    let clock = Arc::new(MovedClock::new(Duration::from_secs(2 * 3600)));
    let later = App::open_at(&dev.home, clock).await.unwrap();
    assert!(dev.provider.is_active(&later.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_kill_at_any_moment_leaves_a_store_that_works() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut spread = Spread::new();
    for round in 0..25 {
        let account = format!("dev/round-{round}");
        dev.connect_expired(&app, &account).await.unwrap();
        let running = dev.home.call(&["token", &account]).start();
        // Somewhere between its first instruction and its last.
        tokio::time::sleep(spread.pause(Duration::from_millis(60))).await;
        running.kill().await;
        let next = dev.home.run(&["token", &account, "--json"]).await;
        if next.code != Some(0) {
            assert_eq!(next.exits(77).error()["code"], "reconnect_required", "round {round}");
            let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
            let rows = status.as_array().unwrap();
            let row = rows.iter().find(|row| row["account"] == format!("round-{round}")).unwrap();
            assert_eq!(row["reason"], "interrupted", "round {round}");
        }
    }
}
