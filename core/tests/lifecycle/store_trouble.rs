//! A store that cannot be written: before anything is sent, and after the answer came.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::lifecycle::{Answer, DisconnectScope};

use crate::faulty_store::FaultyStore;
use crate::support::{LIFETIME, MARGIN, Reply, World, account, is_token};

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_written_means_that_nothing_is_sent() {
    let mut world = World::new([Reply::tokens(1)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    store.claims_fail.store(true, Ordering::SeqCst);

    tokio::time::advance(LIFETIME - Duration::from_secs(30)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0), "good inside the margin");
    tokio::time::advance(LIFETIME).await;
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::StoreFailed);
    assert_eq!(world.network.refreshes(), 0);

    store.claims_fail.store(false, Ordering::SeqCst);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_stored_is_served_here_and_stored_as_soon_as_it_can_be() {
    let mut world = World::new([Reply::tokens(1), Reply::tokens(2)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.with_ended_token().await;
    store.commits_fail.store(true, Ordering::SeqCst);

    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(store.commits.load(Ordering::SeqCst) > 2, "it goes on trying");
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1, "the spent token is not presented again");

    store.commits_fail.store(false, Ordering::SeqCst);
    process.close(MARGIN).await;
    assert!(is_token(&world.process().await.access_token(&account()).await.unwrap(), 1));
    tokio::time::advance(LIFETIME).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 2));
    assert!(world.network.seen("/token")[1].contains("canary-refresh-1"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_to_be_stored_does_not_survive_a_disconnect() {
    let mut world = World::new([Reply::tokens(1)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.with_ended_token().await;
    store.commits_fail.store(true, Ordering::SeqCst);
    process.access_token(&account()).await.unwrap();
    process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::NotConnected);
    store.commits_fail.store(false, Ordering::SeqCst);
    process.close(MARGIN).await;
    let revoked = world.network.seen("/revoke");
    assert!(revoked.iter().any(|body| body.contains("canary-refresh-1")), "the unsaved token is still good");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_before_it_could_be_stored_is_the_stores_fault() {
    let mut world = World::new([Reply::tokens(1)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.with_ended_token().await;
    store.commits_fail.store(true, Ordering::SeqCst);
    process.access_token(&account()).await.unwrap();
    tokio::time::sleep(LIFETIME).await;
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::StoreFailed);
}

#[tokio::test(start_paused = true)]
async fn an_unsaved_token_that_is_rejected_is_not_followed_by_the_one_before_it() {
    let mut world = World::new([Reply::tokens(1)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.with_ended_token().await;
    store.commits_fail.store(true, Ordering::SeqCst);
    process.access_token(&account()).await.unwrap();
    tokio::time::advance(Duration::from_secs(30)).await;
    let calls = Cell::new(0);
    let call = |_| {
        calls.set(calls.get() + 1);
        async { Ok::<_, Error>(Answer::TokenRejected(401)) }
    };
    assert_eq!((process.with_token(&account(), call).await.unwrap(), calls.get()), (401, 1));
}

#[tokio::test(start_paused = true)]
async fn what_another_process_has_stored_since_is_newer_than_what_waits_here() {
    let world = World::new([Reply::tokens(1), Reply::tokens(2)]);
    let second = world.with_ended_token().await;
    let store = FaultyStore::new(world.store.clone());
    let first = World { store: store.clone(), ..world.clone() }.process().await;
    store.commits_fail.store(true, Ordering::SeqCst);
    assert!(is_token(&first.access_token(&account()).await.unwrap(), 1));
    // It gets the claim when the lease of the first has ended.
    assert!(is_token(&second.access_token(&account()).await.unwrap(), 2));
    assert!(is_token(&first.access_token(&account()).await.unwrap(), 2));
    store.commits_fail.store(false, Ordering::SeqCst);
    first.close(MARGIN).await;
    assert!(is_token(&first.access_token(&account()).await.unwrap(), 2));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_sealed_is_served_here_and_stored_as_soon_as_it_can_be() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let caller = world.asking(&process).await;
    world.random.fails.store(true, Ordering::SeqCst);
    world.network.release();
    assert!(is_token(&caller.await.unwrap().unwrap(), 1));
    world.random.fails.store(false, Ordering::SeqCst);
    process.close(MARGIN).await;
    assert!(is_token(&world.process().await.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1);
}
