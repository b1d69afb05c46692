//! What a failed refresh means: for the caller, for the stored connection, and for the next attempt.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::status::ConnectionState;
use loomkin_auth::store::{FailureKind, ReconnectReason};

use crate::support::{LIFETIME, Reply, World, account, is_token};

#[tokio::test(start_paused = true)]
async fn a_server_that_was_away_for_a_moment_is_not_noticed() {
    let world = World::new([Reply::refused(), Reply::refused(), Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    assert_eq!(world.network.refreshes(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_longer_outage_is_said_and_ends_by_itself() {
    let world = World::new(std::iter::repeat_n(Reply::refused(), 50));
    let process = world.with_ended_token().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(error.retry_after().is_some());
    while world.network.refreshes() < 50 {
        let _still_away = process.access_token(&account()).await;
        tokio::time::advance(Duration::from_secs(301)).await;
    }
    world.network.then(Reply::tokens(1));
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_back_off_holds_for_every_process() {
    let wait = HeaderMap::from_iter([(RETRY_AFTER, "120".parse().unwrap())]);
    let world = World::new([Reply::Answer(429, wait, String::new())]);
    let first = world.with_ended_token().await;
    let error = first.access_token(&account()).await.unwrap_err();
    assert!(error.retry_after().unwrap() >= Duration::from_secs(120));
    let error = world.process().await.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(error.retry_after().unwrap() >= Duration::from_secs(119));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn inside_the_margin_an_outage_does_not_reach_the_caller() {
    let world = World::new(std::iter::repeat_n(Reply::refused(), 9));
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME - Duration::from_secs(30)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_grant_is_remembered_for_this_token_until_a_new_login() {
    let world = World::new([Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    for process in [&process, &process, &world.process().await] {
        let error = process.access_token(&account()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ReconnectRequired);
    }
    assert_eq!(world.network.refreshes(), 1);
    let record = process.vault().record(&account()).await.unwrap().unwrap();
    let reason = ReconnectReason::Revoked;
    assert_eq!(
        ConnectionState::derive(&record, world.clock.now()),
        ConnectionState::ReconnectRequired { reason }
    );
    assert!(process.check(&account()).await.is_ok(), "nothing is deleted");

    world.log_in(&process, "1").await.unwrap();
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_lost_answer_is_called_interrupted() {
    let world = World::new([Reply::unknown(), Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReconnectRequired);
    let failure = process.vault().record(&account()).await.unwrap().unwrap().failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Permanent(ReconnectReason::Interrupted));
}

#[tokio::test(start_paused = true)]
async fn what_is_uncertain_stays_so_until_a_clear_answer() {
    let world = World::new([Reply::unknown(), Reply::refused(), Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    let _reconnect_required = process.access_token(&account()).await.unwrap_err();
    let failure = process.vault().record(&account()).await.unwrap().unwrap().failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Permanent(ReconnectReason::Interrupted));
}

#[tokio::test(start_paused = true)]
async fn a_refused_registration_is_asked_about_again_after_five_minutes() {
    let world = World::new([Reply::json(401, r#"{"error":"invalid_client"}"#), Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ClientRejected);
    tokio::time::advance(Duration::from_secs(299)).await;
    assert!(process.access_token(&account()).await.is_err());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(
        is_token(&process.access_token(&account()).await.unwrap(), 1),
        "the server was wrong for a while"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_registration_is_not_asked_about_again_at_once() {
    let world = World::new([Reply::json(401, r#"{"error":"invalid_client"}"#), Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    for _ in 0..3 {
        let error = process.access_token(&account()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClientRejected);
    }
    assert_eq!(world.network.refreshes(), 1);
    let record = process.vault().record(&account()).await.unwrap().unwrap();
    assert!(record.claim.is_none(), "the claim was not given back");
    // A process with a corrected configuration is a new one.
    assert!(is_token(&world.process().await.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_verdict_never_cost_the_connection() {
    let no_verdicts = [
        Reply::json(400, "<h1>Bad Request</h1>"),
        Reply::json(403, ""),
        Reply::json(404, "{}"),
        Reply::json(500, r#"{"error":"server_error"}"#),
        Reply::json(502, "<html>"),
        Reply::json(200, r#"{"access_token": "x", "#),
        Reply::json(200, r#"{"access_token": 5}"#),
        Reply::json(307, ""),
        Reply::unknown(),
    ];
    for reply in no_verdicts {
        let world = World::new([reply]);
        let process = world.with_ended_token().await;
        world.network.then(Reply::tokens(1));
        assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_ended_when_it_arrives_is_the_servers_fault() {
    let ended = |n| {
        let body = format!(r#"{{"access_token":"a{n}","refresh_token":"r{n}","expires_in":0}}"#);
        Reply::json(200, &body)
    };
    let world = World::new([ended(1), Reply::tokens(2)]);
    let process = world.with_ended_token().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ServerMisbehaved);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 2), "the new refresh token was kept");
}

#[tokio::test(start_paused = true)]
async fn without_a_refresh_token_the_end_of_the_access_token_asks_for_a_login() {
    use loomkin_auth::protocol::token_set::TokenSet;
    use loomkin_auth::secret::Secret;

    let world = World::new([]);
    let process = world.process().await;
    let mut tokens = TokenSet::new(Secret::new("canary-access-0"), world.clock.now());
    tokens.expires_at = Some(world.clock.now().plus(LIFETIME));
    let begun = process.begin_login(&account(), &[]).await.unwrap();
    process.keep_login(&begun, &world.server(), tokens, None).await.unwrap();
    tokio::time::advance(LIFETIME - Duration::from_secs(1)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0), "good inside the margin");
    tokio::time::advance(Duration::from_secs(1)).await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReconnectRequired);
}

#[tokio::test(start_paused = true)]
async fn a_back_off_ends_when_the_clock_is_put_right() {
    let wait = HeaderMap::from_iter([(RETRY_AFTER, "120".parse().unwrap())]);
    let world = World::new([Reply::Answer(429, wait, String::new()), Reply::tokens(1)]);
    let process = world.process().await;
    world.clock.set_back(LIFETIME);
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME + LIFETIME).await;
    let _busy = process.access_token(&account()).await.unwrap_err();
    world.clock.set_back(LIFETIME);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_forgiving_provider_is_asked_again_at_once() {
    let world = World { preset: Some("google"), ..World::new([Reply::unknown(), Reply::tokens(1)]) };
    let process = world.with_ended_token().await;
    let before = world.clock.now();
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
    assert_eq!((world.clock.now(), world.network.refreshes()), (before, 2));
}

#[tokio::test(start_paused = true)]
async fn not_even_a_forgiving_provider_is_asked_again_when_the_lease_would_end_first() {
    let late = Reply::After(loomkin_auth::http::TIMEOUT, Box::new(Reply::unknown()));
    let world = World { preset: Some("google"), ..World::new([late, Reply::tokens(1)]) };
    let process = world.with_ended_token().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!((error.code(), world.network.refreshes()), (ErrorCode::Unavailable, 1));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_put_back_makes_no_lease_longer() {
    let late = Reply::After(loomkin_auth::http::TIMEOUT, Box::new(Reply::unknown()));
    let world = World { preset: Some("google"), ..World::new([late, Reply::tokens(1)]) };
    let process = world.with_ended_token().await;
    let asking = tokio::spawn(async move { process.access_token(&account()).await });
    world.network.arrived(1).await;
    world.clock.set_back(Duration::from_secs(60));
    let _whatever_it_is_told = asking.await.unwrap();
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_registration_is_asked_about_again_for_a_newer_login() {
    let world = World::new([Reply::json(401, r#"{"error":"invalid_client"}"#), Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let _client_rejected = process.access_token(&account()).await.unwrap_err();
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn inside_the_margin_a_lost_answer_is_not_asked_for_again_at_once() {
    let world = World::new([Reply::unknown()]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME - Duration::from_secs(30)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 0));
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn inside_the_margin_a_revoked_grant_is_said_at_once() {
    let world = World::new([Reply::invalid_grant()]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(LIFETIME - Duration::from_secs(30)).await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReconnectRequired);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_shortens_its_tokens_to_a_second_is_asked_once_for_each_of_them() {
    let short = |n| {
        let body = format!(
            r#"{{"access_token":"canary-access-{n}","refresh_token":"canary-refresh-{n}","expires_in":1}}"#
        );
        Reply::json(200, &body)
    };
    let world = World::new([short(1), short(2), short(3)]);
    let process = world.with_ended_token().await;
    for n in 1..=3 {
        for _ in 0..10 {
            assert!(is_token(&process.access_token(&account()).await.unwrap(), n));
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(world.network.refreshes(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_an_unknown_outcome_and_ends_before_the_lease() {
    // The provider would answer after 40 seconds; the network gives up after 30.
    let late = Reply::After(loomkin_auth::http::TIMEOUT, Box::new(Reply::unknown()));
    let world = World::new([late, Reply::tokens(1)]);
    let process = world.with_ended_token().await;
    let _unavailable = process.access_token(&account()).await.unwrap_err();
    let record = process.vault().record(&account()).await.unwrap().unwrap();
    assert_eq!(record.failure.unwrap().kind, FailureKind::Unknown);
    assert!(record.claim.is_none(), "its holder gave the claim back itself");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1), "a server that had not acted");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_gives_up_after_the_provider_has_rotated_costs_the_account_and_is_named() {
    let world = World::new([Reply::json(504, "<html>"), Reply::invalid_grant()]);
    let process = world.with_ended_token().await;
    let error = process.access_token(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReconnectRequired);
    let failure = process.vault().record(&account()).await.unwrap().unwrap().failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Permanent(ReconnectReason::Interrupted));
}
