//! Renewal ahead of the end: nobody waits, and nothing is risked while the present token works.

use std::time::Duration;

use loomkin_auth::error::ErrorCode;
use loomkin_auth::store::{AttemptId, FailureKind};

use crate::support::{AHEAD, LIFETIME, MARGIN, Reply, World, account, is_token};

/// A process whose token has just grown stale.
async fn with_stale_token(world: &World) -> std::sync::Arc<loomkin_auth::lifecycle::Lifecycle> {
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME - AHEAD + Duration::from_secs(1)).await;
    process
}

#[tokio::test(start_paused = true)]
async fn a_stale_token_is_returned_at_once_while_one_task_renews_it() {
    let world = World::new([Reply::tokens(1)]);
    let process = with_stale_token(&world).await;
    world.network.hold();
    for _ in 0..100 {
        assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    }
    world.network.arrived(1).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0), "nobody waits for the answer");
    world.network.release();
    process.close(MARGIN).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_needs_a_token_waits_for_the_renewal_that_is_under_way() {
    let world = World::new([Reply::tokens(1)]);
    let process = with_stale_token(&world).await;
    world.network.hold();
    process.access_token(&account()).await.unwrap();
    world.network.arrived(1).await;
    tokio::time::advance(AHEAD).await;
    let waiting = tokio::spawn({
        let process = process.clone();
        async move { process.access_token(&account()).await.unwrap() }
    });
    tokio::task::yield_now().await;
    world.network.release();
    assert!(is_token(&waiting.await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_not_repeated_while_the_token_works_and_is_before_it_ends() {
    let world = World::new([Reply::unknown(), Reply::tokens(1)]);
    let process = with_stale_token(&world).await;
    process.access_token(&account()).await.unwrap();
    process.close(MARGIN).await;
    tokio::time::advance(Duration::from_secs(120)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    process.close(MARGIN).await;
    assert_eq!(world.network.refreshes(), 1, "a repeat may end the family");
    tokio::time::advance(AHEAD - Duration::from_secs(120) - MARGIN).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_claim_of_a_dead_holder_is_not_spent_while_the_token_works() {
    let world = World::new([]);
    let process = with_stale_token(&world).await;
    let entry = process.vault().load(&account()).await.unwrap().unwrap();
    process.vault().claim(&entry, AttemptId([7; 16]), Duration::from_secs(45)).await.unwrap();
    tokio::time::advance(Duration::from_secs(46)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    process.close(MARGIN).await;
    let record = process.vault().record(&account()).await.unwrap().unwrap();
    assert_eq!(record.failure.map(|failure| failure.kind), Some(FailureKind::Unknown));
    assert!(record.claim.is_none());
    assert_eq!(world.network.refreshes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_repeated_in_the_background_when_its_back_off_is_over() {
    let world = World::new([Reply::refused(), Reply::tokens(1)]);
    let process = with_stale_token(&world).await;
    for refreshes in [1, 2] {
        assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
        process.close(MARGIN).await;
        assert_eq!(world.network.refreshes(), refreshes);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_found_dead_ahead_of_need_is_said_when_the_token_ends() {
    let world = World::new([Reply::invalid_grant()]);
    let process = with_stale_token(&world).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    process.close(MARGIN).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0), "it works until it ends");
    tokio::time::advance(AHEAD).await;
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::ReconnectRequired);
    assert_eq!(world.network.refreshes(), 1);
}
