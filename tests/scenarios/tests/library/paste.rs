//! The flow for providers that redirect to a page of their own.

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::provider::Flow;
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, Login};
use url::Url;

async fn begin(dev: &Dev) -> (App, Login, Url) {
    dev.configure(&format!("redirect_uri = \"{}\"\nflow = \"paste\"", dev.provider.url("/paste")));
    let app = dev.app().await;
    let login = app.begin("dev", paste()).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let arrived = browser.walk(&login.url(), &login.redirect_uri()).await.unwrap();
    (app, login, arrived)
}

fn paste() -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.flow = Some(Flow::Paste);
    options
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

#[tokio::test]
async fn the_code_with_its_state_finishes_the_login() {
    let dev = Dev::start().await;
    let (app, mut login, arrived) = begin(&dev).await;
    let shown = Browser::new("ada", Choice::Allow).unwrap().open(arrived.as_str()).await.unwrap();
    let pasted = format!("{}#{}", parameter(&arrived, "code"), parameter(&arrived, "state"));
    assert!(shown.text.contains(&pasted), "the provider's page shows it like this");
    login.finish(&format!("  {pasted}\n")).await.unwrap();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn the_whole_address_finishes_the_login() {
    let dev = Dev::start().await;
    let (app, mut login, arrived) = begin(&dev).await;
    login.finish(arrived.as_str()).await.unwrap();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn a_wrong_paste_is_rejected_and_the_right_one_still_works() {
    let dev = Dev::start().await;
    let (app, mut login, arrived) = begin(&dev).await;
    let code = parameter(&arrived, "code");
    for wrong in [&format!("{code}#not-the-state"), &code, "", "#", "https://elsewhere.example/?code=1"] {
        let error = login.finish(wrong).await.unwrap_err();
        assert_eq!(error.code().as_str(), "callback_rejected", "{error}");
        assert!(login.is_open());
    }
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 0);
    login.finish(arrived.as_str()).await.unwrap();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));

    let again = login.finish(arrived.as_str()).await.unwrap_err();
    assert_eq!(again.code().as_str(), "login_closed");
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 1);
}
