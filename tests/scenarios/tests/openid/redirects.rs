//! Redirects that do not answer the login that waits.

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth_scenarios::{App, Browser, Choice, Oidc, Peer, connect_by_command, redirect_uri};
use url::Url;

pub(crate) async fn a_callback_with_an_invalid_state_is_told_so_and_the_login_still_succeeds(
    oidc: Oidc<impl Peer>,
) {
    let running = oidc.home.call(&["connect", "idp", "--json", "--no-browser"]).start();
    let url = running.authorization_url().await;
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let answer = browser.walk(&url, &redirect_uri(&url)).await.unwrap();

    let mut forged = Url::parse(&redirect_uri(&url)).unwrap();
    forged.query_pairs_mut().append_pair("code", "forged").append_pair("state", "forged");
    let page = browser.open(forged.as_str()).await.unwrap();
    oidc.home.canary().see("a page", &page.text);
    assert_eq!(page.status, 400);
    assert_eq!(oidc.server.count_token_requests("authorization_code").await.unwrap(), 0);

    let page = browser.open(answer.as_str()).await.unwrap();
    assert_eq!(page.status, 200, "{}", page.text);
    running.ended().await.exits(0);
    assert!(oidc.server.is_active(&oidc.home.run(&["token"]).await.token()).await.unwrap());
}

pub(crate) async fn a_person_who_says_no_is_believed(oidc: Oidc<impl Peer>) {
    let mut browser = Browser::new("ada", Choice::Deny).unwrap();
    let denied = connect_by_command(&oidc.home, "idp", &mut browser).await.exits(77);
    assert_eq!(denied.error()["code"], "access_denied");
}

pub(crate) async fn the_address_that_a_person_ended_at_can_be_pasted<P: Peer>(oidc: Oidc<P>) {
    oidc.configure(&format!(
        "client_id = \"{}\"\nflow = \"paste\"\nredirect_uri = \"http://127.0.0.1/callback\"\nscopes = [\"openid\"]",
        P::CLIENT
    ));
    let app = App::open(&oidc.home).await.unwrap();
    let mut login = app.begin("idp", ConnectOptions::default()).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let arrived = browser.walk(&login.url(), &login.redirect_uri()).await.unwrap();
    let forged = arrived.as_str().replace("state=", "state=forged");
    assert_eq!(login.finish(&forged).await.unwrap_err().code().as_str(), "callback_rejected");
    let mixed_up = arrived.as_str().replace("iss=http", "iss=https");
    assert_eq!(login.finish(&mixed_up).await.unwrap_err().code().as_str(), "callback_rejected");
    login.finish(arrived.as_str()).await.unwrap();
    assert!(oidc.server.is_active(&app.token("idp").await.unwrap()).await.unwrap());
}
