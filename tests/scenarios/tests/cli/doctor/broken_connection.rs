//! What is wrong with connections.

use loomkin_auth_scenarios::Dev;

use super::{KEY, connected, reconfigure, visit, visit_by};

#[tokio::test]
async fn a_connection_made_with_another_configuration() {
    let dev = connected().await;
    dev.configure("base_url = \"https://elsewhere.example.com\"\n[auth.tiers.fast]\nprovider = \"dev\"");
    let visit = visit(&dev.home, 77).await;
    // Once, and not once more for the tier.
    assert_eq!(visit.codes(), ["connection_foreign"]);
    assert!(visit.findings[0]["message"].as_str().unwrap().contains("base_url"));
    assert!(visit.remedy("connection_foreign").contains("`loomkin-auth connect dev`"));
}

#[tokio::test]
async fn a_connection_whose_provider_is_gone() {
    let dev = connected().await;
    dev.home.write_providers("");
    let visit = visit(&dev.home, 0).await;
    assert_eq!(visit.codes(), ["connection_left_over"]);
    assert!(visit.remedy("connection_left_over").contains("`loomkin-auth disconnect dev --local`"));
}

#[tokio::test]
async fn a_connection_at_its_end() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    dev.provider.revoke_grants();
    dev.home.run(&["token", "dev"]).await.exits(77);
    let visit = visit(&dev.home, 77).await;
    assert_eq!(visit.codes(), ["connection_over"]);
    assert_eq!(visit.remedy("connection_over"), "Run `loomkin-auth connect dev`.");
}

#[tokio::test]
async fn a_connection_behind_a_variable() {
    let dev = connected().await;
    dev.configure("auth_token_env = \"DEV_TOKEN\"");
    let visit =
        visit_by(&dev.home, |call| call.variable("DEV_TOKEN", Some(KEY)), &["doctor", "--json"], 1).await;
    assert_eq!(visit.codes(), ["credential_shadowed"]);
    assert_eq!(visit.proofs(), ["dev: auth_token variable DEV_TOKEN"]);
}

#[tokio::test]
async fn scopes_that_are_configured_and_not_granted() {
    let dev = connected().await;
    reconfigure(&dev.home, "\"profile\"]", "\"profile\", \"gist\"]");
    let visit = visit(&dev.home, 1).await;
    assert_eq!(visit.codes(), ["scopes_missing"]);
    assert_eq!(visit.remedy("scopes_missing"), "Run `loomkin-auth connect dev --scope gist`.");
}
