//! Logins of a web app's users: begun on one node, finished on another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::random::{Random, SystemRandom};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, MovedClock, Visitor};
use url::Url;

fn visitor(user: &str) -> Visitor {
    Visitor::new(&format!("app-{user}"), Browser::new(user, Choice::Allow).unwrap())
}

fn code_of<T>(result: loomkin_auth::error::Result<T>) -> String {
    result.err().unwrap().code().to_string()
}

#[tokio::test]
async fn another_node_and_a_restarted_one_finish_what_one_has_begun() {
    let dev = Dev::start().await;
    let (begins, node) = (dev.app().await, dev.app().await);
    let (mut ada, mut grace) = (visitor("ada"), visitor("grace"));
    let hers = begins.begin_hosted("dev", &mut grace).await.unwrap();
    let visit = begins.begin_hosted("dev/work", &mut ada).await.unwrap();
    begins.close().await;
    drop(begins);

    let answer = ada.decide(&visit).await;
    let connected = node.finish_hosted(&ada, &answer).await.unwrap();
    assert_eq!(connected.account.to_string(), "dev/work");
    assert_eq!(connected.account_login.as_deref(), Some("ada"));
    let restarted = dev.app().await;
    let answer = grace.decide(&hers).await;
    restarted.finish_hosted(&grace, &answer).await.unwrap();

    assert!(dev.provider.is_active(&restarted.token_of(&ada, "dev/work").await.unwrap()));
    assert!(dev.provider.is_active(&node.token_of(&grace, "dev").await.unwrap()));
    assert_eq!(code_of(node.token_of(&ada, "dev").await), "not_connected", "each owner has their own");
    for app in [&node, &restarted] {
        assert_eq!(code_of(app.finish_hosted(&grace, &answer).await), "login_closed", "a replay");
    }
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 2);
}

#[tokio::test]
async fn another_browser_or_another_user_finishes_nothing() {
    let dev = Dev::start().await;
    let (app, node) = (dev.app().await, dev.app().await);
    let (mut ada, mut eve) = (visitor("ada"), visitor("eve"));
    let visit = app.begin_hosted("dev", &mut ada).await.unwrap();
    let hers = app.begin_hosted("dev", &mut eve).await.unwrap();
    let answer = ada.decide(&visit).await;
    let stranger = ada.at(Browser::new("ada", Choice::Allow).unwrap());
    // To be made to finish somebody else's login is the danger here: with one's own browser, and with their cookie.
    for visitor in [&eve, &stranger] {
        assert_eq!(code_of(node.finish_hosted(visitor, &answer).await), "callback_rejected");
    }
    let mut planted = visitor("ada");
    app.begin_hosted("dev", &mut planted).await.unwrap();
    let theirs = eve.decide(&hers).await;
    assert_eq!(code_of(node.finish_hosted(&planted, &theirs).await), "callback_rejected");
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 0);
    node.finish_hosted(&ada, &answer).await.unwrap();
    node.finish_hosted(&eve, &theirs).await.unwrap();
}

#[tokio::test]
async fn after_ten_minutes_it_is_too_late() {
    let dev = Dev::start().await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let (app, node) = (dev.app().await, App::open_at(&dev.home, clock.clone()).await.unwrap());
    let mut ada = visitor("ada");
    let visit = app.begin_hosted("dev", &mut ada).await.unwrap();
    let answer = ada.decide(&visit).await;
    clock.advance(Duration::from_secs(601));
    assert_eq!(code_of(node.finish_hosted(&ada, &answer).await), "login_closed");
    assert_eq!(code_of(app.finish_hosted(&ada, &answer).await), "login_closed");
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn a_person_who_refuses_ends_the_login_and_nothing_else() {
    let dev = Dev::start().await;
    let (app, node) = (dev.app().await, dev.app().await);
    let mut ada = visitor("ada");
    let visit = app.begin_hosted("dev", &mut ada).await.unwrap();
    let answer = ada.decide(&visit).await;
    app.finish_hosted(&ada, &answer).await.unwrap();
    let token = app.token_of(&ada, "dev").await.unwrap();

    let mut refusing = ada.at(Browser::new("ada", Choice::Deny).unwrap());
    let visit = app.begin_hosted("dev", &mut refusing).await.unwrap();
    let answer = refusing.decide(&visit).await;
    assert_eq!(code_of(node.finish_hosted(&refusing, &answer).await), "access_denied");
    assert_eq!(code_of(app.finish_hosted(&refusing, &answer).await), "login_closed");
    assert_eq!(node.token_of(&ada, "dev").await.unwrap(), token, "what was connected still is");
}

#[tokio::test]
async fn ten_logins_over_two_nodes_end_each_in_its_own_way() {
    let dev = Dev::start().await;
    let nodes = [dev.app().await, dev.app().await];
    // Two users with two browsers each, and several logins in every browser.
    let mut visitors = ["ada", "ada", "grace", "grace"].map(visitor);
    let mut open = Vec::new();
    for number in 0..10 {
        let (node, visitor) = (&nodes[number % 2], &mut visitors[number % 4]);
        open.push((number, node.begin_hosted(&format!("dev/account-{number}"), visitor).await.unwrap()));
    }
    shuffle(&mut open);
    let order: Vec<_> = open.iter().map(|(number, _)| *number).collect();
    let mut ends = BTreeMap::new();
    for (turn, (number, visit)) in open.into_iter().enumerate() {
        let (node, visitor) = (&nodes[turn % 2], &mut visitors[number % 4]);
        let end = match number {
            1 | 4 | 7 => node.cancel_hosted(visitor, &visit).await.unwrap().to_string(),
            8 => {
                let answer = forged(visitor.decide(&visit).await);
                code_of(node.finish_hosted(visitor, &answer).await)
            }
            _ => {
                let answer = visitor.decide(&visit).await;
                let connected = node.finish_hosted(visitor, &answer).await.unwrap();
                connected.account_login.unwrap()
            }
        };
        ends.insert(number, end);
    }
    let expected =
        ["ada", "true", "grace", "grace", "true", "ada", "grace", "true", "callback_rejected", "ada"];
    assert!(ends.values().eq(&expected), "{ends:?} in the order {order:?}");
    for number in 0..10 {
        let (node, visitor) = (&nodes[number % 2], &visitors[number % 4]);
        let token = node.token_of(visitor, &format!("dev/account-{number}")).await;
        match number {
            1 | 4 | 7 | 8 => assert_eq!(code_of(token), "not_connected"),
            _ => assert!(dev.provider.is_active(&token.unwrap())),
        }
    }
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 6);
}

/// `answer` with a state that somebody made up.
fn forged(answer: Url) -> Url {
    let mut forged = answer.clone();
    let others = answer.query_pairs().filter(|(name, _)| name != "state");
    forged.query_pairs_mut().clear().extend_pairs(others).append_pair("state", "made-up-state");
    forged
}

fn shuffle<T>(items: &mut [T]) {
    for place in (1..items.len()).rev() {
        let mut byte = [0];
        SystemRandom.fill(&mut byte).unwrap();
        items.swap(place, usize::from(byte[0]) % (place + 1));
    }
}
