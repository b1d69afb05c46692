//! Several logins at once, none of which disturbs another.

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth_scenarios::{Browser, Choice, Dev, within};

#[tokio::test]
async fn logins_finish_in_another_order_than_they_began_and_one_is_cancelled() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut open = Vec::new();
    for (account, user) in
        [("dev/one", "ada"), ("dev/two", "grace"), ("dev/three", "linus"), ("dev/four", "ada")]
    {
        open.push((account, user, app.begin(account, ConnectOptions::default()).await.unwrap()));
    }
    let (_, _, cancelled) = open.remove(1);
    let nobody = cancelled.redirect_uri();
    drop(cancelled);
    for (account, user, mut login) in open.into_iter().rev() {
        let mut browser = Browser::new(user, Choice::Allow).unwrap();
        let (url, stop) = (login.url(), login.redirect_uri());
        let (connected, page) =
            within("a login", async { tokio::join!(login.wait(), browser.walk_into(&url, &stop)) }).await;
        let connected = connected.unwrap();
        assert_eq!(page.unwrap().status, 200);
        assert_eq!(
            (connected.account.to_string(), connected.account_login),
            (account.into(), Some(user.into()))
        );
    }
    assert!(Browser::new("grace", Choice::Allow).unwrap().open(&nobody).await.is_err());
    assert_eq!(app.token("dev/two").await.unwrap_err().code().as_str(), "not_connected");
    for account in ["dev/one", "dev/three", "dev/four"] {
        assert!(dev.provider.is_active(&app.token(account).await.unwrap()));
    }
    assert_eq!(app.me().await.unwrap().account.to_string(), "dev/one", "the latest is the active one");
}

#[tokio::test]
async fn the_answer_to_one_login_is_rejected_by_another() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut one = app.begin("dev/one", ConnectOptions::default()).await.unwrap();
    let mut two = app.begin("dev/two", ConnectOptions::default()).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let answer = browser.walk(&one.url(), &one.redirect_uri()).await.unwrap();
    assert_eq!(two.finish(answer.as_str()).await.unwrap_err().code().as_str(), "callback_rejected");
    assert!(two.is_open());
    one.finish(answer.as_str()).await.unwrap();
}
