//! Eight processes that want the same token.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::command::{Ran, Running};
use crate::home::Home;
use crate::patience::within;
use crate::spread::Spread;

/// How many there are.
pub const CROWD: usize = 8;

/// Starts `loomkin-auth token` for `account` eight times, each at its own moment of the next 50 ms, and returns how
/// they ended. Starts at the very same moment hide the race, as measurements show.
///
/// # Panics
///
/// When one does not end.
pub async fn spread_crowd(home: &Home, account: &str, spread: &mut Spread) -> Vec<Ran> {
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (call, pause) = (home.call(&["token", account, "--json"]), spread.pause(SPREAD));
        crowd.spawn(async move {
            tokio::time::sleep(pause).await;
            call.start().ended().await
        });
    }
    crowd.join_all().await
}

/// Starts `loomkin-auth token` for `account` eight times, and returns when all but one say that they wait for another
/// process.
///
/// # Panics
///
/// When they do not, or when `another_request` completes: then a second one presents the token.
pub async fn waiting_crowd(
    home: &Home,
    account: &str,
    another_request: impl Future<Output = ()>,
) -> Vec<Running> {
    let crowd: Vec<_> = (0..CROWD).map(|_| home.call(&["token", account, "--json"]).start()).collect();
    let mut waiting = JoinSet::new();
    for running in &crowd {
        waiting.spawn(running.stderr().says("waits for the refresh of another process"));
    }
    let all_but_one = async {
        for _ in 1..CROWD {
            waiting.join_next().await;
        }
    };
    within("seven processes that wait", async {
        tokio::select! {
            () = all_but_one => {}
            () = another_request => panic!("a second request was made while the first was in flight"),
        }
    })
    .await;
    crowd
}

/// All eight were given the same token, which is returned.
///
/// # Panics
///
/// When that is not so.
#[track_caller]
pub fn one_token(ran: &[Ran]) -> String {
    assert_eq!(ran.len(), CROWD);
    let tokens: Vec<_> = ran.iter().map(Ran::token).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "the tokens differ");
    tokens[0].clone()
}

const SPREAD: Duration = Duration::from_millis(50);
