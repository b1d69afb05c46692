//! What the configuration says of the app, and what the server makes of it.

use loomkin_auth_scenarios::{App, Browser, Choice, Keycloak, Oidc, Peer as _, Ran, connect_by_command};

async fn connect(oidc: &Oidc<Keycloak>) -> Ran {
    connect_by_command(&oidc.home, "idp", &mut Browser::new("ada", Choice::Allow).unwrap()).await
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn the_issuer_and_a_client_id_are_enough() {
    let oidc = Oidc::<Keycloak>::start().await;
    oidc.configure(&format!("client_id = \"{}\"", Keycloak::CLIENT));
    let app = App::open(&oidc.home).await.unwrap();
    oidc.connect_expired(&app, &["idp".to_owned()]).await.unwrap();
    let token = oidc.home.run(&["token", "idp"]).await.token();
    assert_eq!(oidc.home.run(&["token", "idp"]).await.token(), token);
    assert_eq!(oidc.refreshes().await, 1);
    let ended = oidc.home.run(&["disconnect", "idp", "--json"]).await.exits(0).json();
    assert_eq!(ended["revoked"], true);
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn a_wrong_secret_is_the_configurations_fault_and_costs_no_connection() {
    let oidc = Oidc::<Keycloak>::start().await;
    oidc.configure_confidential("wrong", BASIC);
    assert_eq!(connect(&oidc).await.exits(78).error()["code"], "client_rejected");

    oidc.configure_confidential(Keycloak::CONFIDENTIAL_SECRET, BASIC);
    let app = App::open(&oidc.home).await.unwrap();
    oidc.connect_expired(&app, &["idp".to_owned()]).await.unwrap();
    for method in [BASIC, "client_secret_post"] {
        oidc.configure_confidential("changed-meanwhile", method);
        let refused = oidc.home.run(&["token", "idp", "--json"]).await.exits(78);
        assert_eq!(refused.error()["code"], "client_rejected", "{method}");
    }
    oidc.configure_confidential(Keycloak::CONFIDENTIAL_SECRET, BASIC);
    assert!(oidc.server.is_active(&oidc.home.run(&["token", "idp"]).await.token()).await.unwrap());
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn a_redirect_that_is_not_registered_is_told_to_the_person_and_the_login_stays_open() {
    let oidc = Oidc::<Keycloak>::start().await;
    oidc.configure(&format!(
        "client_id = \"{}\"\nredirect_uri = \"http://127.0.0.1/elsewhere\"\nscopes = [\"openid\"]",
        Keycloak::CLIENT
    ));
    let running = oidc.home.call(&["connect", "idp", "--json", "--no-browser"]).start();
    let url = running.authorization_url().await;
    let page = Browser::new("ada", Choice::Allow).unwrap().visit(&url).await.unwrap();
    assert_eq!(page.status, 400);
    assert!(page.text.contains("Invalid parameter: redirect_uri"), "{}", page.text);
    running.interrupt();
    running.ended().await.exits(130);
    assert_eq!(oidc.home.run(&["token", "idp", "--json"]).await.exits(77).error()["code"], "not_connected");
}

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn a_scope_that_the_server_does_not_know_is_the_configurations_fault() {
    let oidc = Oidc::<Keycloak>::start().await;
    oidc.configure(&format!("client_id = \"{}\"\nscopes = [\"openid\", \"nonsense\"]", Keycloak::CLIENT));
    assert_eq!(connect(&oidc).await.exits(78).error()["code"], "client_rejected");
}

const BASIC: &str = "client_secret_basic";
