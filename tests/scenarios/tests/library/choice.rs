//! Which flow a login takes by itself, and what takes its place when it cannot begin.

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::provider::Flow;
use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, Login, within};
use tokio::net::TcpListener;

async fn begin(dev: &Dev) -> (App, Login) {
    let app = dev.app().await;
    let login = app.begin("dev", ConnectOptions::default()).await.unwrap();
    (app, login)
}

async fn over_ssh() -> Dev {
    let dev = Dev::start().await;
    dev.home.set_variable("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22");
    dev
}

/// The server has no device logins from now on.
fn without_codes(dev: &Dev) {
    dev.provider.fault(Endpoint::Metadata, Fault::missing("device_authorization_endpoint")).until_cleared();
}

fn refuse_codes(dev: &Dev) {
    let error = "unauthorized_client".to_owned();
    dev.provider
        .fault(Endpoint::DeviceAuthorization, Fault::OAuthError { error, status: 400 })
        .until_cleared();
}

/// Where the browser of a person ends up who agrees, on another machine than this one.
async fn address_elsewhere(login: &Login) -> String {
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    browser.walk(&login.url(), &login.redirect_uri()).await.unwrap().to_string()
}

#[tokio::test]
async fn a_person_at_a_desktop_is_sent_to_the_browser_without_a_word() {
    let dev = Dev::start().await;
    let (_app, login) = begin(&dev).await;
    assert_eq!((login.choice().flow, login.choice().explanation()), (Flow::Loopback, None));
    assert!(login.choice().opens_browser() && !login.choice().asks_for_paste());
}

#[tokio::test]
async fn over_ssh_a_code_is_shown_and_the_reason_with_it() {
    let dev = over_ssh().await;
    let (_app, login) = begin(&dev).await;
    assert_eq!(login.choice().flow, Flow::Device);
    let explained = login.choice().explanation().unwrap();
    assert!(explained.contains("SSH") && explained.contains("code"), "{explained}");
    assert!(!login.device().user_code().is_empty());
}

#[tokio::test]
async fn over_ssh_without_codes_the_address_that_the_browser_ends_up_at_is_enough() {
    let dev = over_ssh().await;
    without_codes(&dev);
    let (app, mut login) = begin(&dev).await;
    assert_eq!(login.choice().flow, Flow::Loopback);
    assert!(login.choice().asks_for_paste() && !login.choice().opens_browser());
    let address = address_elsewhere(&login).await;
    let ended = login.wait_or_paste(&["https://elsewhere.example/?code=1", "not-it", &address]).await;
    assert_eq!(ended.unwrap().account_login.as_deref(), Some("ada"));
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
    assert!(Browser::new("ada", Choice::Allow).unwrap().open(&address).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn over_ssh_with_a_forwarded_port_the_browser_comes_back_and_nothing_need_be_pasted() {
    let dev = over_ssh().await;
    without_codes(&dev);
    let (_app, mut login) = begin(&dev).await;
    let (url, stop) = (login.url(), login.redirect_uri());
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    // Nothing more is pasted, and that alone ends nothing.
    let (connected, page) = within("a login", async {
        tokio::join!(login.wait_or_paste(&["not-it"]), browser.walk_into(&url, &stop))
    })
    .await;
    assert_eq!(connected.unwrap().account_login.as_deref(), Some("ada"));
    assert_eq!(page.unwrap().status, 200);
}

#[tokio::test]
async fn codes_that_the_server_refuses_us_give_way_to_the_next_flow() {
    let dev = over_ssh().await;
    refuse_codes(&dev);
    let (_app, mut login) = begin(&dev).await;
    assert_eq!(login.choice().flow, Flow::Loopback);
    let reasons = &login.choice().reasons;
    assert!(
        reasons.len() == 2 && reasons[0].contains("SSH") && reasons[1].contains("refuses"),
        "{reasons:?}"
    );
    let address = address_elsewhere(&login).await;
    login.wait_or_paste(&[&address]).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_said_to_be_away_and_nobody_is_sent_elsewhere() {
    let dev = over_ssh().await;
    let away = Fault::RetryAfterSeconds { seconds: 7, status: 503 };
    dev.provider.fault(Endpoint::DeviceAuthorization, away).until_cleared();
    let app = dev.app().await;
    let error = app.begin("dev", ConnectOptions::default()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "unavailable");
}

#[tokio::test]
async fn a_fixed_port_that_is_taken_gives_way_to_a_code_and_then_to_pasting() {
    let dev = Dev::start().await;
    let somebody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = somebody.local_addr().unwrap().port();
    dev.configure(&format!("redirect_uri = \"http://127.0.0.1:{port}/back\""));
    let (_app, login) = begin(&dev).await;
    assert_eq!((login.choice().flow, login.choice().opens_browser()), (Flow::Device, false));
    assert_eq!(login.choice().reasons, ["the port of redirect_uri is in use"]);

    refuse_codes(&dev);
    let (_app, mut login) = begin(&dev).await;
    assert_eq!((login.choice().flow, login.choice().reasons.len()), (Flow::Paste, 2));
    let address = address_elsewhere(&login).await;
    login.wait_or_paste(&[&address]).await.unwrap();
}

#[tokio::test]
async fn a_flow_that_was_asked_for_does_not_give_way() {
    let dev = over_ssh().await;
    refuse_codes(&dev);
    dev.configure("flow = \"device\"");
    let app = dev.app().await;
    let error = app.begin("dev", ConnectOptions::default()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "client_rejected");
    let mut options = ConnectOptions::default();
    options.flow = Some(Flow::Loopback);
    let login = app.begin("dev", options).await.unwrap();
    assert_eq!((login.choice().flow, login.choice().explanation()), (Flow::Loopback, None), "it overrides");
    drop(login);
    let mut options = ConnectOptions::default();
    options.best_flow = true;
    let login = app.begin("dev", options).await.unwrap();
    assert_eq!(
        (login.choice().flow, login.choice().reasons.len()),
        (Flow::Loopback, 2),
        "it gives way again"
    );
}

#[tokio::test]
async fn a_browser_that_cannot_be_opened_gives_way_to_a_code() {
    let dev = Dev::start().await;
    let (_app, mut login) = begin(&dev).await;
    let nobody = login.redirect_uri();
    login.open_browser().await.unwrap();
    assert_eq!(login.choice().flow, Flow::Device);
    assert_eq!(login.choice().reasons, ["no browser could be opened here"]);
    assert!(dev.provider.allow_device(login.device().user_code(), "ada"));
    assert!(Browser::new("ada", Choice::Allow).unwrap().open(&nobody).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn without_a_browser_and_without_codes_the_login_goes_on_where_there_is_a_browser() {
    let dev = Dev::start().await;
    refuse_codes(&dev);
    let (_app, mut login) = begin(&dev).await;
    assert_eq!(login.open_browser().await.unwrap_err().code().as_str(), "unavailable");
    assert_eq!((login.choice().flow, login.choice().asks_for_paste()), (Flow::Loopback, true));
    let address = address_elsewhere(&login).await;
    login.wait_or_paste(&[&address]).await.unwrap();
}

#[tokio::test]
async fn on_a_build_server_nobody_is_waited_for_unless_a_flow_is_named() {
    let dev = Dev::start().await;
    dev.home.set_variable("CI", "true");
    let app = dev.app().await;
    let error = app.begin("dev", ConnectOptions::default()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "usage");
    assert!(error.advice().contains("--flow"), "{}", error.advice());
    let mut options = ConnectOptions::default();
    options.flow = Some(Flow::Device);
    assert!(!app.begin("dev", options).await.unwrap().device().user_code().is_empty());
}

#[tokio::test]
async fn what_is_pasted_last_says_why_a_login_is_over_that_waits_for_nothing_else() {
    let dev = Dev::start().await;
    dev.configure("redirect_uri = \"https://pages.example.com/shown\"");
    let (_app, mut login) = begin(&dev).await;
    // The server has codes, which come before a page that shows one.
    assert_eq!(login.choice().flow, Flow::Device);
    without_codes(&dev);
    let (_app, mut pasting) = begin(&dev).await;
    assert_eq!((pasting.choice().flow, pasting.choice().explanation()), (Flow::Paste, None));
    assert_eq!(pasting.wait().await.unwrap_err().code().as_str(), "usage");
    assert_eq!(pasting.wait_or_paste(&["not-it"]).await.unwrap_err().code().as_str(), "callback_rejected");
    assert_eq!(pasting.wait_or_paste(&[]).await.unwrap_err().code().as_str(), "login_closed");
    assert!(login.finish("not-it").await.is_err());
}
