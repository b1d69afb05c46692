//! Scopes that are asked for later, on top of those that are granted.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::error::Result;
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::provider::Flow;
use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, MovedClock, within};
use url::Url;

fn with(scopes: &[&str]) -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    options
}

/// A login that asks for `scopes` as well, and what it asked for in the end.
async fn connect(app: &App, scopes: &[&str], user: &str, choice: Choice) -> (Result<Connected>, String) {
    let mut login = app.begin("dev", with(scopes)).await.unwrap();
    let asked = Url::parse(&login.url()).unwrap();
    let asked = asked.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
    let mut browser = Browser::new(user, choice).unwrap();
    let address = browser.walk(&login.url(), &login.redirect_uri()).await.unwrap();
    (login.finish(address.as_str()).await, asked)
}

#[tokio::test]
async fn a_scope_is_asked_for_on_top_of_what_is_granted() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    for (more, all) in [
        (&[][..], "openid profile"),
        (&["email"], "openid profile email"),
        (&["repo", "profile"], "openid profile email repo"),
    ] {
        let (connected, asked) = connect(&app, more, "ada", Choice::Allow).await;
        let connected = connected.unwrap();
        assert_eq!((asked.as_str(), connected.scopes.join(" ").as_str(), connected.note), (all, all, None));
    }
    assert_eq!(app.status("dev").await.scopes, ["openid", "profile", "email", "repo"]);
}

#[tokio::test]
async fn a_first_login_may_ask_for_more_than_is_configured() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let (connected, asked) = connect(&app, &["email"], "ada", Choice::Allow).await;
    assert_eq!(asked, "openid profile email");
    connected.unwrap();
}

#[tokio::test]
async fn a_login_that_asks_for_less_than_before_says_so() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    connect(&app, &["email", "repo"], "ada", Choice::Allow).await.0.unwrap();
    let (connected, asked) = connect(&app, &[], "ada", Choice::Allow).await;
    assert_eq!(asked, "openid profile");
    let connected = connected.unwrap();
    assert!(connected.missing_scopes.is_empty());
    assert!(
        connected.note.as_ref().unwrap().ends_with("was also granted email, repo"),
        "{:?}",
        connected.note
    );
}

#[tokio::test]
async fn a_refusal_leaves_the_old_grant_working() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    connect(&app, &[], "ada", Choice::Allow).await.0.unwrap();
    let token = app.token("dev").await.unwrap();
    for (user, choice, code) in
        [("ada", Choice::Deny, "access_denied"), ("grace", Choice::Allow, "account_mismatch")]
    {
        let refused = connect(&app, &["repo"], user, choice).await.0.unwrap_err();
        assert_eq!(refused.code().as_str(), code);
        assert_eq!(app.token("dev").await.unwrap(), token);
        assert!(dev.provider.is_active(&token));
    }
    dev.provider
        .fault(Endpoint::Token, Fault::OAuthError { error: "invalid_scope".into(), status: 400 })
        .once();
    let refused = connect(&app, &["repo"], "ada", Choice::Allow).await.0.unwrap_err();
    assert_eq!(refused.code().as_str(), "client_rejected");
    assert_eq!(app.token("dev").await.unwrap(), token);
    assert_eq!(app.status("dev").await.scopes, ["openid", "profile"]);
}

#[tokio::test]
async fn fewer_scopes_than_were_asked_for_are_kept_and_said() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    dev.provider.fault(Endpoint::Token, Fault::field("scope", "openid profile")).once();
    let connected = connect(&app, &["email", "repo"], "ada", Choice::Allow).await.0.unwrap();
    assert_eq!(connected.missing_scopes, ["email", "repo"]);
    assert_eq!(connected.note.as_deref(), Some("the provider did not grant email, repo"));
    let status = app.status("dev").await;
    assert!(status.missing_scopes.is_empty() && status.note.is_none(), "the configuration asks for no more");
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn the_status_names_what_is_configured_and_not_granted() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    connect(&app, &[], "ada", Choice::Allow).await.0.unwrap();
    let text = std::fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
    dev.home.write_config(&text.replace("\"profile\"", "\"profile\", \"email\", \"repo\""));
    let app = dev.app().await;
    let status = app.status("dev").await;
    assert_eq!(
        (status.state.as_str(), &status.missing_scopes[..]),
        ("connected", &["email".into(), "repo".into()][..])
    );
    assert_eq!(status.note.as_deref(), Some("configured and not granted: email, repo"));
    let step = status.next_step.unwrap();
    assert_eq!(step, "Run `loomkin-auth connect dev --scope email --scope repo`.");

    connect(&app, &["email", "repo"], "ada", Choice::Allow).await.0.unwrap();
    let status = app.status("dev").await;
    assert_eq!((status.missing_scopes.len(), status.note, status.next_step), (0, None, None));
}

#[tokio::test]
async fn an_answer_without_scopes_grants_what_this_login_asked_for_and_a_refresh_keeps_it() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    dev.provider.fault(Endpoint::Token, Fault::missing("scope")).times(2);
    dev.provider.next_access_token_lifetimes([Duration::ZERO]);
    let connected = connect(&app, &["email"], "ada", Choice::Allow).await.0.unwrap();
    assert_eq!((connected.scopes.join(" ").as_str(), connected.note), ("openid profile email", None));
    app.token("dev").await.unwrap();
    assert_eq!(dev.refreshes(), 1);
    assert_eq!(app.status("dev").await.scopes, ["openid", "profile", "email"]);
}

#[tokio::test]
async fn what_is_no_scope_is_refused_before_anything_is_sent() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    for wrong in ["", "repo gist", "\"repo\"", "a\\b", "é", "a\nb"] {
        let error = app.begin("dev", with(&["repo", wrong])).await.unwrap_err();
        assert_eq!(error.code().as_str(), "usage", "{wrong:?}");
        assert!(error.advice().contains("one scope at a time"), "{}", error.advice());
    }
    assert!(dev.provider.requests().is_empty());
}

#[tokio::test]
async fn a_device_login_adds_to_what_is_granted_too() {
    let dev = Dev::start().await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&dev.home, clock.clone()).await.unwrap();
    connect(&app, &["email"], "ada", Choice::Allow).await.0.unwrap();
    let mut options = with(&["repo"]);
    options.flow = Some(Flow::Device);
    let mut login = app.begin("dev", options).await.unwrap();
    assert!(dev.provider.allow_device(login.device().user_code(), "ada"));
    let progress = login.progress();
    let connected = within("a device login", async {
        tokio::select! {
            connected = login.wait() => connected,
            () = dev.pass_time(&clock, progress) => unreachable!("time passes for ever"),
        }
    });
    assert_eq!(connected.await.unwrap().scopes, ["openid", "profile", "email", "repo"]);
}
