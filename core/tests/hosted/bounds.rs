//! How many logins may wait.

use std::time::Duration;

use loomkin_auth::auth::HostedOptions;
use loomkin_auth::error::ErrorCode;

use crate::support::{Stage, account};

#[tokio::test]
async fn ten_thousand_unfinished_logins_of_one_owner_harm_nobody_else() {
    let stage = Stage::new();
    let app = stage.app_in_memory().await;
    let before = app.begin("grace").await;
    let oldest = app.begin("ada").await;
    let mut latest = Vec::new();
    for number in 0..10_000 {
        let login = app.begin("ada").await;
        if number >= 10_000 - 32 {
            latest.push(login);
        }
    }
    let after = app.begin("linus").await;
    app.finish("grace", &before.answer(), &before.cookies).await.unwrap();
    app.finish("linus", &after.answer(), &after.cookies).await.unwrap();
    // Of what was pushed out nothing is left, so that it cannot be told from a state that was never given out.
    let gone = app.finish("ada", &oldest.answer(), &oldest.cookies).await.unwrap_err();
    assert_eq!(gone.code(), ErrorCode::CallbackRejected);
    for login in latest {
        app.finish("ada", &login.answer(), &login.cookies).await.unwrap();
    }
}

#[tokio::test]
async fn ten_thousand_unfinished_logins_of_many_owners_are_all_there_are() {
    let stage = Stage::new();
    let app = stage.app_in_memory().await;
    let first = app.begin("grace").await;
    for number in 1..10_000 {
        app.begin(&format!("user-{}", number / 32)).await;
    }
    let refused = app.auth.begin_hosted(&account("linus"), HostedOptions::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    assert!(refused.advice().contains("few minutes"), "{}", refused.advice());
    app.finish("grace", &first.answer(), &first.cookies).await.unwrap();
    // What is finished makes room, and so does the time.
    app.begin("linus").await;
    app.auth.begin_hosted(&account("linus"), HostedOptions::default()).await.unwrap_err();
    stage.clock.advance(Duration::from_secs(601));
    let login = app.begin("linus").await;
    app.finish("linus", &login.answer(), &login.cookies).await.unwrap();
}
