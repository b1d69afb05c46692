//! Devices that the server is not content with.

use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::OauthError;
use loomkin_auth::provider::Flow;
use loomkin_auth_scenarios::{App, Browser, Choice, Keycloak, Oidc, Peer as _, within};

use crate::openid::device::begin;

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn a_device_whose_clock_is_fast_is_told_to_slow_down_and_gets_its_tokens() {
    let oidc = Oidc::<Keycloak>::start().await;
    let (clock, app, mut login) = begin(&oidc).await;
    assert_eq!(login.device().interval(), INTERVAL);
    let (code, page) = (login.device().user_code().to_owned(), login.device().verification_uri().to_string());
    let mut progress = login.progress();
    let time = async {
        // The server counts five seconds of its own between two polls; for the device they pass at once.
        while progress.borrow().interval == INTERVAL {
            clock.has_sleepers().await;
            let (polls, next_poll_at) = (progress.borrow().polls, progress.borrow().next_poll_at);
            clock.advance(next_poll_at.time_left(clock.now()));
            progress.wait_for(|progress| progress.polls > polls).await.unwrap();
        }
        assert!(progress.borrow().polls > 1, "the first poll comes soon enough for nobody to mind");
        assert_eq!(progress.borrow().interval, INTERVAL + Duration::from_secs(5));
        let page = Browser::new("ada", Choice::Allow).unwrap().enter(&code, &page).await.unwrap();
        assert!(page.text.contains(Keycloak::DEVICE_ALLOWED), "{}", page.text);
        // From now on time passes as it does for the server.
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
    assert_eq!(connected.account_login.as_deref(), Some("ada@example.test"));
    assert!(oidc.server.is_active(&app.token("idp").await.unwrap()).await.unwrap());
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn a_registration_that_demands_a_challenge_of_devices_too_is_refused_at_once() {
    let oidc = Oidc::<Keycloak>::start().await;
    oidc.configure_confidential(Keycloak::CONFIDENTIAL_SECRET, "client_secret_basic");
    let mut options = ConnectOptions::default();
    options.flow = Some(Flow::Device);
    let refused = App::open(&oidc.home).await.unwrap().begin("idp", options).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "client_rejected");
    assert_eq!(refused.oauth_error(), Some(OauthError::InvalidRequest));
}

const INTERVAL: Duration = Duration::from_secs(5);
