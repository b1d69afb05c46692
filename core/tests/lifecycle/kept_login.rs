//! What a login may replace.

use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::lifecycle::DisconnectScope;
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::secret::Secret;

use crate::support::{World, account, is_token};

#[tokio::test(start_paused = true)]
async fn another_account_than_the_stored_one_is_refused_and_nothing_is_lost() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    let error = world.log_in(&process, "2").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccountMismatch);
    assert!(world.network.seen("/revoke")[0].contains("canary-refresh-0"));
    let token = process.access_token(&account()).await.unwrap();
    assert!(token.secret().matches(&Secret::new("canary-access-0")));
}

#[tokio::test(start_paused = true)]
async fn a_login_of_nobody_knows_whom_is_refused_and_not_revoked() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    let tokens = TokenSet::new(Secret::new("canary-access-9"), world.clock.now());
    let begun = process.begin_login(&account(), &[]).await.unwrap();
    let error = process.keep_login(&begun, &world.server(), tokens, None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccountMismatch);
    // It may be the stored account after all, and some servers would end that grant too.
    assert!(world.network.seen("/revoke").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_login_at_another_server_replaces_the_connection_and_says_what_was_not_revoked() {
    let world = World::new([]);
    let before = world.log_in(&world.process().await, "1").await.unwrap();
    assert_eq!(before.note, None);
    let moved = World { token_host: "id.example.org", ..world.clone() };
    let process = moved.process().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotConnected);
    // Ids of one server mean nothing at another.
    for id in ["2", "1"] {
        world.log_in(&world.process().await, "1").await.unwrap();
        let connected = moved.log_in(&process, id).await.unwrap();
        assert!(connected.note.is_some_and(|note| note.contains("not revoked")));
        assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
        process.disconnect(&account(), DisconnectScope::Everywhere).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn another_way_to_the_same_server_is_no_reason_to_replace_an_account() {
    let world = World::new([]);
    world.log_in(&world.process().await, "1").await.unwrap();
    let elsewhere = World { base_url: Some("https://api.example.org"), ..world.clone() };
    let process = elsewhere.process().await;
    assert_eq!(process.access_token(&account()).await.unwrap_err().code(), ErrorCode::NotConnected);
    let error = elsewhere.log_in(&process, "2").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccountMismatch);
}
