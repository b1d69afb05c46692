//! A web app's login against a real server: its pages, its `iss`, its ID tokens.

use loomkin_auth_scenarios::{App, Browser, Choice, Oidc, Peer, Visitor};
use url::Url;

use super::ADA;

/// `answer` with its parameter `name` set to `value`, or without it.
fn with(answer: &Url, name: &str, value: Option<&str>) -> Url {
    let others: Vec<_> = answer.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    let mut url = answer.clone();
    url.query_pairs_mut().clear().extend_pairs(others);
    if let Some(value) = value {
        url.query_pairs_mut().append_pair(name, value);
    }
    url
}

pub(crate) async fn one_node_begins_a_login_and_another_finishes_it(oidc: Oidc<impl Peer>) {
    let (app, node) = (App::open(&oidc.home).await.unwrap(), App::open(&oidc.home).await.unwrap());
    let mut ada = Visitor::new("user-7", Browser::new("ada", Choice::Allow).unwrap());
    let visit = app.begin_hosted("idp", &mut ada).await.unwrap();
    let answer = ada.decide(&visit).await;
    // The server promises `iss` in its metadata.
    let forged = [
        with(&answer, "state", Some("not-the-state")),
        with(&answer, "iss", Some("https://elsewhere.example")),
        with(&answer, "iss", None),
        with(&answer, "code", None),
    ];
    for forged in &forged {
        let error = node.finish_hosted(&ada, forged).await.unwrap_err();
        assert_eq!(error.code().as_str(), "callback_rejected");
    }
    assert_eq!(oidc.server.count_token_requests("authorization_code").await.unwrap(), 0);

    let connected = node.finish_hosted(&ada, &answer).await.unwrap();

    assert_eq!(connected.account_login.as_deref(), Some(ADA));
    let token = app.token_of(&ada, "idp").await.unwrap();
    assert!(oidc.server.is_active(&token).await.unwrap());
    let replayed = app.finish_hosted(&ada, &answer).await.unwrap_err();
    assert_eq!(replayed.code().as_str(), "login_closed");
    assert!(
        oidc.server.is_active(&token).await.unwrap(),
        "a code that comes twice would have ended the grant"
    );
}

pub(crate) async fn a_person_who_refuses_is_believed(oidc: Oidc<impl Peer>) {
    let (app, node) = (App::open(&oidc.home).await.unwrap(), App::open(&oidc.home).await.unwrap());
    let mut ada = Visitor::new("user-7", Browser::new("ada", Choice::Deny).unwrap());
    let visit = app.begin_hosted("idp", &mut ada).await.unwrap();
    let answer = ada.decide(&visit).await;
    assert_eq!(node.finish_hosted(&ada, &answer).await.unwrap_err().code().as_str(), "access_denied");
    assert_eq!(app.finish_hosted(&ada, &answer).await.unwrap_err().code().as_str(), "login_closed");
}
