//! Redirects that lie: none finishes a login, none cancels it, and nothing of them gets onto a page.

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, Page, within};
use url::Url;

/// Lets `forge` make an address of the true answer, opens that, then the true one; the login must succeed.
async fn rejected(forge: impl Fn(&Url) -> String) -> Page {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut login = app.begin("dev", ConnectOptions::default()).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let answer = browser.walk(&login.url(), &login.redirect_uri()).await.unwrap();
    let visit = async {
        let forged = browser.open(&forge(&answer)).await.unwrap();
        let early = dev.provider.count_token_requests("authorization_code");
        let finished = browser.open(answer.as_str()).await.unwrap();
        (forged, early, finished)
    };
    let (connected, (forged, early, finished)) =
        within("a login", async { tokio::join!(login.wait(), visit) }).await;
    connected.unwrap();
    assert_eq!(early, 0, "nothing was sent for a forged redirect");
    assert_eq!(finished.status, 200);
    for page in [&forged, &finished] {
        dev.home.canary().see("a page", &page.text);
    }
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
    forged
}

/// `answer` with its parameter `name` set to `value`, or without it.
fn with(answer: &Url, name: &str, value: Option<&str>) -> String {
    let others: Vec<_> = answer.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    let mut url = answer.clone();
    url.query_pairs_mut().clear().extend_pairs(others);
    if let Some(value) = value {
        url.query_pairs_mut().append_pair(name, value);
    }
    url.into()
}

#[tokio::test]
async fn another_state_is_rejected() {
    assert_eq!(rejected(|answer| with(answer, "state", Some("not-the-state"))).await.status, 400);
}

#[tokio::test]
async fn no_state_is_rejected() {
    assert_eq!(rejected(|answer| with(answer, "state", None)).await.status, 400);
}

#[tokio::test]
async fn a_state_that_comes_twice_is_rejected() {
    assert_eq!(rejected(|answer| format!("{answer}&state=another")).await.status, 400);
}

#[tokio::test]
async fn another_issuer_is_rejected() {
    assert_eq!(rejected(|answer| with(answer, "iss", Some("https://elsewhere.example"))).await.status, 400);
}

#[tokio::test]
async fn an_issuer_that_promised_to_name_itself_and_does_not_is_rejected() {
    assert_eq!(rejected(|answer| with(answer, "iss", None)).await.status, 400);
}

#[tokio::test]
async fn neither_a_code_nor_an_error_is_rejected() {
    assert_eq!(rejected(|answer| with(answer, "code", None)).await.status, 400);
}

#[tokio::test]
async fn a_token_in_a_redirect_is_not_read() {
    let injected = |answer: &Url| {
        format!("{}&access_token=made-up&token_type=Bearer&id_token=made-up", with(answer, "code", None))
    };
    assert_eq!(rejected(injected).await.status, 400);
}

#[tokio::test]
async fn a_code_of_another_login_is_of_no_use_here() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut victim = app.begin("dev", ConnectOptions::default()).await.unwrap();
    let attacker = app.begin("dev/other", ConnectOptions::default()).await.unwrap();
    let mut browser = Browser::new("grace", Choice::Allow).unwrap();
    let stolen = browser.walk(&attacker.url(), &attacker.redirect_uri()).await.unwrap();
    let stolen = stolen.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let answer =
        Browser::new("ada", Choice::Allow).unwrap().walk(&victim.url(), &victim.redirect_uri()).await;
    // The state is right; the server finds that the verifier is another's (RFC 7636 §4.6).
    let error = victim.finish(&with(&answer.unwrap(), "code", Some(&stolen))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "login_closed");
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
}

#[tokio::test]
async fn an_empty_query_is_rejected() {
    let page = rejected(|answer| {
        let mut url = answer.clone();
        url.set_query(None);
        url.into()
    });
    assert_eq!(page.await.status, 400);
}

#[tokio::test]
async fn an_error_with_another_state_does_not_cancel_the_login() {
    let page = rejected(|answer| {
        let url = with(&Url::parse(&with(answer, "code", None)).unwrap(), "state", Some("not-the-state"));
        format!("{url}&error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    })
    .await;
    assert_eq!(page.status, 400);
    assert!(!page.text.contains("script"), "{}", page.text);
}

#[tokio::test]
async fn another_path_is_not_found() {
    let page = rejected(|answer| {
        let mut url = answer.clone();
        url.set_path("/elsewhere");
        url.into()
    });
    assert_eq!(page.await.status, 404);
}

/// What the login and the person see when the provider bends its own redirect.
async fn bent(fault: Fault) -> (Dev, App, loomkin_auth::error::Error, Page) {
    let dev = Dev::start().await;
    dev.provider.fault(Endpoint::Authorization, fault).once();
    let app = dev.app().await;
    let (connected, page) = app.connect_with("dev", &mut Browser::new("ada", Choice::Allow).unwrap()).await;
    (dev, app, connected.unwrap_err(), page.unwrap())
}

#[tokio::test]
async fn markup_in_an_error_description_never_gets_onto_the_page() {
    let (_dev, app, error, page) = bent(Fault::HtmlErrorRedirect).await;
    assert_eq!(error.code().as_str(), "unavailable");
    assert_eq!(page.status, 400);
    assert!(!page.text.contains("script") && !page.text.contains("onerror"), "{}", page.text);
    assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
}

#[tokio::test]
async fn a_second_visit_finds_nobody() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let (connected, page) = app.connect_with("dev", &mut browser).await;
    connected.unwrap();
    assert!(browser.open(page.unwrap().url.as_str()).await.is_err(), "the port is closed");
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 1);
}
