//! A person at a terminal, from the first login to the last logout.

use loomkin_auth_scenarios::{App, Browser, Choice, Oidc, Peer, Ran, connect_by_command};
use serde_json::Value;

use super::ADA;

async fn connect(oidc: &Oidc<impl Peer>, account: &str, user: &str) -> Ran {
    connect_by_command(&oidc.home, account, &mut Browser::new(user, Choice::Allow).unwrap()).await
}

pub(crate) async fn a_connection_lives_from_login_to_disconnect(oidc: Oidc<impl Peer>) {
    let connected = connect(&oidc, "idp", "ada").await.exits(0);
    let event: Value = serde_json::from_str(connected.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&event["event"], &event["account_login"]), (&"connected".into(), &ADA.into()));

    let status = oidc.home.run(&["status", "--json"]).await.exits(0).json();
    assert_eq!((&status[0]["state"], &status[0]["active"]), (&"connected".into(), &true.into()));
    let me = oidc.home.run(&["me", "--json"]).await.exits(0).json();
    assert_eq!((&me["provider"], &me["account_login"]), (&"idp".into(), &ADA.into()));
    let token = oidc.home.run(&["token"]).await.token();
    assert!(oidc.server.is_active(&token).await.unwrap());
    assert_eq!(oidc.refreshes().await, 0);

    let ended = oidc.home.run(&["disconnect", "idp", "--json"]).await.exits(0).json();
    assert_eq!((&ended["was_connected"], &ended["revoked"]), (&true.into(), &true.into()));
    assert!(!oidc.server.is_active(&token).await.unwrap());
    let after = oidc.home.run(&["token", "idp", "--json"]).await.exits(77);
    assert_eq!(after.error()["code"], "not_connected");
}

pub(crate) async fn an_expired_token_is_refreshed_with_rotation(oidc: Oidc<impl Peer>) {
    let app = App::open(&oidc.home).await.unwrap();
    for round in 1..4 {
        // Ended once more: another login of the same account, then a refresh by the command.
        oidc.connect_expired(&app, &["idp".to_owned()]).await.unwrap();
        let token = oidc.home.run(&["token", "idp"]).await.token();
        assert!(oidc.server.is_active(&token).await.unwrap());
        assert_eq!(oidc.home.run(&["token", "idp"]).await.token(), token);
        assert_eq!(oidc.refreshes().await, round);
    }
}

pub(crate) async fn what_the_user_revokes_keeps_its_tokens_and_heals_by_the_next_login(
    oidc: Oidc<impl Peer>,
) {
    let app = App::open(&oidc.home).await.unwrap();
    oidc.connect_expired(&app, &["idp".to_owned()]).await.unwrap();
    oidc.server.revoke_grants().await.unwrap();
    for _ in 0..2 {
        let refused = oidc.home.run(&["token", "idp", "--json"]).await.exits(77);
        assert_eq!(refused.error()["code"], "reconnect_required");
        let status = oidc.home.run(&["status", "--json"]).await.exits(0).json();
        assert_eq!(status[0]["state"], "reconnect_required");
        assert_eq!((&status[0]["reason"], &status[0]["account_login"]), (&"revoked".into(), &ADA.into()));
    }
    assert_eq!(oidc.refreshes().await, 1, "a dead token is not presented twice");
    connect(&oidc, "idp", "ada").await.exits(0);
    assert!(oidc.server.is_active(&oidc.home.run(&["token"]).await.token()).await.unwrap());
}

pub(crate) async fn selecting_none_is_no_active_provider(oidc: Oidc<impl Peer>) {
    connect(&oidc, "idp/one", "ada").await.exits(0);
    connect(&oidc, "idp/two", "grace").await.exits(0);
    oidc.home.run(&["use", "idp/one"]).await.exits(0);
    assert_eq!(oidc.home.run(&["me", "--json"]).await.json()["account_login"], ADA);
    oidc.home.run(&["use", "--none"]).await.exits(0);
    let none = oidc.home.run(&["token", "--json"]).await.exits(77);
    assert_eq!(none.error()["code"], "no_active_provider");
    assert!(oidc.server.is_active(&oidc.home.run(&["token", "idp/two"]).await.token()).await.unwrap());
}

pub(crate) async fn a_second_account_is_refused_where_another_was_asked_for(oidc: Oidc<impl Peer>) {
    connect(&oidc, "idp", "ada").await.exits(0);
    let token = oidc.home.run(&["token"]).await.token();
    let refused = connect(&oidc, "idp", "grace").await.exits(77);
    assert_eq!(refused.error()["code"], "account_mismatch");
    assert_eq!(oidc.home.run(&["token"]).await.token(), token);
    assert!(oidc.server.is_active(&token).await.unwrap());
}

pub(crate) async fn a_client_presents_its_secret_in_the_header_or_in_the_body<P: Peer>(oidc: Oidc<P>) {
    for (refreshes, method) in [(1, "client_secret_basic"), (2, "client_secret_post")] {
        oidc.configure_confidential(P::CONFIDENTIAL_SECRET, method);
        let app = App::open(&oidc.home).await.unwrap();
        oidc.connect_expired(&app, &["idp".to_owned()]).await.unwrap();
        assert!(oidc.server.is_active(&oidc.home.run(&["token", "idp"]).await.token()).await.unwrap());
        assert_eq!(oidc.refreshes().await, refreshes, "{method}");
        let ended = oidc.home.run(&["disconnect", "idp", "--json"]).await.exits(0).json();
        assert_eq!(ended["revoked"], true, "{method}");
    }
}
