//! `with_token`: a resource server says no.

use std::cell::Cell;
use std::time::Duration;

use loomkin_auth::error::Error;
use loomkin_auth::lifecycle::{AccessToken, Answer};

use crate::support::{LIFETIME, Reply, World, account, is_token};

/// A resource server that rejects the tokens with these numbers.
async fn ask(token: AccessToken, rejected: &[u32], calls: &Cell<u32>) -> Result<Answer<u16>, Error> {
    calls.set(calls.get() + 1);
    let is_rejected = rejected.iter().any(|n| is_token(&token, *n));
    Ok(if is_rejected { Answer::TokenRejected(401) } else { Answer::Accepted(200) })
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_renewed_and_the_call_made_exactly_once_more() {
    for (rejected, status) in [(&[0][..], 200), (&[0, 1][..], 401)] {
        let world = World::new([Reply::tokens(1)]);
        let process = world.process().await;
        world.log_in(&process, "1").await.unwrap();
        tokio::time::advance(Duration::from_secs(30)).await;
        let calls = Cell::new(0);
        let answer = process.with_token(&account(), |token| ask(token, rejected, &calls)).await;
        assert_eq!(answer.unwrap(), status);
        assert_eq!((calls.get(), world.network.refreshes()), (2, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_young_token_is_not_renewed_by_force() {
    let world = World::new([]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(Duration::from_secs(29)).await;
    let calls = Cell::new(0);
    let answer = process.with_token(&account(), |token| ask(token, &[0], &calls)).await;
    assert_eq!((answer.unwrap(), calls.get(), world.network.refreshes()), (401, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_process_has_replaced_is_not_renewed_again() {
    let world = World::new([Reply::tokens(1)]);
    let (first, second) = (world.process().await, world.process().await);
    world.log_in(&first, "1").await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    let calls = Cell::new(0);
    let answer = first
        .with_token(&account(), |token| {
            let (second, calls) = (second.clone(), &calls);
            async move {
                if calls.get() == 0 {
                    let nested = Cell::new(0);
                    second.with_token(&account(), |token| ask(token, &[0], &nested)).await?;
                }
                ask(token, &[0], calls).await
            }
        })
        .await;
    assert_eq!((answer.unwrap(), calls.get(), world.network.refreshes()), (200, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_renewed_and_has_ended_since_does_not_replace_a_rejected_one() {
    let world = World::new([Reply::tokens(1), Reply::tokens(2)]);
    let (first, second) = (world.process().await, world.process().await);
    world.log_in(&first, "1").await.unwrap();
    let calls = Cell::new(0);
    let answer = first
        .with_token(&account(), |token| {
            let (second, calls) = (second.clone(), &calls);
            async move {
                if calls.get() == 0 {
                    // A long call: another process renews the token meanwhile, and that one ends too.
                    tokio::time::advance(LIFETIME).await;
                    second.access_token(&account()).await?;
                    tokio::time::advance(LIFETIME).await;
                }
                ask(token, &[0, 1], calls).await
            }
        })
        .await;
    assert_eq!((answer.unwrap(), calls.get(), world.network.refreshes()), (200, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_from_before_the_clock_was_put_right_is_not_young() {
    let world = World::new([Reply::tokens(1)]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    world.clock.set_back(Duration::from_secs(86_400));
    let calls = Cell::new(0);
    let answer = process.with_token(&account(), |token| ask(token, &[0], &calls)).await;
    assert_eq!((answer.unwrap(), world.network.refreshes()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn the_renewal_of_a_rejected_token_has_the_same_patience_as_any_other() {
    let world = World::new([Reply::refused(), Reply::refused(), Reply::tokens(1)]);
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    tokio::time::advance(Duration::from_secs(30)).await;
    let calls = Cell::new(0);
    let answer = process.with_token(&account(), |token| ask(token, &[0], &calls)).await;
    assert_eq!((answer.unwrap(), calls.get(), world.network.refreshes()), (200, 2, 3));
}
