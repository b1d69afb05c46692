//! A person who enters the code of a device on the server's own pages (RFC 8628).

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::clock::{Clock as _, SystemClock};
use loomkin_auth::provider::Flow;
use loomkin_auth_scenarios::{App, Browser, Choice, Login, MovedClock, Oidc, Peer, within};

/// An app by a clock that can be moved, and its login that waits for the person.
pub(crate) async fn begin(oidc: &Oidc<impl Peer>) -> (Arc<MovedClock>, App, Login) {
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&oidc.home, clock.clone()).await.unwrap();
    let mut options = ConnectOptions::default();
    options.flow = Some(Flow::Device);
    let login = app.begin("idp", options).await.unwrap();
    (clock, app, login)
}

pub(crate) async fn the_command_logs_in_by_the_address_with_the_code_and_refreshes_later(
    oidc: Oidc<impl Peer>,
) {
    oidc.server.set_access_token_lifetime(Duration::from_secs(3)).await.unwrap();
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

pub(crate) async fn a_person_who_aborts_is_believed(oidc: Oidc<impl Peer>) {
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
