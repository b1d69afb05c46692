//! Eight processes at once on one expired token, against a server that punishes reuse.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_scenarios::{
    App, CROWD, Moment, MovedClock, Oidc, Peer, Spread, one_token, spread_crowd, waiting_crowd, within,
};
use tokio::task::JoinSet;

pub(crate) async fn eight_processes_make_one_refresh_in_each_of_fifty_rounds(oidc: Oidc<impl Peer>) {
    let app = App::open(&oidc.home).await.unwrap();
    let accounts: Vec<_> = (0..50).map(|round| format!("idp/round-{round}")).collect();
    oidc.connect_expired(&app, &accounts).await.unwrap();
    let clock = Arc::new(MovedClock::new(Duration::from_secs(2 * 3600)));
    let mut spread = Spread::new();
    for account in &accounts {
        oidc.server.clear_requests().await.unwrap();
        let ran = spread_crowd(&oidc.home, account, &mut spread).await;
        let token = one_token(&ran);
        assert_eq!(oidc.refreshes().await, 1, "{account}");
        assert!(oidc.server.is_active(&token).await.unwrap(), "{account}");
    }
    // Every family is alive, and its newest refresh token is in the store.
    let later = App::open_at(&oidc.home, clock).await.unwrap();
    for account in &accounts {
        let token = later.token(account).await.unwrap();
        assert!(oidc.server.is_active(&token).await.unwrap(), "{account}");
    }
}

pub(crate) async fn eight_processes_that_all_wait_make_one_request(oidc: Oidc<impl Peer>) {
    let app = App::open(&oidc.home).await.unwrap();
    oidc.connect_expired(&app, &["idp".to_owned()]).await.unwrap();
    app.close().await;
    oidc.server.hold_token_requests(Moment::BeforeAnswering).await.unwrap();
    let second = async {
        oidc.server.wait_for_held(2).await.unwrap();
    };
    let crowd = waiting_crowd(&oidc.home, "idp", second).await;
    oidc.server.release().await.unwrap();
    let mut ends = JoinSet::new();
    for running in crowd {
        ends.spawn(running.ended());
    }
    let ran = within("eight ends", ends.join_all()).await;
    assert_eq!(ran.len(), CROWD);
    assert!(oidc.server.is_active(&one_token(&ran)).await.unwrap());
    assert_eq!(oidc.refreshes().await, 1);
}
