//! The database is away.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_scenarios::{App, Dev, MovedClock, Postgres};

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
