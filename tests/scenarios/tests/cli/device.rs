//! A person who logs in on another device than the terminal is on.

use std::time::Duration;

use loomkin_auth_dev_provider::{Endpoint, Fault, Settings};
use loomkin_auth_scenarios::{Browser, Choice, Dev, within};
use serde_json::Value;

async fn start() -> Dev {
    // The command lives by the system's clock: nobody should have to wait for it.
    let dev =
        Dev::start_with(Settings { device_interval: Duration::from_secs(1), ..Settings::default() }).await;
    dev.configure("flow = \"device\"");
    dev
}

fn text(event: &Value, name: &str) -> String {
    event[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_code_is_told_in_one_event_and_in_no_log_line() {
    let dev = start().await;
    // Something to log.
    dev.provider.fault(Endpoint::Token, Fault::ResetBeforeProcessing).once();
    let running = dev.home.call(&["connect", "dev", "--json"]).start();
    let event = running.first_event().await;
    assert_eq!((&event["event"], &event["interval"]), (&"device".into(), &1.into()), "{event}");
    let (code, page) = (text(&event, "user_code"), text(&event, "verification_uri"));
    let done = Browser::new("ada", Choice::Allow).unwrap().enter(&code, &page).await.unwrap();
    assert!(done.text.contains("Done"), "{}", done.text);

    let ran = running.ended().await.exits(0);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["account_login"]), (&"connected".into(), &"ada".into()));
    // The address with the code in it, for the person, and nothing else.
    let told: Vec<_> = ran.stderr.lines().filter(|line| line.contains(&code)).collect();
    assert_eq!(told, [text(&event, "verification_uri_complete")]);
    assert!(ran.stderr.contains("loomkin_auth"), "the canary reads log lines: {}", ran.stderr);
    assert!(dev.provider.is_active(&dev.home.run(&["token"]).await.token()));
}

#[tokio::test]
async fn a_person_reads_where_to_go_what_to_enter_and_what_is_wrong_meanwhile() {
    let dev = start().await;
    dev.provider.fault(Endpoint::Token, Fault::HtmlError { status: 502 }).times(1);
    let running = dev.home.call(&["connect", "dev"]).start();
    let stderr = running.stderr();
    within("the trouble", stderr.clone().says("the token endpoint answered 502. The server is asked again."))
        .await;
    within("its end", stderr.clone().says("The server answers again.")).await;
    let shown = stderr.text();
    let alone =
        |start: &str| shown.lines().find(|line| line.starts_with(start) && !line.contains(' ')).unwrap();
    assert_eq!(alone("http://"), dev.provider.url("/device"));
    let complete = alone(&dev.provider.url("/device?"));
    let code = complete.split_once('=').unwrap().1;
    assert!(shown.contains(&format!("Enter this code there: {code}\n")), "{shown}");
    assert!(shown.contains("for at most 10 minutes"), "{shown}");
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('█'),
        "nothing is drawn where nobody looks: {shown}"
    );
    Browser::new("ada", Choice::Allow).unwrap().visit(complete).await.unwrap();
    let ran = running.ended().await.exits(0);
    assert!(ran.stdout.starts_with("Connected dev as ada"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_person_who_says_no_is_believed() {
    let dev = start().await;
    let running = dev.home.call(&["connect", "dev", "--json"]).start();
    let event = running.first_event().await;
    let mut browser = Browser::new("ada", Choice::Deny).unwrap();
    browser.visit(&text(&event, "verification_uri_complete")).await.unwrap();
    assert_eq!(running.ended().await.exits(77).error()["code"], "access_denied");
}

#[tokio::test]
async fn ctrl_c_while_a_person_decides_stores_nothing() {
    let dev = start().await;
    for arguments in [&["connect", "dev", "--json"][..], &["connect", "dev"]] {
        let running = dev.home.call(arguments).start();
        within("the code", running.stderr().says("/device?user_code=")).await;
        running.interrupt();
        running.ended().await.exits(130);
        let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
        assert_eq!(status[0]["state"], "disconnected");
    }
}

#[tokio::test]
async fn a_code_that_nobody_enters_expires() {
    let dev = start().await;
    dev.provider.fault(Endpoint::DeviceAuthorization, Fault::field("expires_in", 3)).once();
    let ran = dev.home.run(&["connect", "dev", "--json"]).await.exits(1);
    assert_eq!(ran.error()["code"], "login_closed");
}

#[tokio::test]
async fn a_provider_without_the_endpoint_is_said() {
    let dev = Dev::start().await;
    dev.provider.fault(Endpoint::Metadata, Fault::missing("device_authorization_endpoint")).until_cleared();
    let ran = dev.home.run(&["connect", "dev", "--flow", "device", "--json"]).await.exits(78);
    assert_eq!(ran.error()["code"], "config_invalid");
}
