//! Redirects that do not answer the login that waits.

use loomkin_auth_scenarios::{Browser, Choice, Oidc, redirect_uri};
use url::Url;

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn a_callback_with_an_invalid_state_is_told_so_and_the_login_still_succeeds() {
    let oidc = Oidc::start().await;
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

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn a_person_who_says_no_is_believed() {
    let oidc = Oidc::start().await;
    let mut browser = Browser::new("ada", Choice::Deny).unwrap();
    let denied = loomkin_auth_scenarios::connect_by_command(&oidc.home, "idp", &mut browser).await.exits(77);
    assert_eq!(denied.error()["code"], "access_denied");
}
