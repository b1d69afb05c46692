//! A person who enters the code of a device on the server's own pages (RFC 8628).

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::clock::{Clock as _, SystemClock};
use loomkin_auth::provider::Flow;
use loomkin_auth_scenarios::{App, Browser, Choice, Login, MovedClock, Oidc, within};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begin(oidc: &Oidc) -> (Arc<MovedClock>, App, Login) {
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&oidc.home, clock.clone()).await.unwrap();
    let mut options = ConnectOptions::default();
    options.flow = Some(Flow::Device);
    let login = app.begin("idp", options).await.unwrap();
    (clock, app, login)
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn a_person_enters_the_code_while_the_server_says_pending_and_slow_down() {
    let oidc = Oidc::start().await;
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
        assert!(page.text.contains("Sign-in Success"), "{}", page.text);
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

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn the_command_logs_in_by_the_address_with_the_code_and_refreshes_later() {
    let oidc = Oidc::start().await;
    oidc.server.set_access_token_lifetime(Duration::from_secs(1)).await.unwrap();
    let running = oidc.home.call(&["connect", "idp", "--flow", "device", "--json"]).start();
    let event = running.first_event().await;
    let complete = event["verification_uri_complete"].as_str().unwrap();
    Browser::new("ada", Choice::Allow).unwrap().visit(complete).await.unwrap();
    running.ended().await.exits(0);
    // Granted with `offline_access`: what has ended is renewed.
    oidc.server.set_access_token_lifetime(Duration::from_secs(3600)).await.unwrap();
    let end = App::open(&oidc.home).await.unwrap().status("idp").await.expires_at.unwrap();
    tokio::time::sleep(end.time_left(SystemClock.now())).await;
    assert!(oidc.server.is_active(&oidc.home.run(&["token"]).await.token()).await.unwrap());
    assert_eq!(oidc.refreshes().await, 1);
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn a_person_who_aborts_is_believed() {
    let oidc = Oidc::start().await;
    let (clock, app, mut login) = begin(&oidc).await;
    Browser::new("ada", Choice::Deny).unwrap().visit(&login.url()).await.unwrap();
    let time = async {
        clock.has_sleepers().await;
        clock.advance(Duration::from_secs(5));
    };
    let (denied, ()) = within("the refusal", async { tokio::join!(login.wait(), time) }).await;
    assert_eq!(denied.unwrap_err().code().as_str(), "access_denied");
    assert_eq!(app.token("idp").await.unwrap_err().code().as_str(), "not_connected");
}
