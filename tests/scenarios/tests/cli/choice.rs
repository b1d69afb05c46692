//! What a terminal shows where the browser cannot come back by itself.

use std::time::Duration;

use loomkin_auth_dev_provider::{Endpoint, Fault, Settings};
use loomkin_auth_scenarios::{Browser, Choice, Dev, connect_by_command, within};

async fn over_ssh() -> Dev {
    let dev =
        Dev::start_with(Settings { device_interval: Duration::from_secs(1), ..Settings::default() }).await;
    dev.home.set_variable("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22");
    dev
}

#[tokio::test]
async fn over_ssh_a_person_reads_why_there_is_a_code_and_enters_it() {
    let dev = over_ssh().await;
    let running = dev.home.call(&["connect", "dev"]).start();
    let stderr = running.stderr();
    within("the code", stderr.clone().says("/device?user_code=")).await;
    let shown = stderr.text();
    let reason = "note: this is an SSH session, and your browser is on another machine; so enter a code on any device.";
    assert!(shown.lines().any(|line| line == reason), "{shown}");
    let address = dev.provider.url("/device?");
    let complete = shown.lines().find(|line| line.starts_with(&address)).unwrap();
    Browser::new("ada", Choice::Allow).unwrap().visit(complete).await.unwrap();
    running.ended().await.exits(0);
}

#[tokio::test]
async fn over_ssh_without_codes_what_is_pasted_finishes_the_login() {
    let dev = over_ssh().await;
    dev.provider.fault(Endpoint::Metadata, Fault::missing("device_authorization_endpoint")).until_cleared();
    let mut running = dev.home.call(&["connect", "dev", "--json"]).start();
    let event = running.first_event().await;
    assert_eq!((&event["flow"], &event["reads_paste"]), (&"loopback".into(), &true.into()), "{event}");
    assert!(event["reasons"][0].as_str().unwrap().contains("SSH"), "{event}");
    let url = event["url"].as_str().unwrap();
    let stop = loomkin_auth_scenarios::redirect_uri(url);
    let address = Browser::new("ada", Choice::Allow).unwrap().walk(url, &stop).await.unwrap();
    running.write_line("not-it").await;
    within("the rejection", running.stdout().says("rejected")).await;
    running.write_line(address.as_str()).await;
    let ran = running.ended().await.exits(0);
    assert!(ran.stdout.lines().last().unwrap().contains("\"connected\""), "{}", ran.stdout);
}

#[tokio::test]
async fn over_ssh_without_codes_a_person_is_told_what_to_paste_and_what_was_wrong_with_it() {
    let dev = over_ssh().await;
    dev.provider.fault(Endpoint::Metadata, Fault::missing("device_authorization_endpoint")).until_cleared();
    let mut running = dev.home.call(&["connect", "dev"]).start();
    let stderr = running.stderr();
    within("the question", stderr.clone().says("Or paste the address")).await;
    let shown = stderr.text();
    assert!(
        shown.contains("so log in with any browser, and paste the address that it ends up at"),
        "{shown}"
    );
    let authorize = dev.provider.url("/authorize?");
    let url = shown.lines().find(|line| line.starts_with(&authorize)).unwrap();
    let stop = loomkin_auth_scenarios::redirect_uri(url);
    let address = Browser::new("ada", Choice::Allow).unwrap().walk(url, &stop).await.unwrap();
    running.write_line("not-it").await;
    within("the rejection", stderr.says("not accepted:")).await;
    running.write_line(address.as_str()).await;
    let ran = running.ended().await.exits(0);
    assert!(ran.stdout.starts_with("Connected dev as ada"), "{}", ran.stdout);
}

#[tokio::test]
async fn over_ssh_the_end_of_stdin_does_not_end_a_login_whose_browser_may_come_back() {
    let dev = over_ssh().await;
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let call = dev.home.call(&["connect", "dev", "--json", "--flow", "loopback"]).stdin_that_has_ended();
    call.follow(&mut browser).await.exits(0);
}

#[tokio::test]
async fn on_a_build_server_a_flow_has_to_be_named() {
    let dev = Dev::start().await;
    dev.home.set_variable("CI", "true");
    let ran = dev.home.run(&["connect", "dev", "--json"]).await.exits(64);
    assert_eq!(ran.error()["code"], "usage");
    assert!(ran.error()["advice"].as_str().unwrap().contains("--flow device"), "{}", ran.stderr);
}

#[tokio::test]
async fn at_a_desktop_nothing_is_explained() {
    let dev = Dev::start().await;
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let ran = connect_by_command(&dev.home, "dev", &mut browser).await.exits(0);
    let first: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["reasons"], &first["reads_paste"]),
        (&serde_json::json!([]), &false.into()),
        "{first}"
    );
}
