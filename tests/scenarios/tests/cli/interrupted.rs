//! Ctrl-C.

use loomkin_auth_scenarios::{Dev, within};

#[tokio::test]
async fn ctrl_c_in_the_middle_of_a_login_stores_nothing() {
    let dev = Dev::start().await;
    let running = dev.home.call(&["connect", "dev", "--json", "--no-browser"]).start();
    running.authorization_url().await;
    running.interrupt();
    running.ended().await.exits(130);
    let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
    assert_eq!(status[0]["state"], "disconnected");
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn ctrl_c_in_the_middle_of_a_second_login_leaves_the_first() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    let running = dev.home.call(&["connect", "dev", "--json", "--no-browser"]).start();
    running.authorization_url().await;
    running.interrupt();
    running.ended().await.exits(130);
    assert_eq!(dev.home.run(&["token"]).await.token(), app.token("dev").await.unwrap());
}

#[tokio::test]
async fn ctrl_c_in_the_middle_of_a_refresh_waits_until_it_is_stored() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    let gate = dev.provider.hold_token_answers();
    let running = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    running.interrupt();
    within("the signal's arrival", running.stderr().says("stopped by a signal")).await;
    gate.release();
    let ran = running.ended().await.exits(130);
    assert_eq!(ran.stdout, "");

    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
    assert_eq!(dev.refreshes(), 1, "the refresh was stored and adopted");
}
