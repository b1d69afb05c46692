//! Connections that are cut in the middle of a refresh.

use std::time::Duration;

use loomkin_auth_scenarios::{Database, Dev, Postgres, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_connection_cut_in_the_middle_of_the_commit_costs_nothing() {
    let server = Postgres::start_with("-c max_prepared_transactions=1");
    let (dev, database) = (Dev::start().await, server.database());
    dev.share_store(&database.url());
    dev.expired().await.close().await;
    let other_host = dev.another_host();
    let gate = dev.provider.hold_token_answers();
    let holder = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    let waiting = other_host.call(&["token", "dev"]).start();
    within("the other host's wait", waiting.stderr().says("waits for the refresh")).await;

    // Nobody's session holds the row, so that none has to be spared.
    database.sql("BEGIN; SELECT FROM loomkin_auth.connection FOR UPDATE; PREPARE TRANSACTION 'held'");
    gate.release();
    within("the commit to wait for the row", async {
        while database.sql(&format!("SELECT count(*) FROM ({OURS}) AS ours WHERE wait_event_type = 'Lock'"))
            == "0"
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    cut(&database);
    let told = holder.stderr();
    within("the holder to notice", told.says("could not be stored")).await;
    database.sql("ROLLBACK PREPARED 'held'");

    let (holder, waiting) = (holder.ended().await, waiting.ended().await);
    assert_eq!(holder.token(), waiting.token());
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
    assert_eq!(dev.refreshes(), 1, "the commit was tried again, and the request was not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn connections_cut_between_the_claim_and_the_commit_are_not_noticed() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let app = dev.app().await;
    for round in 0..10 {
        let account = format!("dev/round-{round}");
        dev.connect_expired(&app, &account).await.unwrap();
        dev.provider.clear_requests();
        let gate = dev.provider.hold_token_answers();
        let holder = dev.home.call(&["token", &account]).start();
        within("the request", gate.wait_for(1)).await;
        cut(&database);
        gate.release();
        assert!(dev.provider.is_active(&holder.ended().await.token()), "round {round}");
        assert!(dev.provider.is_active(&app.token(&account).await.unwrap()), "round {round}");
        assert_eq!(dev.refreshes(), 1, "round {round}");
    }
}

fn cut(database: &Database) {
    database.sql(&format!("SELECT count(pg_terminate_backend(pid)) FROM ({OURS}) AS ours"));
}

const OURS: &str = "SELECT * FROM pg_stat_activity WHERE application_name = 'loomkin-auth'";
