//! Tasks, runtimes and holders that end in the middle of a refresh.

use std::future::Future as _;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::secret::Secret;
use loomkin_auth::store::{AttemptId, FailureKind, ReconnectReason};

use crate::faulty_store::FaultyStore;
use crate::support::{MARGIN, Reply, World, account, is_token};

#[test]
fn a_runtime_that_is_ending_breaks_the_refresh_off_and_hangs_nobody() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let (living, ending) = (runtime().unwrap(), runtime().unwrap());
    let process = living.block_on(async {
        let world = World::new([]);
        let process = world.process().await;
        let mut tokens = TokenSet::new(Secret::new("canary-access-0"), world.clock.now());
        tokens.refresh_token = Some(Secret::new("canary-refresh-0"));
        tokens.expires_at = Some(world.clock.now());
        let begun = process.begin_login(&account(), &[]).await.unwrap();
        process.keep_login(&begun, &world.server(), tokens, None).await.unwrap();
        process
    });
    let ended = ending.handle().clone();
    drop(ending);
    // Tasks are refused now: what is spawned is dropped where it stands.
    let _entered = ended.enter();
    let account = account();
    let asking = std::pin::pin!(process.access_token(&account));
    let answer = asking.poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, Poll::Ready(Err(error)) if error.code() == ErrorCode::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_panics_does_not_keep_the_account_for_ever() {
    let world = World::new([Reply::Panic, Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::Unavailable);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_holder_died_is_called_interrupted() {
    let world = World::new([Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    let record = process.vault().record(&account()).await.unwrap().unwrap();
    let (connection, presented) = (record.connection, record.refresh_digest.unwrap());
    let lease = Duration::from_secs(45);
    world.store.claim(&account(), connection, presented, AttemptId([9; 16]), lease).await.unwrap();
    let _reconnect_required = process.access_token(&account()).await.unwrap_err();
    let failure = process.vault().record(&account()).await.unwrap().unwrap().failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Permanent(ReconnectReason::Interrupted));
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_refresh_was_broken_off_before_it_was_stored_is_not_lost() {
    let mut world = World::new([Reply::tokens(1)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.with_ended_token().await;
    store.commits_panic.store(true, Ordering::SeqCst);
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::Unavailable);
    store.commits_panic.store(false, Ordering::SeqCst);
    let before = world.clock.now();
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.clock.now(), before, "it waited for its own claim");
    assert!(is_token(&world.process().await.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 1, "the spent token was presented");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_served_already_is_stored_by_whoever_asks_next() {
    for close in [false, true] {
        let mut world = World::new([Reply::tokens(1)]);
        let store = FaultyStore::new(world.store.clone());
        world.store = store.clone();
        let process = world.with_ended_token().await;
        store.commits_fail.store(true, Ordering::SeqCst);
        for _ in 0..2 {
            assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
        }
        store.commits_panic.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(10)).await;
        store.commits_fail.store(false, Ordering::SeqCst);
        store.commits_panic.store(false, Ordering::SeqCst);
        if close {
            process.close(MARGIN).await;
        } else {
            assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert!(is_token(&world.process().await.access_token(&account()).await.unwrap(), 1));
        assert_eq!(world.network.refreshes(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_death_of_a_holder_is_not_forgotten_over_a_refused_registration() {
    let world = World::new([Reply::json(401, r#"{"error":"invalid_client"}"#), Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    let entry = process.vault().load(&account()).await.unwrap().unwrap();
    process.vault().claim(&entry, AttemptId([9; 16]), Duration::from_secs(45)).await.unwrap();
    let _client_rejected = process.access_token(&account()).await.unwrap_err();
    let mended = world.process().await;
    let _reconnect_required = mended.access_token(&account()).await.unwrap_err();
    let failure = mended.vault().record(&account()).await.unwrap().unwrap().failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Permanent(ReconnectReason::Interrupted));
}
