//! `connect --scope`, and what the status says about scopes.

use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{Browser, Choice, Dev, Ran};
use serde_json::{Value, json};

async fn connect(dev: &Dev, more: &[&str]) -> Ran {
    let arguments = [&["connect", "dev", "--json", "--no-browser"], more].concat();
    dev.home.call(&arguments).follow(&mut Browser::new("ada", Choice::Allow).unwrap()).await
}

fn last(ran: &Ran) -> Value {
    serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap()
}

#[tokio::test]
async fn scopes_are_added_and_what_is_missing_is_named() {
    let dev = Dev::start().await;
    connect(&dev, &[]).await.exits(0);
    let ran = connect(&dev, &["--scope", "email", "--scope", "repo"]).await.exits(0);
    assert_eq!(last(&ran)["scopes"], json!(["openid", "profile", "email", "repo"]));

    dev.provider.fault(Endpoint::Token, Fault::field("scope", "openid email repo")).once();
    let ran = connect(&dev, &["--scope", "gist"]).await.exits(0);
    assert_eq!(last(&ran)["missing_scopes"], json!(["profile", "gist"]));
    assert!(ran.stderr.contains("did not grant profile, gist"), "{}", ran.stderr);

    let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
    assert_eq!(status[0]["missing_scopes"], json!(["profile"]));
    let step = "Run `loomkin-auth connect dev --scope profile`.";
    assert_eq!(status[0]["next_step"], step);
    let shown = dev.home.run(&["status"]).await.exits(0).stdout;
    assert!(shown.contains(step) && shown.contains("configured and not granted: profile"), "{shown}");
}

#[tokio::test]
async fn what_is_no_scope_is_a_wrong_command() {
    let dev = Dev::start().await;
    let ran = dev.home.run(&["connect", "dev", "--json", "--scope", "repo gist"]).await.exits(64);
    assert_eq!(ran.error()["code"], "usage");
}
