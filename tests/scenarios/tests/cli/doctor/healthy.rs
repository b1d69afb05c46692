//! Homes in which all is well: no finding at all, or nothing but a note.

use loomkin_auth_scenarios::Home;

use super::{KEY, connected, set_key, visit, visit_by};

#[tokio::test]
async fn a_connected_home_is_well() {
    let dev = connected().await;
    dev.configure("[auth.tiers.fast]\nprovider = \"dev\"\nauth_mode = \"oauth\"");
    let visit = visit(&dev.home, 0).await;
    assert_eq!(visit.codes(), [""; 0]);
    assert_eq!(visit.proofs(), ["fast: oauth store"]);
    let said = dev.home.run(&["doctor"]).await.exits(0).stdout;
    assert_eq!(said, "ok: fast, tier of dev has its OAuth connection (store)\nEverything is well.\n");
}

#[tokio::test]
async fn a_home_with_keys_in_all_three_places_is_well() {
    let home = Home::new(
        "[auth.openai]\napi_key_env = \"WORK_KEY\"\n\
         [auth.zai]\napi_key = \"${ZAI_KEY}\"\n\
         [auth.anthropic]\nbase_url = \"https://api.anthropic.com\"\n\
         [auth.tiers.fast]\nprovider = \"openai\"\nuse_oauth = false\n",
    );
    home.set_variable("WORK_KEY", KEY);
    home.set_variable("ZAI_KEY", KEY);
    set_key(&home, "anthropic").await;
    let visit = visit(&home, 0).await;
    assert_eq!(visit.codes(), [""; 0]);
    assert_eq!(
        visit.proofs(),
        [
            "fast: api_key variable WORK_KEY",
            "anthropic: api_key store",
            "zai: api_key .loomkin.toml:8 (variable ZAI_KEY)"
        ]
    );
}

#[tokio::test]
async fn a_new_home_with_a_local_model_is_well_and_gets_no_store() {
    let home = Home::new("[provider.endpoints]\nvllm = { url = \"http://localhost:8000/v1\" }\n");
    let visit = visit(&home, 0).await;
    assert_eq!(visit.codes(), ["store_new"]);
    assert_eq!(visit.proofs(), ["vllm: none nowhere"]);
    assert!(!home.path("store").exists());
}

#[tokio::test]
async fn a_healthy_home_is_well_also_where_the_network_is_asked() {
    let dev = connected().await;
    let visit = visit_by(&dev.home, |call| call, &["doctor", "--probe", "--json"], 0).await;
    assert_eq!(visit.codes(), [""; 0]);
    assert_eq!(dev.refreshes(), 0);
}
