//! What ends a login without a connection.

use std::time::Duration;

use loomkin_auth::auth::HostedOptions;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::lifecycle::DisconnectScope;

use crate::support::{CONFIG, ISSUER, Stage, account, owner};

#[tokio::test]
async fn after_its_deadline_a_login_is_closed() {
    for (timeout, lasts) in [(None, 600), (Some(Duration::from_secs(60)), 60), (Some(Duration::MAX), 600)] {
        let stage = Stage::new();
        let app = stage.app().await;
        let mut options = HostedOptions::default();
        options.timeout = timeout;
        let (in_time, late) =
            (app.begin_with("ada", options.clone()).await, app.begin_with("ada", options).await);
        assert_eq!(late.max_age, Duration::from_secs(lasts));
        stage.clock.advance(Duration::from_secs(lasts));
        app.finish("ada", &in_time.answer(), &in_time.cookies).await.unwrap();
        stage.clock.advance(Duration::from_millis(1));
        for _ in 0..2 {
            let error = app.finish("ada", &late.answer(), &late.cookies).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::LoginClosed);
        }
        assert_eq!(stage.network.forms().len(), 1);
    }
}

#[tokio::test]
async fn an_error_of_the_server_ends_the_login() {
    let expected = [
        ("access_denied", ErrorCode::AccessDenied),
        ("temporarily_unavailable", ErrorCode::Unavailable),
        ("unauthorized_client", ErrorCode::ClientRejected),
    ];
    let stage = Stage::new();
    let app = stage.app().await;
    for (word, code) in expected {
        let login = app.begin("ada").await;
        let query = format!("error={word}&state={}&iss={}", login.query["state"], ISSUER);
        let error = app.finish("ada", &query, &login.cookies).await.unwrap_err();
        assert_eq!((error.code(), error.provider().map(ToString::to_string)), (code, Some("idp".to_owned())));
        let again = app.finish("ada", &login.answer(), &login.cookies).await.unwrap_err();
        assert_eq!(again.code(), ErrorCode::LoginClosed, "{word}");
    }
    assert!(stage.network.forms().is_empty());
}

#[tokio::test]
async fn a_cancelled_login_is_over_and_nobody_else_can_cancel_it() {
    let stage = Stage::new();
    let (app, other) = (stage.app().await, stage.app().await);
    let (login, another) = (app.begin("ada").await, app.begin("ada").await);
    assert!(!other.auth.cancel_hosted(&owner("grace"), login.id).await.unwrap());
    assert!(other.auth.cancel_hosted(&owner("ada"), login.id).await.unwrap());
    assert!(!app.auth.cancel_hosted(&owner("ada"), login.id).await.unwrap());
    let error = app.finish("ada", &login.answer(), &login.cookies).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::LoginClosed);
    app.finish("ada", &another.answer(), &another.cookies).await.unwrap();
}

#[tokio::test]
async fn a_disconnect_in_another_process_closes_the_logins_that_have_begun() {
    let stage = Stage::new();
    let (one, two, three) = (stage.app().await, stage.app().await, stage.app().await);
    let (login, hers) = (one.begin("ada").await, one.begin("grace").await);
    two.auth.disconnect(&account("ada"), DisconnectScope::Everywhere).await.unwrap();
    let error = three.finish("ada", &login.answer(), &login.cookies).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::LoginClosed);
    assert_eq!(three.auth.access_token(&account("ada")).await.unwrap_err().code(), ErrorCode::NotConnected);
    three.finish("grace", &hers.answer(), &hers.cookies).await.unwrap();
    let after = one.begin("ada").await;
    three.finish("ada", &after.answer(), &after.cookies).await.unwrap();
}

#[tokio::test]
async fn a_login_begun_with_another_configuration_is_left_to_that() {
    let stage = Stage::new();
    let login = stage.app().await.begin("ada").await;
    let changed = stage.app_with(&CONFIG.replace("client_id = \"client\"", "client_id = \"other\"")).await;
    let error = changed.finish("ada", &login.answer(), &login.cookies).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::LoginClosed);
    assert!(error.message().contains("client_id"), "{}", error.message());
    assert!(stage.network.forms().is_empty());
    stage.app().await.finish("ada", &login.answer(), &login.cookies).await.unwrap();
}
