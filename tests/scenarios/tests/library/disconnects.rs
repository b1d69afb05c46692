//! The end of a connection, whatever else is going on.

use loomkin_auth::protocol::revocation::RevocationAnswer;
use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{Dev, within};

#[tokio::test]
async fn a_refresh_that_meets_a_disconnect_revokes_what_it_got() {
    let dev = Dev::start().await;
    let (one, two) = (dev.expired().await, dev.app().await);
    let gate = dev.provider.hold_token_answers();
    let disconnect = async {
        gate.wait_for(1).await;
        let ended = two.disconnect("dev").await;
        gate.release();
        ended
    };
    let (refused, ended) = within("both", async { tokio::join!(one.token("dev"), disconnect) }).await;
    assert!(ended.unwrap().was_connected);
    assert_eq!(refused.unwrap_err().code().as_str(), "not_connected");
    one.close().await;
    for secret in dev.provider.issued_secrets() {
        assert!(!dev.provider.is_active(&secret), "nothing outlives the disconnect");
    }
}

#[tokio::test]
async fn a_server_that_cannot_revoke_is_reported_and_the_connection_is_gone() {
    for (fault, waits) in [
        (Fault::HtmlError { status: 500 }, true),
        (Fault::HtmlError { status: 404 }, false),
        (Fault::ResetBeforeProcessing, true),
        (Fault::invalid_client(), false),
    ] {
        let dev = Dev::start().await;
        let app = dev.app().await;
        app.connect("dev", "ada").await.unwrap();
        dev.provider.fault(Endpoint::Revocation, fault.clone()).until_cleared();
        let ended = app.disconnect("dev").await.unwrap();
        assert!(matches!(ended.revocation, RevocationAnswer::NotRevoked { .. }), "{fault:?}");
        assert_eq!(ended.queued_until.is_some(), waits, "{fault:?}");
        assert_eq!(app.status("dev").await.revocation_until, ended.queued_until, "{fault:?}");
        assert_eq!(app.token("dev").await.unwrap_err().code().as_str(), "not_connected");
    }
}
