//! Logins that were begun before a disconnect and finish after it.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::{ErrorCode, Result};
use loomkin_auth::lifecycle::{BegunLogin, Connected, DisconnectScope, Lifecycle};
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::secret::Secret;

use crate::support::{Reply, World, account};

/// Finishes `begun` with tokens of its own.
async fn finish(world: &World, process: &Arc<Lifecycle>, begun: &BegunLogin) -> Result<Connected> {
    let mut tokens = TokenSet::new(Secret::new("canary-access-late"), world.clock.now());
    tokens.refresh_token = Some(Secret::new("canary-refresh-late"));
    process.keep_login(begun, &world.server(), tokens, None).await
}

#[tokio::test(start_paused = true)]
async fn a_login_that_finishes_after_a_disconnect_is_closed_and_its_tokens_are_revoked() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    let begun = process.begin_login(&account(), &[]).await.unwrap();
    process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert_eq!(finish(&world, &process, &begun).await.unwrap_err().code(), ErrorCode::LoginClosed);
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::NotConnected);
    let revoked = world.network.seen("/revoke");
    assert!(revoked[1].contains("canary-refresh-late"), "nobody would know of that grant");
    assert!(world.store.revocations(None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_first_login_is_closed_by_another_process_and_its_revocation_waits() {
    let world = World::new([]);
    let (process, other) = (world.process().await, world.process().await);
    let begun = process.begin_login(&account(), &[]).await.unwrap();
    let ended = other.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    assert!(!ended.was_connected, "the login had not come to its end");
    world.network.then_to_revocations([Reply::refused()]);
    assert_eq!(finish(&world, &process, &begun).await.unwrap_err().code(), ErrorCode::LoginClosed);
    tokio::time::advance(Duration::from_secs(1)).await;
    other.retry_revocations().await.unwrap();
    let revoked = world.network.seen("/revoke");
    assert_eq!(revoked.len(), 2);
    assert!(revoked.iter().all(|body| body.contains("canary-refresh-late")));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_begun_after_a_disconnect_is_kept() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    let begun = world.process().await.begin_login(&account(), &[]).await.unwrap();
    finish(&world, &process, &begun).await.unwrap();
    assert!(
        process.access_token(&account()).await.unwrap().secret().matches(&Secret::new("canary-access-late"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_that_a_local_disconnect_closed_sends_nothing() {
    let world = World::new([]);
    let process = world.process().await;
    let begun = process.begin_login(&account(), &[]).await.unwrap();
    process.disconnect(&account(), DisconnectScope::Local).await.unwrap();
    assert_eq!(finish(&world, &process, &begun).await.unwrap_err().code(), ErrorCode::LoginClosed);
    process.retry_revocations().await.unwrap();
    assert!(world.network.seen("/revoke").is_empty());
}
