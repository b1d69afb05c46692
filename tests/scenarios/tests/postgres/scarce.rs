//! A server that has no connection left, and one that gives its place to its standby.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_scenarios::{Database, Dev, Postgres, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_server_without_a_connection_left_costs_no_answer() {
    let server = Postgres::start_with("-c max_connections=20");
    let (dev, database) = (Dev::start().await, server.database());
    // Superusers have connections kept for them; apps have none.
    database.sql("CREATE ROLE app LOGIN");
    database.sql(&format!("ALTER DATABASE {} OWNER TO app", database.name()));
    dev.share_store(&database.url().replacen("test", "app", 1));
    dev.expired().await.close().await;
    let gate = dev.provider.hold_token_answers();
    let holder = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    let taken = take_every_connection(&database).await;

    let refused = dev.home.run(&["token", "dev", "--json"]).await.exits(74).error();
    assert_eq!(refused["code"], "store_failed");
    assert!(refused["message"].as_str().unwrap().contains("connection"), "{refused}");
    gate.release();
    within("the holder to notice", holder.stderr().says("could not be stored")).await;
    drop(taken);

    let token = holder.ended().await.token();
    assert!(dev.provider.is_active(&token));
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), token);
    assert_eq!(dev.refreshes(), 1);
}

/// All that the server has for apps, those of ours included.
async fn take_every_connection(database: &Database) -> Vec<std::net::TcpStream> {
    let mut taken = database.take_connections("app");
    let ours = "SELECT pid FROM pg_stat_activity WHERE application_name = 'loomkin-auth'";
    within("every connection", async {
        while database.sql(&format!("SELECT count(pg_terminate_backend(pid)) FROM ({ours}) AS ours")) != "0" {
            // A session that was told to end still counts for a moment.
            tokio::time::sleep(Duration::from_millis(5)).await;
            taken.extend(database.take_connections("app"));
        }
    })
    .await;
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_standby_that_takes_over_in_the_middle_of_a_refresh_has_everything() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    server.add_standby();
    let database = server.database();
    dev.share_store(&database.url());
    let app = dev.expired().await;
    app.connect("dev/other", "grace").await.unwrap();
    let other = app.token("dev/other").await.unwrap();
    let other_host = dev.another_host();
    let gate = dev.provider.hold_token_answers();
    let holder = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;

    let failing_over = tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || server.fail_over()
    });
    gate.release();
    let token = holder.ended().await.token();
    within("the standby", failing_over).await.unwrap();
    let timeline = database.sql("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)");
    assert_eq!(timeline, "00000002", "it has taken over");

    assert!(dev.provider.is_active(&token));
    assert_eq!(other_host.run(&["token", "dev"]).await.token(), token);
    assert_eq!(other_host.run(&["token", "dev/other"]).await.token(), other);
    assert_eq!(app.token("dev").await.unwrap(), token);
    assert_eq!(dev.refreshes(), 1);
}
