//! Machines that are suspended, and clocks that are put right.

use std::time::Duration;

use loomkin_auth::error::ErrorCode;
use loomkin_auth::store::{AttemptId, FailureKind, ReconnectReason};

use crate::support::{LIFETIME, MARGIN, Reply, World, account, is_token};

/// As refreshes ask for it.
const LEASE: Duration = Duration::from_secs(45);

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_during_a_suspend_is_stored_and_followed_by_a_newer_one() {
    let world = World::new([Reply::tokens(1), Reply::tokens(2)]);
    let process = world.with_ended_token().await;
    let other = world.process().await;
    world.network.hold();
    let callers = [&process, &other].map(|process| {
        let process = process.clone();
        tokio::spawn(async move { process.access_token(&account()).await })
    });
    world.network.arrived(1).await;
    // The lease is over by then, and so is the life of the token that comes; the other process only waits.
    world.clock.suspend(8 * LIFETIME);
    world.network.release();
    for caller in callers {
        assert!(is_token(&caller.await.unwrap().unwrap(), 2), "it is nobody's fault");
    }
    let presented = world.network.seen("/token");
    assert_eq!(presented.len(), 2);
    assert!(presented[1].contains("canary-refresh-1"), "the first answer was lost");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_always_end_on_their_way_are_the_servers_fault() {
    let brief = r#"{"access_token":"canary-access-1","expires_in":1}"#;
    let slow = Reply::After(Duration::from_secs(2), Box::new(Reply::json(200, brief)));
    let world = World::new(std::iter::repeat_n(slow, 3));
    let process = world.with_ended_token().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!((error.code(), world.network.refreshes()), (ErrorCode::ServerMisbehaved, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_from_before_the_clock_was_put_back_is_served_and_renewed_in_the_background() {
    let world = World::new([Reply::unknown(), Reply::tokens(1)]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    world.clock.set_back(1000 * LIFETIME);
    // It seems to be good for weeks; a repeat is risked, because nobody knows when it really ends.
    for served in [0, 0, 1] {
        assert!(is_token(&process.access_token(&account()).await.unwrap(), served));
        process.close(MARGIN).await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_back_off_from_before_the_clock_was_put_back_holds_up_no_renewal_ahead() {
    let world = World::new([Reply::refused(), Reply::tokens(1)]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME - Duration::from_secs(200)).await;
    process.access_token(&account()).await.unwrap();
    process.close(MARGIN).await;
    // Not so far that the token would seem to come from another time.
    world.clock.set_back(Duration::from_secs(10));
    tokio::time::advance(Duration::from_secs(9)).await;
    for served in [0, 1] {
        assert!(is_token(&process.access_token(&account()).await.unwrap(), served));
        process.close(MARGIN).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_registration_is_not_believed_for_longer_because_the_clock_was_put_back() {
    let world = World::new([Reply::json(401, r#"{"error":"invalid_client"}"#), Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    tokio::time::advance(LIFETIME).await;
    let _client_rejected = process.access_token(&account()).await.unwrap_err();
    world.clock.set_back(Duration::from_secs(600));
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn the_claim_of_a_dead_holder_does_not_last_for_as_long_as_the_clock_was_put_back() {
    let world = World::new([Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    tokio::time::advance(LIFETIME).await;
    let entry = process.vault().load(&account()).await.unwrap().unwrap();
    process.vault().claim(&entry, AttemptId([9; 16]), LEASE).await.unwrap();
    world.clock.set_back(LIFETIME / 2);
    tokio::time::timeout(LEASE - Duration::from_secs(1), process.access_token(&account())).await.unwrap_err();
    assert_eq!(world.network.refreshes(), 0, "its holder may be alive");
    let asked = tokio::time::timeout(2 * LEASE, process.access_token(&account())).await.unwrap();
    assert_eq!(asked.unwrap_err().code(), ErrorCode::ReconnectRequired);
    let failure = process.vault().record(&account()).await.unwrap().unwrap().failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Permanent(ReconnectReason::Interrupted));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_patient_for_as_long_as_the_clock_was_put_back() {
    let world = World::new(std::iter::repeat_n(Reply::refused(), 1000));
    let process = world.with_ended_token().await;
    tokio::time::advance(LIFETIME).await;
    let caller = world.asking(&process).await;
    world.clock.set_back(Duration::from_secs(600));
    world.network.release();
    assert_eq!(caller.await.unwrap().unwrap_err().code(), ErrorCode::Unavailable);
    assert_eq!(world.network.refreshes(), 1);
}
