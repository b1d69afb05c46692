//! The browser on the dev-provider's page.

use loomkin_auth_dev_provider::{Client, DevProvider, Settings};
use loomkin_auth_scenarios::{Browser, Choice};

use crate::app::{REDIRECT, authorization_url, parameter, redeem};

#[tokio::test]
async fn a_person_logs_in_on_the_page() {
    let provider = DevProvider::start(Settings::default()).await.unwrap();
    let url = authorization_url(&provider.url("/authorize"), Client::DEV);
    let mut browser = Browser::new("grace", Choice::Allow).unwrap();
    let arrived = browser.walk(&url, REDIRECT).await.unwrap();
    assert_eq!(parameter(&arrived, "state"), "the-state");
    let code = parameter(&arrived, "code");
    let (status, tokens) = redeem(&provider.url("/token"), Client::DEV, &code).await;
    assert_eq!(status, 200);
    assert!(provider.is_active(tokens["refresh_token"].as_str().unwrap()));
}

#[tokio::test]
async fn a_person_who_denies_comes_back_with_an_error() {
    let provider = DevProvider::start(Settings::default()).await.unwrap();
    let url = authorization_url(&provider.url("/authorize"), Client::DEV);
    let mut browser = Browser::new("grace", Choice::Deny).unwrap();
    let arrived = browser.walk(&url, REDIRECT).await.unwrap();
    assert_eq!(parameter(&arrived, "error"), "access_denied");
}

#[tokio::test]
async fn the_page_behind_the_last_redirect_can_be_read() {
    let provider = DevProvider::start(Settings::default()).await.unwrap();
    let paste = provider.url("/paste");
    let url = authorization_url(&provider.url("/authorize"), Client::DEV);
    let mut url = url::Url::parse(&url).unwrap();
    let others: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != "redirect_uri").collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair("redirect_uri", &paste);
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let page = browser.walk_into(url.as_str(), &paste).await.unwrap();
    assert!(page.text.contains("#the-state</code>"), "{}", page.text);
}

#[tokio::test]
async fn a_page_that_leads_nowhere_is_an_error_without_the_query() {
    let provider = DevProvider::start(Settings::default()).await.unwrap();
    let url = provider.url("/authorize?client_id=nobody");
    let lost = Browser::new("ada", Choice::Allow).unwrap().walk(&url, REDIRECT).await.unwrap_err();
    assert_eq!(lost.to_string(), "/authorize (400 Bad Request) leads nowhere");
}
