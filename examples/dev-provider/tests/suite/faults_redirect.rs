//! Faults of the redirect that answers an authorization request.

use std::collections::HashMap;

use loomkin_auth_dev_provider::{Endpoint, Fault, Settings};

use crate::app::{App, redirect_parameters};

async fn redirect_under(fault: Fault) -> HashMap<String, String> {
    let app = App::start().await;
    app.provider.fault(Endpoint::Authorization, fault).once();
    redirect_parameters(&app.authorize(&[]).await)
}

#[tokio::test]
async fn the_issuer_can_be_another_one() {
    let parameters = redirect_under(Fault::WrongIssuer).await;
    assert_eq!(parameters["iss"], "https://elsewhere.example");
    assert_eq!(parameters["state"], "the-state");
}

#[tokio::test]
async fn a_parameter_can_be_missing_or_the_state_another_one() {
    for name in ["code", "iss", "state"] {
        let parameters = redirect_under(Fault::MissingParameter { name: name.into() }).await;
        assert!(!parameters.contains_key(name) && parameters.len() == 2, "{parameters:?}");
    }
    assert_ne!(redirect_under(Fault::WrongState).await["state"], "the-state");
}

#[tokio::test]
async fn an_error_can_carry_markup() {
    let parameters = redirect_under(Fault::HtmlErrorRedirect).await;
    assert_eq!(parameters["error"], "server_error");
    assert!(parameters["error_description"].contains("<script>"));
    assert!(!parameters.contains_key("code"));
}

#[tokio::test]
async fn a_redirect_fault_waits_while_the_page_is_shown() {
    let app = App::start_with(Settings::default()).await;
    app.provider.fault(Endpoint::Authorization, Fault::WrongIssuer).once();
    assert_eq!(app.authorize(&[]).await.status(), 200);
    let answer = app.http.post(app.authorization_url(&[])).body("user=ada&decision=allow").send();
    assert_eq!(redirect_parameters(&answer.await.unwrap())["iss"], "https://elsewhere.example");
}
