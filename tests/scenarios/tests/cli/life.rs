//! A person at a terminal, from the first login to the last logout.

use loomkin_auth_scenarios::{Browser, Choice, Dev, Ran, connect_by_command};

async fn connect(dev: &Dev, account: &str, user: &str) -> Ran {
    let mut browser = Browser::new(user, Choice::Allow).unwrap();
    connect_by_command(&dev.home, account, &mut browser).await
}

#[tokio::test]
async fn a_connection_lives_from_login_to_disconnect() {
    let dev = Dev::start().await;
    dev.provider.next_access_token_lifetimes([std::time::Duration::ZERO]);
    let connected = connect(&dev, "dev", "ada").await.exits(0);
    let event: serde_json::Value = serde_json::from_str(connected.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&event["event"], &event["account_login"]), (&"connected".into(), &"ada".into()));

    let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
    assert_eq!((&status[0]["state"], &status[0]["active"]), (&"connected".into(), &true.into()));

    let ran = dev.home.run(&["token"]).await.exits(0);
    assert!(ran.stderr.contains("loomkin_auth::"), "the canary reads log lines: {}", ran.stderr);
    let token = ran.token();
    assert!(dev.provider.is_active(&token));
    assert_eq!(dev.refreshes(), 1);
    assert_eq!(dev.home.run(&["token", "dev", "--json"]).await.token(), token);
    assert_eq!(dev.refreshes(), 1);

    let me = dev.home.run(&["me", "--json"]).await.exits(0).json();
    assert_eq!((&me["provider"], &me["account_login"]), (&"dev".into(), &"ada".into()));

    let ended = dev.home.run(&["disconnect", "--json"]).await.exits(0).json();
    assert_eq!((&ended["was_connected"], &ended["revoked"]), (&true.into(), &true.into()));
    assert!(!dev.provider.is_active(&token));
    let after = dev.home.run(&["token", "dev", "--json"]).await.exits(77);
    assert_eq!(after.error()["code"], "not_connected");
}

#[tokio::test]
async fn selecting_none_leaves_everything_connected() {
    let dev = Dev::start().await;
    connect(&dev, "dev/one", "ada").await.exits(0);
    connect(&dev, "dev/two", "grace").await.exits(0);
    assert_eq!(dev.home.run(&["me", "--json"]).await.json()["account_login"], "grace");
    dev.home.run(&["use", "dev/one"]).await.exits(0);
    assert_eq!(dev.home.run(&["me", "--json"]).await.json()["account_login"], "ada");

    dev.home.run(&["use", "--none"]).await.exits(0);
    for verb in ["token", "me"] {
        let none = dev.home.run(&[verb, "--json"]).await.exits(77);
        assert_eq!(none.error()["code"], "no_active_provider");
    }
    let (one, two) = (dev.home.run(&["token", "dev/one"]).await, dev.home.run(&["token", "dev/two"]).await);
    assert_ne!(one.token(), two.token());
}

#[tokio::test]
async fn a_paste_that_is_wrong_may_be_followed_by_the_right_one() {
    let dev = Dev::start().await;
    dev.configure(&format!("redirect_uri = \"{}\"", dev.provider.url("/paste")));
    let mut running = dev.home.call(&["connect", "dev", "--json", "--no-browser", "--flow", "paste"]).start();
    let url = running.authorization_url().await;
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let answer = browser.walk(&url, &dev.provider.url("/paste")).await.unwrap();
    running.write_line("not-the-code#not-the-state").await;
    running.write_line(answer.as_str()).await;
    let ran = running.ended().await.exits(0);
    assert!(ran.stdout.contains(r#"{"event":"rejected""#), "{}", ran.stdout);
    assert!(dev.provider.is_active(&dev.home.run(&["token"]).await.token()));
}

#[tokio::test]
async fn a_person_who_says_no_is_believed() {
    let dev = Dev::start().await;
    let mut browser = Browser::new("ada", Choice::Deny).unwrap();
    let denied = connect_by_command(&dev.home, "dev", &mut browser).await.exits(77);
    assert_eq!(denied.error()["code"], "access_denied");
}

#[tokio::test]
async fn an_unknown_provider_is_answered_with_the_one_that_was_meant() {
    let dev = Dev::start().await;
    let ran = dev.home.run(&["token", "dve", "--json"]).await;
    let error = ran.error();
    assert!(error["advice"].as_str().unwrap().contains("dev"), "{error}");
    assert!(dev.provider.requests().is_empty());
}

#[tokio::test]
async fn a_provider_that_is_away_is_unavailable_and_comes_back() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    dev.provider.go_offline().await;
    let away = dev.home.run(&["token", "dev", "--json"]).await.exits(75);
    assert_eq!(away.error()["code"], "unavailable");
    dev.provider.go_online().await.unwrap();
    // The back-off in the store is short after one failure; the command waits for it.
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
}

#[tokio::test]
async fn the_configuration_is_shown_without_its_secrets() {
    let dev = Dev::start().await;
    for arguments in [&["config", "show"][..], &["config", "show", "--json"], &["config", "check"]] {
        let ran = dev.home.run(arguments).await.exits(0);
        assert!(!ran.stdout.contains("canary"), "{}", ran.stdout);
    }
}
