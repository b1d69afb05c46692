//! Two hosts with eight processes each, and the claim that a dead host leaves behind.

use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{Dev, Postgres, Spread, one_token, spread_crowd, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn two_hosts_of_eight_processes_make_one_refresh_in_each_of_fifty_rounds() {
    let server = Postgres::start_with("-c max_connections=200");
    let (dev, database) = (Dev::start().await, server.database());
    dev.share_store(&database.url());
    let (app, other_host) = (dev.app().await, dev.another_host());
    let mut spread = Spread::new();
    for round in 0..50 {
        let account = format!("dev/round-{round}");
        dev.connect_expired(&app, &account).await.unwrap();
        dev.provider.clear_requests();
        let mut beside = spread.split();
        let (ours, theirs) = tokio::join!(
            spread_crowd(&dev.home, &account, &mut spread),
            spread_crowd(&other_host, &account, &mut beside),
        );
        let token = one_token(&ours);
        assert_eq!(one_token(&theirs), token, "round {round}");
        assert_eq!(dev.refreshes(), 1, "round {round}");
        assert!(dev.provider.is_active(&token), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn another_host_takes_over_when_the_lease_of_a_killed_process_ends() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    dev.expired().await.close().await;
    let other_host = dev.another_host();
    let gate = dev.provider.hold_token_answers();
    dev.provider.fault(Endpoint::Token, Fault::Hang).once();
    let running = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    assert_eq!(running.kill().await.code, None);
    gate.release();

    // Nothing on the other host can tell that the holder is dead; 45 seconds by the database's clock do.
    let next = other_host.run(&["token", "dev"]).await;
    assert!(next.stderr.contains("waits for the refresh of another process"));
    assert!(dev.provider.is_active(&next.token()));
    assert_eq!(dev.refreshes(), 2);
}
