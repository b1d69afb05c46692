//! Interleavings that are forced.

use loomkin_auth_dev_provider::{Endpoint, Moment};
use tokio::task::JoinSet;

use crate::app::{App, Tokens, error_of, soon};

#[tokio::test]
async fn two_refreshes_at_once_kill_the_winner_too() {
    let app = std::sync::Arc::new(App::start().await);
    let tokens = app.connect().await;
    let gate = app.provider.hold(Endpoint::Token, Moment::BeforeProcessing);
    let mut both = JoinSet::new();
    for _ in 0..2 {
        let (app, token) = (app.clone(), tokens.refresh.clone());
        both.spawn(async move { app.refresh(&token).await.unwrap() });
    }
    soon(gate.wait_for(2)).await;
    assert!(app.provider.is_active(&tokens.refresh), "nothing was processed yet");
    gate.release();
    let answers = both.join_all().await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    for answer in answers {
        if answer.status() == 200 {
            assert!(!app.is_active(&Tokens::read(answer).await.refresh).await);
        }
    }
}

#[tokio::test]
async fn an_answer_held_back_has_been_acted_upon() {
    let app = std::sync::Arc::new(App::start().await);
    let tokens = app.connect().await;
    let gate = app.provider.hold_token_answers();
    let refreshing = tokio::spawn({
        let (app, token) = (app.clone(), tokens.refresh.clone());
        async move { app.refresh(&token).await.unwrap().status().as_u16() }
    });
    soon(gate.wait_for(1)).await;
    assert_eq!(gate.arrived(), 1);
    assert!(!app.provider.is_active(&tokens.refresh), "the token is spent");
    assert!(!refreshing.is_finished());
    assert_eq!(app.provider.requests().last().unwrap().status, None);
    drop(gate);
    assert_eq!(refreshing.await.unwrap(), 200);
    assert_eq!(app.provider.requests().last().unwrap().status, Some(200));
}

#[tokio::test]
async fn a_request_whose_sender_has_gone_is_acted_upon_all_the_same() {
    let app = std::sync::Arc::new(App::start().await);
    let tokens = app.connect().await;
    let before = app.provider.hold(Endpoint::Token, Moment::BeforeProcessing);
    let after = app.provider.hold_token_answers();
    let refreshing = tokio::spawn({
        let (app, token) = (app.clone(), tokens.refresh.clone());
        async move { app.refresh(&token).await.map(|_| ()) }
    });
    soon(before.wait_for(1)).await;
    refreshing.abort();
    assert!(refreshing.await.unwrap_err().is_cancelled());
    before.release();
    soon(after.wait_for(1)).await;
    assert!(!app.provider.is_active(&tokens.refresh));
    after.release();
    assert_eq!(error_of(app.refresh(&tokens.refresh).await.unwrap()).await.1, "invalid_grant");
}
