//! Apps on several hosts, with one store between them.

use loomkin_auth::status::ConnectionState;
use loomkin_auth_scenarios::{Browser, Choice, Dev, Postgres, connect_by_command, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn two_hosts_make_one_request() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let (one, two) = (dev.expired().await, dev.app().await);
    let gate = dev.provider.hold_token_answers();
    let both = async { tokio::join!(one.token("dev"), two.token("dev")) };
    let release = async {
        gate.wait_for(1).await;
        gate.release();
    };
    let ((first, second), ()) = within("two answers", async { tokio::join!(both, release) }).await;
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(dev.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_disconnect_on_one_host_is_seen_on_the_other() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let (one, two) = (dev.app().await, dev.app().await);
    one.connect("dev", "ada").await.unwrap();
    two.token("dev").await.unwrap();

    one.disconnect("dev").await.unwrap();

    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(two.token("dev").await.unwrap_err().code().as_str(), "not_connected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_crash_of_the_database_in_the_middle_of_a_refresh_costs_nothing() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let app = dev.expired().await;
    let gate = dev.provider.hold_token_answers();
    let crash = async {
        gate.wait_for(1).await;
        server.restart();
        gate.release();
    };
    let (token, ()) = within("a token", async { tokio::join!(app.token("dev"), crash) }).await;
    let token = token.unwrap();
    assert!(dev.provider.is_active(&token));
    app.close().await;
    assert_eq!(dev.app().await.token("dev").await.unwrap(), token);
    assert!(matches!(app.status("dev").await.state, ConnectionState::Connected));
    assert_eq!(dev.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn the_command_and_an_app_share_a_login() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url_of_pooler());
    let app = dev.app().await;
    dev.provider.next_access_token_lifetimes([std::time::Duration::ZERO]);
    let _ =
        connect_by_command(&dev.home, "dev", &mut Browser::new("ada", Choice::Allow).unwrap()).await.exits(0);

    let token = app.token("dev").await.unwrap();
    let ran = dev.home.call(&["token", "dev"]).start().ended().await.exits(0);
    assert_eq!(ran.stdout.trim(), token);
    assert_eq!(dev.refreshes(), 1);

    let _ = dev.home.call(&["disconnect", "dev"]).start().ended().await.exits(0);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
}
