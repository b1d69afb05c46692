//! Eight processes at once on one expired token, against a server that punishes reuse.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_scenarios::{
    App, CROWD, Dev, MovedClock, Spread, one_token, spread_crowd, waiting_crowd, within,
};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_make_one_refresh_in_each_of_fifty_rounds() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let later = App::open_at(&dev.home, clock.clone()).await.unwrap();
    let mut spread = Spread::new();
    for round in 0..50 {
        let account = format!("dev/round-{round}");
        dev.connect_expired(&app, &account).await.unwrap();
        dev.provider.clear_requests();
        let ran = spread_crowd(&dev.home, &account, &mut spread).await;
        let token = one_token(&ran);
        assert_eq!(dev.refreshes(), 1, "round {round}");
        assert!(dev.provider.is_active(&token), "round {round}");

        // The family is alive, and the newest refresh token is in the store.
        clock.advance(Duration::from_secs(2 * 3600));
        assert!(dev.provider.is_active(&later.token(&account).await.unwrap()), "round {round}");
        assert_eq!(dev.refreshes(), 2, "round {round}");
    }
}

#[tokio::test]
async fn eight_processes_that_all_wait_make_one_request() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    let gate = dev.provider.hold_token_answers();
    let crowd = waiting_crowd(&dev.home, "dev", gate.wait_for(2)).await;
    assert_eq!(gate.arrived(), 1);
    gate.release();
    let mut ends = JoinSet::new();
    for running in crowd {
        ends.spawn(running.ended());
    }
    let ran = within("eight ends", ends.join_all()).await;
    assert_eq!(ran.len(), CROWD);
    assert!(dev.provider.is_active(&one_token(&ran)));
    assert_eq!(dev.refreshes(), 1);
}
