//! Logging out, and what the command says of it.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_dev_provider::{Endpoint, Fault, Moment};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, MovedClock, redirect_uri, within};
use serde_json::Value;

async fn connected(accounts: &[&str]) -> Dev {
    let dev = Dev::start().await;
    let app = dev.app().await;
    for (account, user) in accounts.iter().zip(["ada", "grace"]) {
        app.connect(account, user).await.unwrap();
    }
    dev
}

/// Whether nothing that the server has ever given is good any more.
fn is_over(dev: &Dev) -> bool {
    dev.provider.issued_secrets().iter().all(|secret| !dev.provider.is_active(secret))
}

async fn status(dev: &Dev) -> Value {
    dev.home.run(&["status", "--json"]).await.exits(0).json()[0].clone()
}

fn revocations(dev: &Dev) -> usize {
    dev.provider.requests().iter().filter(|request| request.path == "/revoke").count()
}

#[tokio::test]
async fn what_the_provider_revokes_is_over_everywhere() {
    let dev = connected(&["dev"]).await;
    let ran = dev.home.run(&["disconnect"]).await.exits(0);
    assert_eq!(ran.stdout, "Disconnected dev, here and at the provider.\n");
    assert!(is_over(&dev));
    let again = dev.home.run(&["disconnect", "dev"]).await.exits(0);
    assert_eq!(again.stdout, "dev was not connected; a login of it that is still open is closed.\n");
}

#[tokio::test]
async fn what_a_provider_that_is_away_cannot_revoke_is_said_shown_and_sent_by_a_later_command() {
    let dev = connected(&["dev"]).await;
    let fault = Fault::HtmlError { status: 503 };
    dev.provider.fault(Endpoint::Revocation, fault).until_cleared();
    let ran = dev.home.run(&["disconnect", "dev"]).await.exits(0);
    assert_eq!(
        ran.stdout,
        "Disconnected dev here, but not yet at the provider: the revocation endpoint answered 503. It is tried again \
         for 24 hours.\n"
    );
    let shown = status(&dev).await;
    assert_eq!(shown["state"], "disconnected");
    assert!(shown["revocation_until"].is_string(), "{shown}");
    let table = dev.home.run(&["status"]).await.exits(0);
    assert!(table.stdout.contains("its revocation is still to be sent"), "{}", table.stdout);
    assert!(!is_over(&dev));

    dev.provider.clear_faults();
    // Its back-off is a second or two after so few failures.
    let retrying = async {
        while status(&dev).await["revocation_until"].is_string() {
            dev.home.run(&["disconnect", "dev"]).await.exits(0);
        }
    };
    within("the back-off", retrying).await;
    assert!(is_over(&dev));
}

#[tokio::test]
async fn json_says_until_when_a_revocation_waits() {
    let dev = connected(&["dev"]).await;
    dev.provider.go_offline().await;
    let ended = dev.home.run(&["disconnect", "--json"]).await.exits(0).json();
    assert_eq!((&ended["was_connected"], &ended["revoked"]), (&true.into(), &false.into()));
    assert!(ended["queued_until"].is_string() && ended["reason"].is_string(), "{ended}");
}

#[tokio::test]
async fn what_can_never_be_revoked_does_not_wait() {
    let dev = Dev::start().await;
    let url = |path| dev.provider.url(path);
    dev.home.write_config(&format!(
        "[auth.store]\npath = \"store/auth.db\"\nkey = \"env:STORE_KEY\"\n\n[auth.dev]\n\
         authorization_endpoint = \"{}\"\ntoken_endpoint = \"{}\"\n\
         client_id = \"scenario-client\"\nclient_secret = \"${{CLIENT_SECRET}}\"\n",
        url("/authorize"),
        url("/token"),
    ));
    dev.app().await.connect("dev", "ada").await.unwrap();
    let ran = dev.home.run(&["disconnect"]).await.exits(0);
    assert_eq!(
        ran.stdout,
        "Disconnected dev here, but not at the provider: the provider offers no revocation; end the access in its \
         own settings.\n"
    );
    assert!(status(&dev).await["revocation_until"].is_null());
}

#[tokio::test]
async fn a_local_disconnect_leaves_the_grant_alone() {
    let dev = connected(&["dev"]).await;
    let token = dev.home.run(&["token"]).await.token();
    let ran = dev.home.run(&["disconnect", "--local"]).await.exits(0);
    assert_eq!(ran.stdout, "Disconnected dev here alone; at the provider it lives on.\n");
    assert!(dev.provider.is_active(&token));
    assert_eq!(revocations(&dev), 0);
    assert_eq!(dev.home.run(&["token", "dev", "--json"]).await.exits(77).error()["code"], "not_connected");

    dev.app().await.connect("dev", "ada").await.unwrap();
    let ended = dev.home.run(&["disconnect", "--local", "--json"]).await.exits(0).json();
    assert_eq!((&ended["revoked"], &ended["queued_until"]), (&false.into(), &Value::Null));
    assert!(ended["reason"].as_str().unwrap().contains("lives on"), "{ended}");
}

#[tokio::test]
async fn all_of_them_end_and_each_is_told() {
    let dev = connected(&["dev/one", "dev/two"]).await;
    let ended = dev.home.run(&["disconnect", "--all", "--json"]).await.exits(0).json();
    let told: Vec<_> = ended
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["account"].clone(), one["revoked"].clone()))
        .collect();
    assert_eq!(told, [("one".into(), true.into()), ("two".into(), true.into())]);
    assert!(is_over(&dev));
    assert_eq!(dev.home.run(&["disconnect", "--all"]).await.exits(0).stdout, "Nothing was connected.\n");
    assert_eq!(dev.home.run(&["disconnect", "--all", "--json"]).await.exits(0).stdout, "[]\n");
}

#[tokio::test]
async fn all_and_one_is_a_contradiction() {
    let dev = connected(&["dev"]).await;
    let ran = dev.home.run(&["disconnect", "dev", "--all", "--json"]).await.exits(64);
    assert_eq!(ran.error()["code"], "usage");
    assert_eq!(status(&dev).await["state"], "connected");
}

#[tokio::test]
async fn a_disconnect_that_is_killed_is_ended_by_another_process() {
    let dev = connected(&["dev"]).await;
    dev.provider.fault(Endpoint::Revocation, Fault::Hang).once();
    let gate = dev.provider.hold(Endpoint::Revocation, Moment::BeforeProcessing);
    let running = dev.home.call(&["disconnect", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    running.kill().await;
    gate.release();
    assert!(!is_over(&dev));
    assert!(status(&dev).await["revocation_until"].is_string());

    let later = Arc::new(MovedClock::new(Duration::from_secs(61)));
    App::open_at(&dev.home, later).await.unwrap().retry_revocations().await.unwrap();
    assert!(is_over(&dev));
    assert!(status(&dev).await["revocation_until"].is_null());
}

#[tokio::test]
async fn ctrl_c_in_the_middle_of_a_disconnect_waits_for_the_answer() {
    let dev = connected(&["dev"]).await;
    let gate = dev.provider.hold(Endpoint::Revocation, Moment::BeforeAnswering);
    let running = dev.home.call(&["disconnect", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    running.interrupt();
    within("the signal's arrival", running.stderr().says("stopped by a signal")).await;
    gate.release();
    running.ended().await.exits(130);
    assert!(is_over(&dev));
    assert!(status(&dev).await["revocation_until"].is_null());
}

#[tokio::test]
async fn a_login_that_somebody_disconnects_meanwhile_is_closed() {
    let dev = Dev::start().await;
    let running = dev.home.call(&["connect", "dev", "--json", "--no-browser"]).start();
    let url = running.authorization_url().await;
    let ran = dev.home.run(&["disconnect", "dev"]).await.exits(0);
    assert_eq!(ran.stdout, "dev was not connected; a login of it that is still open is closed.\n");
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let page = within("the pages", browser.walk_into(&url, &redirect_uri(&url))).await.unwrap();
    assert!(page.text.contains("disconnected"), "{}", page.text);
    assert_eq!(running.ended().await.exits(1).error()["code"], "login_closed");
    assert_eq!(status(&dev).await["state"], "disconnected");
    assert!(is_over(&dev), "nobody would know of that grant");
}
