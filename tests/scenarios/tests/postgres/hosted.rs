//! Logins of a web app whose nodes are on several hosts.

use loomkin_auth::store::TokenStore;
use loomkin_auth_dev_provider::{Endpoint, Moment};
use loomkin_auth_scenarios::{App, Browser, Choice, Database, Dev, Postgres, Visitor, within};

use crate::open;

fn visitor(user: &str) -> Visitor {
    Visitor::new(&format!("app-{user}"), Browser::new(user, Choice::Allow).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn of_two_hosts_that_get_the_answer_at_the_same_moment_one_finishes_the_login() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    for url in [Database::url, Database::url_of_pooler] {
        let database = server.database();
        dev.share_store(&url(&database));
        dev.provider.clear_requests();
        let mut ada = visitor("ada");
        let visit = dev.app().await.begin_hosted("dev", &mut ada).await.unwrap();
        let answer = ada.decide(&visit).await;
        let other_host = dev.another_host();
        let (one, two) = (dev.app().await, App::open(&other_host).await.unwrap());

        // Both have looked at the login, and ask for the server's metadata before they close it.
        let gate = dev.provider.hold(Endpoint::Metadata, Moment::BeforeAnswering);
        let release = async {
            gate.wait_for(2).await;
            gate.release();
        };
        let both = async {
            tokio::join!(one.finish_hosted(&ada, &answer), two.finish_hosted(&ada, &answer), release)
        };
        let (first, second, ()) = within("two answers", both).await;

        let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
        assert_eq!(won.unwrap().account_login.as_deref(), Some("ada"));
        assert_eq!(lost.unwrap_err().code().as_str(), "login_closed");
        assert_eq!(dev.provider.count_token_requests("authorization_code"), 1);
        let token = one.token_of(&ada, "dev").await.unwrap();
        assert!(dev.provider.is_active(&token));
        let replayed = dev.app().await.finish_hosted(&ada, &answer).await.unwrap_err();
        assert_eq!(replayed.code().as_str(), "login_closed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_login_lasts_ten_minutes_by_the_databases_clock() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let (one, two) = (dev.app().await, App::open(&dev.another_host()).await.unwrap());
    let (mut ada, mut grace) = (visitor("ada"), visitor("grace"));
    let visit = one.begin_hosted("dev", &mut ada).await.unwrap();
    let hers = one.begin_hosted("dev", &mut grace).await.unwrap();
    let (answer, late) = (ada.decide(&visit).await, grace.decide(&hers).await);
    database.advance(std::time::Duration::from_secs(540));
    two.finish_hosted(&ada, &answer).await.unwrap();
    database.advance(std::time::Duration::from_secs(61));
    assert_eq!(two.finish_hosted(&grace, &late).await.unwrap_err().code().as_str(), "login_closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_disconnect_on_one_host_closes_a_login_that_finishes_on_another() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let (one, two) = (dev.app().await, App::open(&dev.another_host()).await.unwrap());
    let mut ada = Visitor::new("local", Browser::new("ada", Choice::Allow).unwrap());
    let visit = one.begin_hosted("dev", &mut ada).await.unwrap();
    let answer = ada.decide(&visit).await;
    two.disconnect("dev").await.unwrap();
    assert_eq!(one.finish_hosted(&ada, &answer).await.unwrap_err().code().as_str(), "login_closed");
    assert_eq!(two.token("dev").await.unwrap_err().code().as_str(), "not_connected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_store_of_an_earlier_version_is_brought_up_to_date() {
    for (version, later) in [(2, "pending_login, loomkin_auth.credential"), (3, "credential")] {
        is_brought_up_to_date_from(version, later).await;
    }
}

/// `later` are the tables that the versions after this one have added, and all that they did.
async fn is_brought_up_to_date_from(version: u32, later: &str) {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    dev.app().await.connect("dev", "ada").await.unwrap();
    database.sql(&format!("DROP TABLE loomkin_auth.{later}"));
    database.sql(&format!("UPDATE loomkin_auth.store SET version = {version}"));
    let url = database.url();
    let (one, two) = tokio::join!(open(&url), open(&url));
    assert!(!one.unwrap().is_empty().await.unwrap() && !two.unwrap().is_empty().await.unwrap());

    let (app, mut grace) = (dev.app().await, visitor("grace"));
    let visit = app.begin_hosted("dev", &mut grace).await.unwrap();
    let answer = grace.decide(&visit).await;
    app.finish_hosted(&grace, &answer).await.unwrap();
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
    assert_eq!(database.sql("SELECT count(*) FROM loomkin_auth.credential"), "0");
}
