//! What finishes a login, and what does not.

use std::time::Duration;

use loomkin_auth::error::ErrorCode;

use crate::support::{App, ISSUER, Stage, account, challenge, within};

#[tokio::test]
async fn a_login_begun_by_one_process_is_finished_by_another() {
    let stage = Stage::new();
    let login = stage.app().await.begin("ada").await;
    assert_eq!(login.redirect_uri, "https://app.example.com/auth/idp/callback");
    assert_eq!(login.query["redirect_uri"], login.redirect_uri);
    assert_eq!(login.query["code_challenge_method"], "S256");

    let restarted = stage.app().await;
    let connected = restarted.finish("ada", &login.answer(), &login.cookies).await.unwrap();

    assert_eq!(connected.account, account("ada"));
    let form = stage.network.forms().pop().unwrap();
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "canary-code"));
    assert_eq!(form["redirect_uri"], login.redirect_uri);
    assert_eq!(challenge(&form["code_verifier"]), login.query["code_challenge"]);
    restarted.auth.access_token(&account("ada")).await.unwrap();
}

#[tokio::test]
async fn what_does_not_answer_the_login_neither_finishes_nor_cancels_it() {
    let stage = Stage::new();
    let app = stage.app().await;
    let (login, hers) = (app.begin("ada").await, app.begin("grace").await);
    let state = &login.query["state"];
    let with_iss = |iss: &str| format!("code=canary-code&state={state}&iss={iss}");
    let answer = login.answer();
    let cases = [
        ("another state", "ada", "code=c&state=forged".to_owned(), login.cookies.clone()),
        ("no state", "ada", "code=c".to_owned(), login.cookies.clone()),
        ("an empty query", "ada", String::new(), login.cookies.clone()),
        ("no cookie", "ada", answer.clone(), "session=1".to_owned()),
        ("the cookie of another login", "ada", answer.clone(), hers.cookies.clone()),
        ("another value in the cookie", "ada", answer.clone(), format!("{}x", login.cookies)),
        ("another owner", "grace", answer.clone(), login.cookies.clone()),
        ("another issuer", "ada", with_iss("https://elsewhere.example"), login.cookies.clone()),
        (
            "an error from nowhere",
            "ada",
            "error=access_denied&state=forged".to_owned(),
            login.cookies.clone(),
        ),
        (
            "an error of another issuer",
            "ada",
            format!("error=access_denied&state={state}&iss=x"),
            login.cookies.clone(),
        ),
        ("neither code nor error", "ada", format!("state={state}&iss={}", ISSUER), login.cookies.clone()),
    ];
    for (what, user, query, cookies) in cases {
        let error = app.finish(user, &query, &cookies).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::CallbackRejected, "{what}");
        assert!(error.provider().is_none() || what.contains("iss") || what.contains("neither"), "{what}");
    }
    let elsewhere = app.finish_at("other", "ada", &answer, &login.cookies).await.unwrap_err();
    assert_eq!(elsewhere.code(), ErrorCode::CallbackRejected, "another provider's callback");
    let twice = app.finish("ada", &format!("{answer}&state=x"), &login.cookies).await.unwrap_err();
    assert_eq!(twice.code(), ErrorCode::CallbackRejected, "a parameter that comes twice");
    assert!(stage.network.forms().is_empty(), "nothing was sent");

    app.finish("ada", &answer, &login.cookies).await.unwrap();
    app.finish("grace", &hers.answer(), &hers.cookies).await.unwrap();
}

#[tokio::test]
async fn whoever_comes_a_second_time_is_told_that_it_is_over() {
    let stage = Stage::new();
    let (app, other) = (stage.app().await, stage.app().await);
    let login = app.begin("ada").await;
    app.finish("ada", &login.answer(), &login.cookies).await.unwrap();
    for app in [&app, &other] {
        let error = app.finish("ada", &login.answer(), &login.cookies).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::LoginClosed);
    }
    assert_eq!(stage.network.forms().len(), 1);
}

#[tokio::test]
async fn of_two_processes_that_bring_the_answer_at_the_same_moment_one_finishes_the_login() {
    let stage = Stage::new();
    let login = stage.app().await.begin("ada").await;
    let (one, two) = (stage.app().await, stage.app().await);
    // Both have looked at the login, and wait for the server's metadata before they close it.
    stage.network.hold_metadata();
    let answer = login.answer();
    let release = async {
        stage.network.metadata_is_asked_for(2).await;
        stage.network.release();
    };
    let both = async {
        let finish = async |app: &App| app.finish("ada", &answer, &login.cookies).await;
        tokio::join!(finish(&one), finish(&two), release)
    };
    let (first, second, ()) = within(both).await;
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    won.unwrap();
    assert_eq!(lost.unwrap_err().code(), ErrorCode::LoginClosed);
    assert_eq!(stage.network.forms().len(), 1);
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_now_does_not_cost_the_login() {
    let stage = Stage::new();
    let login = stage.app().await.begin("ada").await;
    let app = stage.app().await;
    stage.network.lose_metadata(true);
    let error = app.finish("ada", &login.answer(), &login.cookies).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert_eq!(error.retry_after(), None, "the first who asks says what the server said");
    stage.network.lose_metadata(false);
    stage.clock.advance(Duration::from_secs(1));
    app.finish("ada", &login.answer(), &login.cookies).await.unwrap();
}

#[tokio::test]
async fn an_exchange_runs_to_its_end_although_the_caller_goes_away() {
    let stage = Stage::new();
    let app = stage.app().await;
    let login = app.begin("ada").await;
    stage.network.hold_tokens();
    let answer = login.answer();
    {
        let finishing = app.finish("ada", &answer, &login.cookies);
        tokio::select! {
            _ = finishing => panic!("nobody has answered"),
            () = stage.network.tokens_are_asked_for() => {}
        }
    }
    stage.network.release();
    app.auth.close().await;
    app.auth.access_token(&account("ada")).await.unwrap();
}
