//! What a disconnect does at once, and what it says.

use std::time::Duration;

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::lifecycle::{DisconnectScope, Disconnected};
use loomkin_auth::protocol::revocation::RevocationAnswer;

use crate::faulty_store::FaultyStore;
use crate::support::{MARGIN, Reply, World, account};

/// Why it was not revoked; empty where it was.
fn reason(disconnected: &Disconnected) -> &str {
    match &disconnected.revocation {
        RevocationAnswer::NotRevoked { reason, .. } => reason,
        RevocationAnswer::Revoked => "",
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_revokes_is_settled() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    let ended = process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert_eq!((ended.was_connected, ended.revocation), (true, RevocationAnswer::Revoked));
    assert_eq!(ended.queued_until, None);
    assert!(world.store.revocations(None, 10).await.unwrap().is_empty());
    let again = process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert!(!again.was_connected && again.queued_until.is_none());
    assert_eq!(world.network.seen("/revoke").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_will_never_revoke_does_not_wait() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    world.network.then_to_revocations([Reply::json(400, r#"{"error":"unsupported_token_type"}"#)]);
    let ended = process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert!(reason(&ended).contains("does not revoke tokens of this kind"));
    assert_eq!(ended.queued_until, None);
    assert!(world.store.revocations(None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_local_disconnect_sends_nothing_and_says_that_the_grant_lives_on() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    world.network.hold();
    let refreshing = tokio::spawn({
        let process = process.clone();
        async move { process.access_token(&account()).await.map(drop) }
    });
    world.network.arrived(1).await;
    let ended = process.disconnect(&account(), DisconnectScope::Local).await.unwrap();
    assert!(ended.was_connected && reason(&ended).contains("lives on"));
    assert_eq!(ended.queued_until, None);
    // The answer that meets the tombstone is dropped as well: it is of the grant that is to live on.
    world.network.release();
    assert_eq!(refreshing.await.unwrap().unwrap_err().code(), ErrorCode::NotConnected);
    process.retry_revocations().await.unwrap();
    assert!(world.network.seen("/revoke").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_stop_the_revocation() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    world.network.hold();
    let disconnecting = tokio::spawn({
        let process = process.clone();
        async move { process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap() }
    });
    world.network.arrived(1).await;
    disconnecting.abort();
    assert!(disconnecting.await.unwrap_err().is_cancelled());
    world.network.release();
    process.close(MARGIN).await;
    assert!(world.store.revocations(None, 10).await.unwrap().is_empty(), "the answer was not waited for");
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_of_all_ends_each_and_stops_at_none() {
    let mut world = World::new([]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.process().await;
    let name = |text: &str| text.parse::<AccountKey>().unwrap();
    let theirs = account().for_owner(Owner::new("ada").unwrap());
    for key in [name("github/c"), name("github/a"), name("github/b"), theirs.clone()] {
        world.log_in_to(&process, &key, key.account.as_str()).await.unwrap();
    }
    *store.disconnects_fail_for.lock().unwrap() = Some(name("github/b"));
    world.network.hold();
    let disconnecting = tokio::spawn({
        let process = process.clone();
        async move { process.disconnect_all(&Owner::default(), DisconnectScope::Everywhere).await.unwrap() }
    });
    // Both requests are on their way, and neither is answered: nobody waits for the server of another.
    world.network.arrived(2).await;
    for gone in ["github/a", "github/c"] {
        let error = process.access_token(&name(gone)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotConnected);
    }
    world.network.release();
    let ended = disconnecting.await.unwrap();
    let names: Vec<_> = ended.iter().map(|(account, _)| account.to_string()).collect();
    assert_eq!(names, ["github/a", "github/b", "github/c"]);
    let [(_, a), (_, b), (_, c)] = &ended[..] else { panic!("{} results", ended.len()) };
    for disconnected in [a, c] {
        assert_eq!(disconnected.as_ref().unwrap().revocation, RevocationAnswer::Revoked);
    }
    assert_eq!(b.as_ref().unwrap_err().code(), ErrorCode::StoreFailed);
    process.access_token(&name("github/b")).await.unwrap();
    process.access_token(&theirs).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_said_with_its_end() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    world.network.then_to_revocations([Reply::refused()]);
    let ended = process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert!(reason(&ended).contains("503"));
    let end = world.clock.now().plus(Duration::from_secs(24 * 60 * 60));
    assert_eq!(ended.queued_until, Some(end));
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::NotConnected);
}
