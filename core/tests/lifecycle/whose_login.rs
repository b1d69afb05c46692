//! Logins of which it cannot be told at once whose they are, or which cannot be stored at once.

use std::sync::atomic::Ordering;

use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::{ErrorCode, Result};
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::secret::Secret;

use crate::faulty_store::FaultyStore;
use crate::support::{Reply, World, account, is_token};

/// Brings the tokens of a login, whosever they are, with this ID token.
async fn bring(world: &World, id_token: Option<&str>) -> Result<Connected> {
    let process = world.process().await;
    let mut tokens = TokenSet::new(Secret::new("canary-access-9"), world.clock.now());
    tokens.id_token = id_token.map(Secret::new);
    let begun = process.begin_login(&account(), &[]).await.unwrap();
    process.keep_checked(&begun, &world.server(), tokens, None).await
}

fn user(id: u32) -> Reply {
    Reply::json(200, &format!(r#"{{"sub":"{id}","preferred_username":"ada"}}"#))
}

#[tokio::test(start_paused = true)]
async fn a_hiccup_of_the_user_endpoint_costs_no_login() {
    for hiccup in [Reply::refused(), Reply::json(429, ""), Reply::unknown()] {
        let world = World::new([hiccup.clone(), user(1), hiccup, user(2)]);
        world.log_in(&world.process().await, "1").await.unwrap();
        assert_eq!(bring(&world, None).await.unwrap().account_id.as_deref(), Some("1"));
        assert_eq!(bring(&world, None).await.unwrap_err().code(), ErrorCode::AccountMismatch);
        assert_eq!(world.network.seen("/user").len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_user_endpoint_makes_nobody_another_account() {
    let world = World::new([Reply::refused(), Reply::refused()]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    let error = bring(&world, None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(error.advice().contains("Connect again"), "{}", error.advice());
    assert!(world.network.seen("/revoke").is_empty(), "it may be the stored account's grant");
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_first_login_needs_no_name() {
    let world = World::new([Reply::refused(), Reply::refused(), Reply::json(404, "")]);
    for _ in 0..2 {
        assert_eq!(bring(&world, None).await.unwrap().account_id, None);
    }
    assert_eq!(world.network.seen("/user").len(), 3, "what is no outage is not asked again");
}

#[tokio::test(start_paused = true)]
async fn tokens_beside_a_bad_id_token_are_revoked_unless_they_may_be_those_of_a_stored_account() {
    let metadata = Reply::json(
        200,
        r#"{"issuer":"https://idp.example.com","authorization_endpoint":"https://idp.example.com/authorize",
            "token_endpoint":"https://idp.example.com/token","revocation_endpoint":"https://idp.example.com/revoke"}"#,
    );
    let world = World { discovers: true, ..World::new([metadata.clone(), metadata]) };
    let error = bring(&world, Some("not-a-token")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ServerMisbehaved);
    let revoked = world.network.seen("/revoke");
    assert!(revoked.len() == 1 && revoked[0].contains("canary-access-9"));
    // Of another account of the same owner: some servers end all of a person's grants at once.
    let process = world.process().await;
    world.log_in_to(&process, &"github/other".parse().unwrap(), "1").await.unwrap();
    let error = bring(&world, Some("not-a-token")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ServerMisbehaved);
    assert_eq!(world.network.seen("/revoke").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_is_stored_as_soon_as_the_store_takes_it() {
    let mut world = World::new([]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.process().await;
    store.connects_fail.store(4, Ordering::SeqCst);
    world.log_in(&process, "1").await.unwrap();
    assert_eq!(store.connects.load(Ordering::SeqCst), 5);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    store.connects_fail.store(5, Ordering::SeqCst);
    assert_eq!(world.log_in(&process, "1").await.unwrap_err().code(), ErrorCode::StoreFailed);
    assert_eq!(store.connects.load(Ordering::SeqCst), 10, "and not for ever");
}

/// What the first attempt has stored may have been renewed by then, and its refresh token be spent.
#[tokio::test(start_paused = true)]
async fn a_login_that_was_stored_without_an_answer_is_not_stored_again() {
    let mut world = World::new([]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.process().await;
    store.connect_answers_lost.store(1, Ordering::SeqCst);
    world.log_in(&process, "1").await.unwrap();
    assert_eq!(store.connects.load(Ordering::SeqCst), 1);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
}
