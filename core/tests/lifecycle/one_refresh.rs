//! One refresh, however many ask.

use loomkin_auth::error::ErrorCode;
use loomkin_auth::secret::Secret;

use crate::support::{LIFETIME, MARGIN, Reply, World, account, is_token};

#[tokio::test(start_paused = true)]
async fn a_fresh_token_costs_no_request() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME - MARGIN).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    assert_eq!(world.network.refreshes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_tasks_make_one_request() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    world.network.hold();
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let process = process.clone();
            tokio::spawn(async move { process.access_token(&account()).await.unwrap() })
        })
        .collect();
    world.network.arrived(1).await;
    world.network.release();
    for task in tasks {
        assert!(is_token(&task.await.unwrap(), 1));
    }
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_process_waits_for_the_claim_and_adopts_the_answer() {
    let world = World::new([Reply::tokens(1)]);
    let first = world.with_ended_token().await;
    let second = world.process().await;
    world.network.hold();
    let spending = tokio::spawn(async move { first.access_token(&account()).await.unwrap() });
    world.network.arrived(1).await;
    let waiting = tokio::spawn(async move { second.access_token(&account()).await.unwrap() });
    // The paused clock passes only when both wait: the second has met the claim by then.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    world.network.release();
    assert!(is_token(&spending.await.unwrap(), 1));
    assert!(is_token(&waiting.await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_another_process_has_renewed_is_adopted_without_a_request() {
    let world = World::new([Reply::tokens(1)]);
    let first = world.with_ended_token().await;
    let second = world.process().await;
    assert_eq!(second.check(&account()).await.map_err(|error| error.code()), Ok(()));
    first.access_token(&account()).await.unwrap();
    assert!(is_token(&second.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_refresh_presents_the_token_of_the_one_before() {
    let world = World::new([Reply::tokens(1), Reply::tokens(2)]);
    let process = world.with_ended_token().await;
    process.access_token(&account()).await.unwrap();
    tokio::time::advance(LIFETIME).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 2));
    let presented = world.network.seen("/token");
    assert!(presented[0].contains("canary-refresh-0") && presented[1].contains("canary-refresh-1"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_stop_the_refresh() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    world.network.hold();
    let caller = tokio::spawn({
        let process = process.clone();
        async move { process.access_token(&account()).await.map(drop) }
    });
    world.network.arrived(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    world.network.release();
    process.close(MARGIN).await;
    let other = world.process().await;
    assert!(is_token(&other.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let silent = Reply::json(200, r#"{"access_token":"canary-access-1","expires_in":3600}"#);
    let world = World::new([silent, Reply::tokens(2)]);
    let process = world.with_ended_token().await;
    process.access_token(&account()).await.unwrap();
    tokio::time::advance(LIFETIME).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 2));
    assert!(world.network.seen("/token")[1].contains("canary-refresh-0"));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_with_another_endpoint_has_no_connection_and_sends_nothing() {
    let world = World::new([]);
    world.with_ended_token().await;
    let checkout = World { token_host: "evil.example.org", ..world.clone() };
    let process = checkout.process().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotConnected);
    assert!(error.message().contains("another"), "{error}");
    let disconnected = process.disconnect(&account()).await.unwrap();
    assert!(disconnected.was_connected);
    assert!(world.network.seen("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_account_than_the_stored_one_is_refused_and_nothing_is_lost() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    let error = world.log_in(&process, "2").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccountMismatch);
    assert!(world.network.seen("/revoke")[0].contains("canary-refresh-0"));
    let token = process.access_token(&account()).await.unwrap();
    assert!(token.secret().matches(&Secret::new("canary-access-0")));
}
