//! A person who enters the code of a device on the server's own pages (RFC 8628).

use std::time::Duration;

use loomkin_auth::clock::Clock as _;
use loomkin_auth_scenarios::{Browser, Choice, Oidc, OidcProvider, Peer as _, within};

use crate::openid::device::begin;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn a_person_enters_the_code_while_the_server_says_pending_and_slow_down() {
    let oidc = Oidc::<OidcProvider>::start().await;
    let (clock, app, mut login) = begin(&oidc).await;
    let (code, page) = (login.device().user_code().to_owned(), login.device().verification_uri().to_string());
    assert_eq!(login.device().interval(), Duration::from_secs(5), "the server does not say");
    let mut progress = login.progress();
    let time = async {
        // After so many polls the interval is this, and the next one is told to slow down or not.
        for (polls, interval, slow_down) in [(0, 5, false), (1, 5, true), (2, 10, true), (3, 15, false)] {
            progress.wait_for(|progress| progress.polls == polls).await.unwrap();
            clock.has_sleepers().await;
            assert_eq!(progress.borrow().interval.as_secs(), interval);
            oidc.server.slow_down(usize::from(slow_down)).await.unwrap();
            let next_poll_at = progress.borrow().next_poll_at;
            clock.advance(next_poll_at.time_left(clock.now()));
        }
        progress.wait_for(|progress| progress.polls == 4).await.unwrap();
        clock.has_sleepers().await;
        assert_eq!(progress.borrow().interval, Duration::from_secs(15));
        let page = Browser::new("ada", Choice::Allow).unwrap().enter(&code, &page).await.unwrap();
        assert!(page.text.contains(OidcProvider::DEVICE_ALLOWED), "{}", page.text);
        let next_poll_at = progress.borrow().next_poll_at;
        clock.advance(next_poll_at.time_left(clock.now()));
        std::future::pending::<()>().await;
    };
    let connected = within("a device login", async {
        tokio::select! {
            connected = login.wait() => connected,
            () = time => unreachable!("it waits for ever"),
        }
    })
    .await
    .unwrap();
    assert_eq!(connected.account_id.as_deref(), Some("ada"));
    assert_eq!(oidc.server.count_token_requests("slowed_down").await.unwrap(), 2);
    assert_eq!(oidc.server.count_token_requests(GRANT_TYPE).await.unwrap(), 3);
    assert!(oidc.server.is_active(&app.token("idp").await.unwrap()).await.unwrap());
}
