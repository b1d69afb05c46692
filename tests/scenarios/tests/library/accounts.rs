//! Whose connection it is, and with which server.

use loomkin_auth_dev_provider::{DevProvider, Endpoint, Fault, Settings};
use loomkin_auth_scenarios::{App, Dev};

#[tokio::test]
async fn another_account_than_the_one_asked_for_is_refused_and_the_old_tokens_work() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    let token = app.token("dev").await.unwrap();
    let error = app.connect("dev", "grace").await.unwrap_err();
    assert_eq!(error.code().as_str(), "account_mismatch");
    assert!(error.advice().contains("dev/NAME"), "{}", error.advice());

    assert_eq!(app.token("dev").await.unwrap(), token);
    assert!(dev.provider.is_active(&token));
    assert_eq!(app.status("dev").await.account_login.as_deref(), Some("ada"));
    app.connect("dev/grace", "grace").await.unwrap();
    assert_ne!(app.token("dev/grace").await.unwrap(), token);
}

#[tokio::test]
async fn an_id_token_of_somebody_else_is_another_account() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    let token = app.token("dev").await.unwrap();
    dev.provider.fault(Endpoint::Token, Fault::OtherAccount { user: "mallory".into() }).once();
    assert_eq!(app.connect("dev", "ada").await.unwrap_err().code().as_str(), "account_mismatch");
    assert_eq!(app.token("dev").await.unwrap(), token);
}

#[tokio::test]
async fn a_checkout_with_another_token_endpoint_gets_nothing() {
    let dev = Dev::start().await;
    let spell_out = |token_host: &str| {
        let host = dev.provider.issuer();
        format!(
            "[auth.store]\npath = \"store/auth.db\"\nkey = \"env:STORE_KEY\"\n\n\
             [auth.dev]\n\
             client_id = \"scenario-client\"\n\
             client_secret = \"${{CLIENT_SECRET}}\"\n\
             authorization_endpoint = \"{host}/authorize\"\n\
             token_endpoint = \"{token_host}/token\"\n\
             revocation_endpoint = \"{host}/revoke\"\n"
        )
    };
    dev.home.write_config(&spell_out(dev.provider.issuer()));
    let app = dev.app().await;
    dev.connect_expired(&app, "dev").await.unwrap();

    let thief = DevProvider::start(Settings::default()).await.unwrap();
    dev.home.write_config(&spell_out(thief.issuer()));
    dev.provider.clear_requests();
    let checkout = App::open(&dev.home).await.unwrap();
    let error = checkout.token("dev").await.unwrap_err();
    assert_eq!(error.code().as_str(), "not_connected");
    assert!(error.message().contains("nothing was sent"), "{error}");
    assert_eq!(checkout.status("dev").await.state.as_str(), "disconnected");
    assert!(thief.requests().is_empty() && dev.provider.requests().is_empty());

    dev.home.write_config(&spell_out(dev.provider.issuer()));
    let token = dev.app().await.token("dev").await.unwrap();
    assert!(dev.provider.is_active(&token));
    assert!(thief.requests().is_empty());
}
