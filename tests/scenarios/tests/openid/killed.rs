//! A process that is killed after the server has spent its token.

use loomkin_auth_scenarios::{App, Browser, Choice, Moment, Oidc, Peer, connect_by_command, within};

use super::ADA;

pub(crate) async fn a_token_that_was_spent_for_a_killed_process_is_interrupted_and_not_lost(
    oidc: Oidc<impl Peer>,
) {
    let app = App::open(&oidc.home).await.unwrap();
    oidc.connect_expired(&app, &["idp".to_owned()]).await.unwrap();
    oidc.server.hold_token_requests(Moment::BeforeAnswering).await.unwrap();
    let running = oidc.home.call(&["token", "idp"]).start();
    within("the request", oidc.server.wait_for_held(1)).await.unwrap();
    running.kill().await;
    oidc.server.release().await.unwrap();

    let refused = oidc.home.run(&["token", "idp", "--json"]).await.exits(77);
    assert_eq!(refused.error()["code"], "reconnect_required");
    let status = oidc.home.run(&["status", "--json"]).await.exits(0).json();
    assert_eq!((&status[0]["reason"], &status[0]["account_login"]), (&"interrupted".into(), &ADA.into()));

    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    connect_by_command(&oidc.home, "idp", &mut browser).await.exits(0);
    assert!(oidc.server.is_active(&oidc.home.run(&["token"]).await.token()).await.unwrap());
}
