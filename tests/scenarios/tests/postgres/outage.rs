//! The database is away.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_scenarios::{App, Dev, MovedClock, Postgres, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn without_the_database_fresh_tokens_are_served_and_nothing_is_sent() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_with(&dev.home, clock.clone(), Duration::from_secs(30)).await.unwrap();
    app.connect("dev", "ada").await.unwrap();
    let fresh = app.token("dev").await.unwrap();
    // What the login has changed is known to the watch, and the token is in memory.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(app.token("dev").await.unwrap(), fresh);

    server.stop();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(app.token("dev").await.unwrap(), fresh);
    dev.advance(&clock, Duration::from_secs(2 * 3600));
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "store_failed");
    assert_eq!(dev.refreshes(), 0, "without a claim nothing is sent");

    server.resume();
    let renewed = app.token("dev").await.unwrap();
    assert!(dev.provider.is_active(&renewed));
    assert_eq!(dev.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn an_answer_that_meets_an_outage_serves_later_callers_too() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    dev.share_store(&server.database().url());
    let app = Arc::new(dev.expired().await);
    let gate = dev.provider.hold_token_answers();
    let first = tokio::spawn({
        let app = app.clone();
        async move { app.token("dev").await }
    });
    within("the request", gate.wait_for(1)).await;
    // The claim has long been counted by the watch when the database goes.
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.stop();
    gate.release();

    let renewed = first.await.unwrap().unwrap();
    assert!(dev.provider.is_active(&renewed));
    for _ in 0..3 {
        assert_eq!(app.token("dev").await.unwrap(), renewed, "a later caller");
    }
    server.resume();
    app.close().await;
    let other = dev.app().await;
    assert_eq!(other.token("dev").await.unwrap(), renewed, "it was stored");
    assert_eq!(dev.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn answers_that_meet_an_outage_at_once_serve_later_callers_each() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    dev.share_store(&server.database().url());
    let app = Arc::new(dev.app().await);
    app.connect("dev", "ada").await.unwrap();
    let fresh = app.token("dev").await.unwrap();
    for account in ["dev/one", "dev/two"] {
        dev.connect_expired(&app, account).await.unwrap();
    }
    assert_eq!(app.token("dev").await.unwrap(), fresh);
    app.connect("dev/gone", "ada").await.unwrap();
    app.token("dev/gone").await.unwrap();
    assert_eq!(app.token("dev").await.unwrap(), fresh);
    // What has been changed by now is known to the watch. What follows are changes of this process alone.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let gate = dev.provider.hold_token_answers();
    let refreshes = ["dev/one", "dev/two"].map(|account| {
        let app = app.clone();
        tokio::spawn(async move { app.token(account).await.unwrap() })
    });
    within("both requests", gate.wait_for(2)).await;
    app.disconnect("dev/gone").await.unwrap();
    server.stop();
    gate.release();

    let mut renewed = Vec::new();
    for refresh in refreshes {
        renewed.push(refresh.await.unwrap());
    }
    for (account, token) in ["dev/one", "dev/two"].iter().zip(&renewed) {
        assert_eq!(app.token(account).await.unwrap(), *token, "{account}");
    }
    assert_eq!(app.token("dev/gone").await.unwrap_err().code().as_str(), "store_failed");
    server.resume();
    app.close().await;
    assert_eq!(dev.refreshes(), 2);
}
