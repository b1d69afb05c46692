//! Revocations that could not be sent at once.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use loomkin_auth::account::AccountKey;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::lifecycle::{DisconnectScope, Disconnected, Lifecycle};
use loomkin_auth::protocol::revocation::RevocationAnswer;
use tokio::task::JoinHandle;

use crate::faulty_store::FaultyStore;
use crate::support::{Reply, World, account, is_token};

const LEASE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// Connects and disconnects while the server answers 503.
async fn put_off(world: &World, process: &Arc<Lifecycle>, account: &AccountKey) {
    world.log_in_to(process, account, account.account.as_str()).await.unwrap();
    world.network.then_to_revocations([Reply::refused()]);
    let ended = process.disconnect(account, DisconnectScope::Everywhere).await.unwrap();
    assert!(ended.queued_until.is_some());
}

async fn is_queue_empty(world: &World) -> bool {
    world.store.revocations(None, 10).await.unwrap().is_empty()
}

/// A process that stands still between its tombstone and its request, and the store that it stands before.
async fn stopped(world: &World) -> (Arc<FaultyStore>, JoinHandle<Disconnected>) {
    let store = FaultyStore::new(world.store.clone());
    let process = World { store: store.clone(), ..world.clone() }.process().await;
    world.log_in(&process, "1").await.unwrap();
    store.takes.send_replace(false);
    let disconnecting =
        tokio::spawn(
            async move { process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap() },
        );
    store.takers.subscribe().wait_for(|takers| *takers == 1).await.unwrap();
    (store, disconnecting)
}

#[tokio::test(start_paused = true)]
async fn another_process_sends_what_a_server_that_was_away_did_not_hear() {
    let world = World::new([]);
    put_off(&world, &world.process().await, &account()).await;
    tokio::time::advance(SECOND).await;
    let other = world.process().await;
    other.retry_revocations().await.unwrap();
    let revoked = world.network.seen("/revoke");
    assert_eq!(revoked.len(), 2);
    assert!(revoked[1].contains("canary-refresh-0"));
    assert!(is_queue_empty(&world).await);
    other.retry_revocations().await.unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_a_server_asks_for_is_kept() {
    let world = World::new([]);
    let process = world.process().await;
    put_off(&world, &process, &account()).await;
    let headers = HeaderMap::from_iter([(RETRY_AFTER, "600".parse().unwrap())]);
    world.network.then_to_revocations([Reply::Answer(429, headers, String::new())]);
    tokio::time::advance(SECOND).await;
    process.retry_revocations().await.unwrap();
    tokio::time::advance(Duration::from_secs(599)).await;
    process.retry_revocations().await.unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 2, "the server asked for ten minutes");
    tokio::time::advance(Duration::from_secs(2)).await;
    process.retry_revocations().await.unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 3);
    assert!(is_queue_empty(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_after_its_tombstone_loses_no_revocation() {
    let world = World::new([]);
    let (store, disconnecting) = stopped(&world).await;
    let other = world.process().await;
    assert_eq!(other.access_token(&account()).await.unwrap_err().code(), ErrorCode::NotConnected);
    tokio::time::advance(LEASE - SECOND).await;
    other.retry_revocations().await.unwrap();
    assert!(world.network.seen("/revoke").is_empty(), "the first try is the other's");
    tokio::time::advance(SECOND).await;
    other.retry_revocations().await.unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 1);

    // It was not dead after all.
    store.takes.send_replace(true);
    let ended = disconnecting.await.unwrap();
    assert!(
        matches!(&ended.revocation, RevocationAnswer::NotRevoked { reason, .. } if reason.contains("another process"))
    );
    assert_eq!(ended.queued_until, None);
    assert_eq!(world.network.seen("/revoke").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_login_cancels_a_revocation_that_is_about_to_be_sent() {
    let world = World::new([]);
    let (store, disconnecting) = stopped(&world).await;
    let other = world.process().await;
    world.log_in(&other, "1").await.unwrap();
    store.takes.send_replace(true);
    let ended = disconnecting.await.unwrap();
    assert!(
        matches!(&ended.revocation, RevocationAnswer::NotRevoked { reason, .. } if reason.contains("new login"))
    );
    assert_eq!((ended.was_connected, ended.queued_until), (true, None));
    tokio::time::advance(LEASE).await;
    other.retry_revocations().await.unwrap();
    assert!(world.network.seen("/revoke").is_empty(), "it could have ended the new grant");
    assert!(is_token(&other.access_token(&account()).await.unwrap(), 0));
}

#[tokio::test(start_paused = true)]
async fn two_processes_that_retry_at_once_send_one_request() {
    let world = World::new([]);
    let (one, two) = (world.process().await, world.process().await);
    put_off(&world, &one, &account()).await;
    tokio::time::advance(SECOND).await;
    world.network.hold();
    let retrying = tokio::spawn(async move { one.retry_revocations().await });
    world.network.arrived(2).await;
    two.retry_revocations().await.unwrap();
    world.network.release();
    retrying.await.unwrap().unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 2);
    assert!(is_queue_empty(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_broken_off_is_made_again() {
    let world = World::new([]);
    let process = world.process().await;
    put_off(&world, &process, &account()).await;
    tokio::time::advance(SECOND).await;
    world.network.hold();
    tokio::select! {
        _ = process.retry_revocations() => panic!("nobody answered"),
        () = world.network.arrived(2) => {}
    }
    world.network.release();
    process.retry_revocations().await.unwrap();
    assert!(!is_queue_empty(&world).await, "the lease still runs");
    tokio::time::advance(LEASE).await;
    process.retry_revocations().await.unwrap();
    assert!(is_queue_empty(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_is_asked_once_a_look() {
    let world = World::new([]);
    let process = world.process().await;
    for name in ["github/a", "github/b", "github/c"] {
        put_off(&world, &process, &name.parse().unwrap()).await;
    }
    tokio::time::advance(SECOND).await;
    world.network.then_to_revocations([Reply::unknown()]);
    process.retry_revocations().await.unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 3 + 1);
    tokio::time::advance(2 * SECOND).await;
    process.retry_revocations().await.unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 4 + 3);
    assert!(is_queue_empty(&world).await);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_meets_a_disconnect_waits_when_its_revocation_fails() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    world.network.then_to_revocations([Reply::refused(), Reply::refused()]);
    world.network.hold();
    let refreshing = tokio::spawn({
        let process = process.clone();
        async move { process.access_token(&account()).await.map(drop) }
    });
    world.network.arrived(1).await;
    let ended = tokio::spawn({
        let process = process.clone();
        async move { process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap() }
    });
    world.network.arrived(2).await;
    world.network.release();
    assert!(ended.await.unwrap().queued_until.is_some());
    assert_eq!(refreshing.await.unwrap().unwrap_err().code(), ErrorCode::NotConnected);

    tokio::time::advance(2 * SECOND).await;
    world.process().await.retry_revocations().await.unwrap();
    let revoked = world.network.seen("/revoke");
    assert_eq!(revoked.len(), 3);
    assert!(revoked[2].contains("canary-refresh-1"), "the newest tokens are the ones that work");
    assert!(is_queue_empty(&world).await);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_meets_a_disconnect_and_a_newer_login_is_not_revoked() {
    let world = World::new([Reply::tokens(1)]);
    let mut stalled = world.clone();
    let store = FaultyStore::new(world.store.clone());
    stalled.store = store.clone();
    let (process, other) = (stalled.with_ended_token().await, world.process().await);
    store.queues.send_replace(false);
    world.network.hold();
    let refreshing = tokio::spawn({
        let process = process.clone();
        async move { process.access_token(&account()).await.map(drop) }
    });
    world.network.arrived(1).await;
    let disconnecting = tokio::spawn({
        let other = other.clone();
        async move { other.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap() }
    });
    world.network.arrived(2).await;
    world.network.release();
    assert!(disconnecting.await.unwrap().was_connected);
    // The answer has met the tombstone; before it is queued, somebody has logged in.
    store.queuers.subscribe().wait_for(|queuers| *queuers == 1).await.unwrap();
    world.log_in(&other, "1").await.unwrap();
    store.queues.send_replace(true);
    assert_eq!(refreshing.await.unwrap().unwrap_err().code(), ErrorCode::NotConnected);
    let revoked = world.network.seen("/revoke");
    assert_eq!(revoked.len(), 1, "the second could have ended the newer grant");
    assert!(revoked[0].contains("canary-refresh-0"));
}

#[tokio::test(start_paused = true)]
async fn what_another_configuration_connected_is_left_to_that() {
    let world = World::new([]);
    let theirs = world.process().await;
    world.log_in(&theirs, "1").await.unwrap();
    let checkout = World { token_host: "idp.attacker.example", ..world.clone() }.process().await;
    let ended = checkout.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert!(
        matches!(&ended.revocation, RevocationAnswer::NotRevoked { reason, .. } if reason.contains("another"))
    );
    assert!(ended.queued_until.is_some(), "somebody else may still send it");
    checkout.retry_revocations().await.unwrap();
    assert!(world.network.seen("/revoke").is_empty(), "a checkout takes no tokens");
    theirs.retry_revocations().await.unwrap();
    assert_eq!(world.network.seen("/revoke").len(), 1, "and the right one need not wait");
    assert!(is_queue_empty(&world).await);
}

#[tokio::test(start_paused = true)]
async fn after_a_day_a_revocation_is_given_up_aloud() {
    let world = World::new([]);
    put_off(&world, &world.process().await, &account()).await;
    tokio::time::advance(Duration::from_secs(24 * 60 * 60)).await;
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || lines.clone()).finish();
    let checkout = World { token_host: "elsewhere.example", ..world.clone() }.process().await;
    {
        let _listening = tracing::subscriber::set_default(subscriber);
        checkout.retry_revocations().await.unwrap();
    }
    assert!(is_queue_empty(&world).await, "whoever looks, and whosever it was");
    assert_eq!(world.network.seen("/revoke").len(), 1);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("WARN") && log.contains("given up") && log.contains("github"), "{log}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
