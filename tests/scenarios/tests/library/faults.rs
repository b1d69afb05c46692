//! A token endpoint that lies in every way the dev-provider can: what the caller sees while it does, and what has
//! become of the account when it stops.
//!
//! The server rotates strictly, so that an account whose token it has spent unheard is lost; every other account must
//! recover. Nothing is ever deleted.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::status::ConnectionState;
use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{App, Dev, MovedClock};
use serde_json::json;
use tokio::task::JoinSet;

/// During the fault, and after it.
type Outcome = (String, String);

/// Nobody acted on the request, and the account recovers.
const UNREAD: (&str, &str) = ("unavailable", "token");
/// The server spent the token, and the answer cannot be read.
const LOST: (&str, &str) = ("unavailable", "reconnect_required (interrupted)");
/// As `LOST`; the server's second answer is a clear one, and says so while the fault is still there.
const LOST_AT_ONCE: (&str, &str) = ("reconnect_required (interrupted)", "reconnect_required (interrupted)");
/// Odd, but understood.
const UNDERSTOOD: (&str, &str) = ("token", "token");

#[tokio::test]
async fn a_fault_before_the_server_acts_costs_nothing_but_time() {
    let retry = |status| Fault::RetryAfterSeconds { status, seconds: 30 };
    let date = |status| Fault::RetryAfterDate { status, seconds: 30 };
    let oauth = |error: &str, status| Fault::OAuthError { error: error.into(), status };
    check([
        (Fault::Hang, UNREAD),
        (Fault::ResetBeforeProcessing, UNREAD),
        (Fault::HtmlError { status: 500 }, UNREAD),
        (Fault::HtmlError { status: 502 }, UNREAD),
        (Fault::HtmlError { status: 504 }, UNREAD),
        (Fault::RefusalWithoutError { status: 400 }, UNREAD),
        (Fault::RefusalWithoutError { status: 403 }, UNREAD),
        (Fault::RefusalWithoutError { status: 404 }, UNREAD),
        (retry(429), UNREAD),
        (retry(503), UNREAD),
        (date(429), UNREAD),
        (date(503), UNREAD),
        (oauth("temporarily_unavailable", 400), UNREAD),
        (oauth("server_error", 500), UNREAD),
        (oauth("an_error_that_nobody_knows", 400), UNREAD),
        (Fault::ErrorWithOk { error: "server_error".into() }, UNREAD),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_of_the_client_is_said_and_ends_with_the_refusal() {
    let rejected = ("client_rejected", "token");
    check([
        (Fault::invalid_client(), rejected),
        (Fault::OAuthError { error: "unauthorized_client".into(), status: 400 }, rejected),
        (Fault::OAuthError { error: "invalid_scope".into(), status: 400 }, rejected),
        (Fault::ErrorWithOk { error: "invalid_client".into() }, rejected),
    ])
    .await;
}

#[tokio::test]
async fn a_dead_grant_is_remembered_whatever_the_status() {
    let revoked = ("reconnect_required (revoked)", "reconnect_required (revoked)");
    check([
        (Fault::invalid_grant(), revoked),
        (Fault::OAuthError { error: "invalid_grant".into(), status: 401 }, revoked),
        (Fault::ErrorWithOk { error: "invalid_grant".into() }, revoked),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_server_acted_loses_only_what_reuse_detection_ends() {
    check([
        (Fault::AnswerLost, LOST),
        (Fault::CutOffBody, LOST),
        (Fault::StalledBody, LOST),
        (Fault::HtmlErrorAfterProcessing { status: 502 }, LOST),
        (Fault::HtmlErrorAfterProcessing { status: 504 }, LOST),
        (Fault::OversizedBody { bytes: 2 << 20 }, LOST),
        (Fault::DeeplyNestedBody { depth: 100_000 }, LOST),
        (Fault::EmptyBody, LOST),
        (Fault::Garbage, LOST),
        (Fault::WrongTypes, LOST_AT_ONCE),
        (Fault::missing("access_token"), LOST_AT_ONCE),
    ])
    .await;
}

#[tokio::test]
async fn an_odd_answer_is_understood() {
    check([
        (Fault::FormEncodedBody, UNDERSTOOD),
        (Fault::Status { status: 201 }, UNDERSTOOD),
        (Fault::field("expires_in", "3600"), UNDERSTOOD),
        (Fault::field("expires_in", 3600.5), UNDERSTOOD),
        (Fault::field("expires_in", json!(null)), UNDERSTOOD),
        (Fault::field("scope", json!(["openid"])), UNDERSTOOD),
        (Fault::missing("expires_in"), UNDERSTOOD),
        (Fault::missing("scope"), UNDERSTOOD),
        (Fault::missing("token_type"), UNDERSTOOD),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_for_somebody_else_is_not_taken() {
    let other = Fault::OtherAccount { user: "mallory".into() };
    check([(other, LOST_AT_ONCE)]).await;
}

#[tokio::test]
async fn a_server_that_rotates_in_secret_ends_the_account_at_the_next_refresh() {
    check([(Fault::missing("refresh_token"), ("token", "reconnect_required (revoked)"))]).await;
}

#[tokio::test]
async fn a_token_that_has_ended_at_birth_is_not_handed_out() {
    let born_dead = ("server_misbehaved", "token");
    check([(Fault::field("expires_in", 0), born_dead), (Fault::field("expires_in", -5), born_dead)]).await;
}

/// Tells each fault at a server of its own until it is cleared, and compares what comes of it.
async fn check<const N: usize>(table: [(Fault, (&str, &str)); N]) {
    let mut cases = JoinSet::new();
    for (fault, (during, after)) in table {
        let expected = (during.to_owned(), after.to_owned());
        cases.spawn(async move { (format!("{fault:?}"), expected, outcome(fault).await) });
    }
    let outcomes = cases.join_all().await;
    let wrong: Vec<_> = outcomes.iter().filter(|(_, expected, outcome)| expected != outcome).collect();
    assert!(wrong.is_empty(), "(fault, expected, came): {wrong:#?}");
}

async fn outcome(fault: Fault) -> Outcome {
    let dev = Dev::start().await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_with(&dev.home, clock.clone(), TIMEOUT).await.unwrap();
    dev.connect_expired(&app, "dev").await.unwrap();

    dev.provider.fault(Endpoint::Token, fault).until_cleared();
    let during = ask(&app).await;
    assert!(app.status("dev").await.account_id.is_some(), "nothing is deleted");

    dev.provider.clear_faults();
    dev.advance(&clock, Duration::from_secs(2 * 3600));
    // Another process, as the first one may remember that its registration was refused.
    let after = ask(&App::open_with(&dev.home, clock, TIMEOUT).await.unwrap()).await;
    assert!(app.status("dev").await.account_id.is_some(), "nothing is deleted");
    (during, after)
}

async fn ask(app: &App) -> String {
    match app.token("dev").await {
        Ok(_) => "token".to_owned(),
        Err(error) => match app.status("dev").await.state {
            ConnectionState::ReconnectRequired { reason } => {
                format!("{} ({})", error.code(), reason.as_str())
            }
            _ => error.code().to_string(),
        },
    }
}

/// Long enough for an honest answer on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(3);
