//! Events: what listeners hear, and that they disturb nobody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use loomkin_auth::account::Owner;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::lifecycle::Subscription;
use loomkin_auth::store::{Event, EventCursor, EventKind, FailureKind, ReconnectReason};
use tokio::task::JoinSet;

use crate::faulty_store::FaultyStore;
use crate::support::{LIFETIME, Reply, World, account, is_token};
use loomkin_auth::lifecycle::DisconnectScope;

const NOT_ANSWERED: EventKind = EventKind::Disconnected { revoked: None };
const REVOKED: EventKind = EventKind::Disconnected { revoked: Some(true) };

/// What `listener` hears next.
async fn hears<const N: usize>(listener: &mut Subscription) -> [EventKind; N] {
    let mut kinds = [EventKind::Missed; N];
    for kind in &mut kinds {
        *kind = next(listener).await.kind;
    }
    kinds
}

/// The next event. Where none comes, a clock that nobody waits for is soon at the end of this patience.
async fn next(listener: &mut Subscription) -> Event {
    tokio::time::timeout(LIFETIME, listener.next()).await.expect("nothing is heard").unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_process_hears_of_a_connections_whole_life() {
    let world = World::new([Reply::tokens(1)]);
    let (process, other) = (world.process().await, world.process().await);
    let mut own = process.subscribe(None).await.unwrap();
    let mut from_afar = other.subscribe(Some(&Owner::default())).await.unwrap();

    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME).await;
    process.access_token(&account()).await.unwrap();
    process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();

    let life = [
        (EventKind::Connected, Some(account())),
        (EventKind::ActiveChanged, Some(account())),
        (EventKind::Refreshed, Some(account())),
        (NOT_ANSWERED, Some(account())),
        (EventKind::ActiveChanged, None),
        (REVOKED, Some(account())),
    ];
    for listener in [&mut own, &mut from_afar] {
        for (kind, account) in &life {
            let event = next(listener).await;
            assert_eq!((&event.kind, &event.account), (kind, account));
            assert_eq!(event.owner, Some(Owner::default()));
            let text = format!("{event:?} {:?}", event.kind.detail());
            assert!(!text.contains("canary") && !text.contains("ada"), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_before_the_server_has_answered_a_revocation_is_heard_at_once() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    let mut listener = process.subscribe(None).await.unwrap();
    world.network.hold();
    let ending = tokio::spawn({
        let process = Arc::clone(&process);
        async move { process.disconnect(&account(), DisconnectScope::Everywhere).await }
    });
    assert_eq!(hears(&mut listener).await, [NOT_ANSWERED, EventKind::ActiveChanged]);
    world.network.release();
    assert_eq!(hears(&mut listener).await, [REVOKED]);
    ending.await.unwrap().unwrap();
    assert!(!process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap().was_connected);
    world.log_in(&process, "1").await.unwrap();
    assert_eq!(hears(&mut listener).await, [EventKind::Connected], "what was not connected makes no event");
}

#[tokio::test(start_paused = true)]
async fn every_failed_attempt_says_when_the_next_is_allowed() {
    let world = World::new([Reply::refused(), Reply::unknown()]);
    let process = world.with_ended_token().await;
    let mut listener = process.subscribe(None).await.unwrap();
    for kind in [FailureKind::Refused, FailureKind::Unknown] {
        let asking = tokio::spawn({
            let process = Arc::clone(&process);
            async move { process.access_token(&account()).await }
        });
        let event = next(&mut listener).await;
        let EventKind::RefreshFailed { kind: told, next_attempt_at } = event.kind else {
            panic!("{event:?}")
        };
        let failure = world.store.load(&account()).await.unwrap().unwrap().failure.unwrap();
        assert_eq!((told, next_attempt_at), (kind, failure.next_attempt_at));
        // Full jitter may mean at once.
        assert!(next_attempt_at.unwrap() >= event.at);
        // The caller may be waiting for the next attempt, which the script does not have yet.
        asking.abort();
        tokio::time::advance(Duration::from_secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_hear_once_that_the_account_must_be_connected_again() {
    let world = World::new([Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    let mut listener = process.subscribe(None).await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let process = Arc::clone(&process);
        callers.spawn(async move { process.access_token(&account()).await.unwrap_err().code() });
    }
    let codes = callers.join_all().await;
    assert!(codes.iter().all(|code| *code == ErrorCode::ReconnectRequired));
    // Whatever else there was would come before this.
    process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    let reason = ReconnectReason::Revoked;
    assert_eq!(hears(&mut listener).await, [EventKind::ReconnectRequired { reason }, NOT_ANSWERED]);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_does_not_listen_keeps_nobody_waiting_and_is_told_what_it_missed() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let mut deaf = process.subscribe(None).await.unwrap();
    let mut listener = process.subscribe(None).await.unwrap();
    // Twice what a queue could hold, in portions that the feed can read.
    let portion = EventCursor::REACH / 2;
    for _ in 0..4 {
        for _ in 0..portion {
            process.vault().record_event(&account(), REVOKED).await.unwrap();
        }
        for _ in 0..portion {
            assert_eq!(hears(&mut listener).await, [REVOKED]);
        }
    }

    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));

    assert_eq!(hears(&mut listener).await, [EventKind::Refreshed]);
    assert_eq!(hears(&mut deaf).await, [EventKind::Missed]);
    let mut latest = next(&mut deaf).await;
    while latest.kind == REVOKED {
        latest = next(&mut deaf).await;
    }
    assert_eq!(latest.kind, EventKind::Refreshed, "it goes on with what is still there");
}

#[tokio::test(start_paused = true)]
async fn what_this_process_does_is_heard_before_the_next_look() {
    let world = World::new([]);
    let process = world.process().await;
    let mut listener = process.subscribe(None).await.unwrap();
    let began = tokio::time::Instant::now();
    world.log_in(&process, "1").await.unwrap();
    assert_eq!(hears(&mut listener).await, [EventKind::Connected, EventKind::ActiveChanged]);
    process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert_eq!(hears(&mut listener).await, [NOT_ANSWERED, EventKind::ActiveChanged, REVOKED]);
    assert_eq!(began.elapsed(), Duration::ZERO, "nothing waited for this clock");
}

#[tokio::test(start_paused = true)]
async fn an_owner_hears_of_nobody_else() {
    let world = World::new([]);
    let process = world.process().await;
    let ada = Owner::new("ada").unwrap();
    let (hers, mine) = (account().for_owner(ada.clone()), account());
    for (account, id) in [(&mine, "1"), (&hers, "2")] {
        world.log_in_to(&process, account, id).await.unwrap();
    }
    process.vault().select(&ada, None).await.unwrap();
    let mut listener = process.subscribe(Some(&ada)).await.unwrap();
    for account in [&mine, &hers] {
        process.vault().record_event(account, EventKind::Refreshed).await.unwrap();
    }
    for account in [&hers, &mine] {
        process.vault().select(&account.owner, Some(account)).await.unwrap();
    }
    process.vault().select(&ada, None).await.unwrap();
    let heard = [next(&mut listener).await, next(&mut listener).await, next(&mut listener).await];
    assert!(heard.iter().all(|event| event.owner.as_ref() == Some(&ada)), "{heard:?}");
    assert_eq!(heard.map(|event| event.account), [Some(hers.clone()), Some(hers), None]);
}

#[tokio::test(start_paused = true)]
async fn what_happened_while_the_store_could_not_be_reached_is_told_afterwards() {
    let mut world = World::new([]);
    let store = FaultyStore::new(world.store.clone());
    let elsewhere = world.process().await;
    world.store = store.clone();
    let process = world.process().await;
    let mut listener = process.subscribe(None).await.unwrap();
    store.is_away.store(true, Ordering::SeqCst);
    world.log_in(&elsewhere, "1").await.unwrap();
    let early = tokio::time::timeout(Duration::from_secs(100), listener.next()).await;
    assert!(early.is_err(), "{early:?}");
    store.is_away.store(false, Ordering::SeqCst);
    assert_eq!(hears(&mut listener).await, [EventKind::Connected, EventKind::ActiveChanged]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_written_while_the_log_is_read_is_heard_too() {
    let mut world = World::new([]);
    let store = FaultyStore::new(world.store.clone());
    let elsewhere = world.process().await;
    world.store = store.clone();
    let mut listener = world.process().await.subscribe(None).await.unwrap();
    store.one_more_while_reading.store(true, Ordering::SeqCst);
    elsewhere.vault().record_event(&account(), REVOKED).await.unwrap();
    assert_eq!(hears(&mut listener).await, [REVOKED, EventKind::Refreshed]);
}

#[tokio::test(start_paused = true)]
async fn the_store_is_looked_at_while_somebody_listens_and_not_longer() {
    let mut world = World::new([]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.process().await;
    let looks_in_a_second = async || {
        let before = store.looks.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.looks.load(Ordering::SeqCst) - before
    };
    assert_eq!(looks_in_a_second().await, 0);
    let first = process.subscribe(None).await.unwrap();
    let for_one = looks_in_a_second().await;
    assert!(for_one > 0);
    let mut second = process.subscribe(None).await.unwrap();
    assert!(looks_in_a_second().await <= for_one + 1, "one task looks for all of them");
    drop(first);
    process.vault().record_event(&account(), EventKind::Refreshed).await.unwrap();
    assert_eq!(hears(&mut second).await, [EventKind::Refreshed]);
    drop(second);
    assert_eq!(looks_in_a_second().await, 0);
    let mut third = process.subscribe(None).await.unwrap();
    process.vault().record_event(&account(), REVOKED).await.unwrap();
    assert_eq!(hears(&mut third).await, [REVOKED], "nothing from before it listened");
}

#[test]
fn a_listener_hears_the_end_of_the_runtime_and_the_next_one_starts_anew() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let first = runtime();
    let (process, mut listener) = first.block_on(async {
        let process = World::new([]).process().await;
        let listener = process.subscribe(None).await.unwrap();
        (process, listener)
    });
    drop(first);
    runtime().block_on(async {
        let end = tokio::time::timeout(LIFETIME, listener.next()).await;
        assert_eq!(end.expect("the end is not heard"), None);
        let mut listener = process.subscribe(None).await.unwrap();
        process.vault().record_event(&account(), REVOKED).await.unwrap();
        assert_eq!(hears(&mut listener).await, [REVOKED]);
    });
}
