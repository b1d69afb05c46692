//! A server that keeps the grants of one person and one client apart, even those of one session in the browser.

use loomkin_auth::protocol::revocation::RevocationAnswer;
use loomkin_auth_scenarios::{App, Keycloak, Oidc, Peer as _};

#[tokio::test]
#[ignore = "needs Java and tests/servers/keycloak/setup"]
async fn a_disconnect_ends_one_connection_and_leaves_the_persons_others() {
    let oidc = Oidc::<Keycloak>::start().await;
    let app = App::open(&oidc.home).await.unwrap();
    let accounts = ["idp/one", "idp/two"].map(str::to_owned);
    oidc.connect_expired(&app, &accounts).await.unwrap();
    let [one, two] = &accounts;
    let ended = app.token(one).await.unwrap();
    assert_eq!(app.disconnect(one).await.unwrap().revocation, RevocationAnswer::Revoked);
    assert!(!oidc.server.is_active(&ended).await.unwrap());
    // Ended before, and renewed only now.
    assert!(oidc.server.is_active(&app.token(two).await.unwrap()).await.unwrap());
    assert_eq!(oidc.refreshes().await, 2);
}
