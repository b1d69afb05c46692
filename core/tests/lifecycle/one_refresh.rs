//! One refresh, however many ask.

use std::sync::atomic::Ordering;
use std::time::Duration;

use loomkin_auth::error::ErrorCode;
use loomkin_auth::lifecycle::DisconnectScope;

use crate::faulty_store::FaultyStore;
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
    let spending = world.asking(&first).await;
    let waiting = tokio::spawn(async move { second.access_token(&account()).await.unwrap() });
    // The paused clock passes only when both wait: the second has met the claim by then.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    world.network.release();
    assert!(is_token(&spending.await.unwrap().unwrap(), 1));
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
    let caller = world.asking(&process).await;
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
    let disconnected = process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert!(disconnected.was_connected);
    assert!(world.network.seen("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn waiting_for_another_process_leaves_the_store_alone_most_of_the_time() {
    let mut world = World::new([Reply::tokens(1)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let first = world.with_ended_token().await;
    let second = world.process().await;
    store.marks_differ.store(true, Ordering::SeqCst);
    let spending = world.asking(&first).await;
    let waiting = tokio::spawn(async move { second.access_token(&account()).await.unwrap() });
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.network.release();
    spending.await.unwrap().unwrap();
    assert!(is_token(&waiting.await.unwrap(), 1));
    assert!(store.claims.load(Ordering::SeqCst) <= 502, "it asked without a pause");
}

#[tokio::test(start_paused = true)]
async fn what_was_renewed_while_the_claim_was_on_its_way_is_adopted() {
    // The refresh token stays the same, so that only the second reading shows it.
    let silent = Reply::json(200, r#"{"access_token":"canary-access-1","expires_in":3600}"#);
    let world = World::new([silent]);
    let first = world.with_ended_token().await;
    let store = FaultyStore::new(world.store.clone());
    let second = World { store: store.clone(), ..world.clone() }.process().await;
    store.open.send_replace(false);
    let late = tokio::spawn(async move { second.access_token(&account()).await.unwrap() });
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.access_token(&account()).await.unwrap();
    store.open.send_replace(true);
    assert!(is_token(&late.await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
    let record = first.vault().record(&account()).await.unwrap().unwrap();
    assert!(record.claim.is_none(), "the claim was not given back");
}

#[tokio::test(start_paused = true)]
async fn nobody_sees_a_token_before_it_is_stored() {
    let mut world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let storing = world.process().await;
    drop(process);
    let caller = world.asking(&storing).await;
    store.open.send_replace(false);
    world.network.release();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.commits.load(Ordering::SeqCst), 1);
    // One who comes later reads the store anew.
    let later = tokio::spawn({
        let storing = storing.clone();
        async move { storing.access_token(&account()).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!caller.is_finished() && !later.is_finished(), "it was shown first");
    store.open.send_replace(true);
    for caller in [caller, later] {
        assert!(is_token(&caller.await.unwrap().unwrap(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for_as_long_as_the_network_allows() {
    let slow = Reply::After(loomkin_auth::http::TIMEOUT, Box::new(Reply::tokens(1)));
    let world = World::new([slow]);
    let first = world.with_ended_token().await;
    let second = world.process().await;
    let waiting = tokio::spawn(async move { second.access_token(&account()).await.unwrap() });
    world.network.arrived(1).await;
    assert!(is_token(&first.access_token(&account()).await.unwrap(), 1));
    assert!(is_token(&waiting.await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_in_another_process_is_seen_at_once() {
    let world = World::new([]);
    let (first, second) = (world.process().await, world.process().await);
    world.log_in(&first, "1").await.unwrap();
    assert!(is_token(&first.access_token(&account()).await.unwrap(), 0));
    second.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert_eq!(first.access_token(&account()).await.unwrap_err().code(), ErrorCode::NotConnected);
}

#[tokio::test(start_paused = true)]
async fn discovery_does_not_eat_into_the_lease() {
    let world = World { discovers: true, ..World::new([]) };
    let process = world.with_ended_token().await;
    let refreshing = world.asking(&process).await;
    assert_eq!(world.network.seen("/.well-known/").len(), 1);
    let record = process.vault().record(&account()).await.unwrap().unwrap();
    assert!(record.claim.is_none(), "it was claimed before the server's metadata was known");
    refreshing.abort();
}
