//! A web app whose every request is answered by another process.

use std::collections::BTreeMap;

use loomkin_auth_scenarios::{Browser, Choice, Dev, Visitor};

fn visitor(user: &str) -> Visitor {
    Visitor::new(&format!("app-{user}"), Browser::new(user, Choice::Allow).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_logins_of_killed_processes_are_finished_by_others_each_in_its_own_way() {
    let dev = Dev::start().await;
    // Two users with two browsers each, and several logins in every browser.
    let mut visitors = ["ada", "ada", "grace", "grace"].map(visitor);
    let mut open = Vec::new();
    for number in 0..10 {
        let account = format!("dev/account-{number}");
        open.push((number, visitors[number % 4].begin_at_killed_process(&dev.home, &account).await));
    }
    fastrand::shuffle(&mut open);
    let order: Vec<_> = open.iter().map(|(number, _)| *number).collect();
    let mut ends = BTreeMap::new();
    for (number, visit) in open {
        let visitor = &mut visitors[number % 4];
        let end = match number {
            1 | 4 | 7 => visitor.cancel_by_process(&dev.home, &visit).await,
            8 => {
                let mut forged = visitor.decide(&visit).await;
                let code: Vec<_> =
                    forged.query_pairs().into_owned().filter(|(name, _)| name != "state").collect();
                forged.query_pairs_mut().clear().extend_pairs(code).append_pair("state", "made-up-state");
                visitor.finish_by_process(&dev.home, &forged).await
            }
            _ => {
                let answer = visitor.decide(&visit).await;
                visitor.finish_by_process(&dev.home, &answer).await
            }
        };
        ends.insert(number, end);
    }
    let expected =
        ["ada", "true", "grace", "grace", "true", "ada", "grace", "true", "callback_rejected", "ada"];
    assert!(ends.values().eq(&expected), "{ends:?} in the order {order:?}");
    let app = dev.app().await;
    for number in 0..10 {
        let token = app.token_of(&visitors[number % 4], &format!("dev/account-{number}")).await;
        match number {
            1 | 4 | 7 | 8 => assert_eq!(token.unwrap_err().code().as_str(), "not_connected"),
            _ => assert!(dev.provider.is_active(&token.unwrap())),
        }
    }
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 6);
    assert_eq!(dev.home.leaks(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_processes_that_get_the_answer_at_once_one_finishes_the_login() {
    let dev = Dev::start().await;
    let mut ada = visitor("ada");
    let visit = ada.begin_at_killed_process(&dev.home, "dev").await;
    let answer = ada.decide(&visit).await;
    let mut nodes = Vec::new();
    for _ in 0..8 {
        nodes.push(ada.callback_process(&dev.home, &answer).await);
    }
    for node in &mut nodes {
        node.go_and_finish(&ada, &answer).await;
    }
    let mut ends = Vec::new();
    for node in nodes {
        ends.push(node.end_of_callback().await);
    }
    ends.sort();
    assert_eq!(ends[0], "ada");
    assert!(ends[1..].iter().all(|end| end == "login_closed"), "{ends:?}");
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 1);
}
