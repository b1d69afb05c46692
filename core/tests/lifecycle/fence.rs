//! Answers that come too late, to a connection that has gone or is another one.

use std::sync::atomic::Ordering;

use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::lifecycle::DisconnectScope;
use loomkin_auth::store::{Columns, ConnectionId, NewConnection, SealedTokens};

use crate::faulty_store::FaultyStore;
use crate::support::{LIFETIME, MARGIN, Reply, World, account, is_token};

#[tokio::test(start_paused = true)]
async fn an_answer_that_meets_a_disconnect_is_revoked_and_not_served() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let refreshing = world.asking(&process).await;
    let disconnecting = tokio::spawn({
        let process = process.clone();
        async move { process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap() }
    });
    world.network.arrived(2).await; // its revocation, which comes after the tombstone
    world.network.release();
    assert!(disconnecting.await.unwrap().was_connected);
    assert_eq!(refreshing.await.unwrap().unwrap_err().code(), ErrorCode::NotConnected);
    let revoked = world.network.seen("/revoke");
    assert!(revoked.iter().any(|body| body.contains("canary-refresh-1")), "the late token is still good");
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::NotConnected);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_meets_a_newer_login_is_dropped_and_not_revoked() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let refreshing = world.asking(&process).await;
    world.log_in(&world.process().await, "1").await.unwrap();
    world.network.release();
    assert!(is_token(&refreshing.await.unwrap().unwrap(), 0), "the newer login is what counts");
    assert!(world.network.seen("/revoke").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dead_holders_claim_is_taken_over_when_its_lease_ends_and_its_late_answer_meets_the_fence() {
    let world = World::new([Reply::tokens(2), Reply::tokens(1)]);
    let stopped = world.with_ended_token().await;
    let late = world.asking(&stopped).await;
    let second = world.process().await;
    let taking_over = tokio::spawn(async move { second.access_token(&account()).await.unwrap() });
    world.network.arrived(2).await; // only after the lease
    world.network.release();
    let (late, taken_over) = (late.await.unwrap().unwrap(), taking_over.await.unwrap());
    assert_eq!(world.network.refreshes(), 2);
    assert!(late.secret().matches(taken_over.secret()), "both must end with what is stored");
}

#[tokio::test(start_paused = true)]
async fn a_newer_login_does_not_wait_for_the_refresh_of_the_one_before() {
    let mut world = World::new([Reply::tokens(1), Reply::tokens(2)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.with_ended_token().await;
    store.commits_fail.store(true, Ordering::SeqCst);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();

    // The old answer still waits to be stored when the newer login's token ends.
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 2), "a disconnected login was served");
    store.commits_fail.store(false, Ordering::SeqCst);
    process.close(MARGIN).await;
    assert!(is_token(&world.process().await.access_token(&account()).await.unwrap(), 2));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_meets_a_login_nobody_here_can_read_is_dropped_and_not_served() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let refreshing = world.asking(&process).await;
    let (account, now) = (account(), world.clock.now());
    let key = world.store.keys().await.unwrap().pop().unwrap().id;
    let (connection, sealed) =
        (ConnectionId([7; 16]), SealedTokens([b"2", &key[..], b"of a later version"].concat()));
    let columns = Columns::new(now, now);
    let login =
        NewConnection { account, connection, columns, sealed, refresh_digest: None, begun_after: None };
    world.store.connect(login).await.unwrap();
    world.network.release();
    assert_eq!(refreshing.await.unwrap().unwrap_err().code(), ErrorCode::StoreFailed);
    assert!(world.network.seen("/revoke").is_empty());
    let before = world.clock.now();
    process.close(MARGIN).await;
    assert_eq!(world.clock.now(), before, "nothing is left to be stored");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_meets_a_newer_login_says_nothing_about_it() {
    let world = World::new([Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    let refreshing = world.asking(&process).await;
    world.log_in(&world.process().await, "1").await.unwrap();
    world.network.release();
    assert!(is_token(&refreshing.await.unwrap().unwrap(), 0));
}
