//! What cannot be used is refused with a sentence that says why, and never shows the URL.

use std::sync::Arc;

use loomkin_auth::account::Owner;
use loomkin_auth::clock::SystemClock;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::random::SystemRandom;
use loomkin_auth::store::TokenStore as _;
use loomkin_auth::store::key::{KeySetting, OsKeychain};
use loomkin_auth::store::vault::Vault;
use loomkin_auth_scenarios::{App, Dev, Home, Postgres};

use crate::open;

async fn refused(url: &str) -> Error {
    let error = open(url).await.unwrap_err();
    let shown = format!("{error} {error:?} {}", error.advice());
    assert!(!shown.contains(Postgres::PASSWORD) && !shown.contains("127.0.0.1"), "{shown}");
    error
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_stands_in_the_way_is_said() {
    let server = Postgres::start_with("-c max_connections=10");
    let database = server.database();
    let url = database.url();
    let (base, _) = url.rsplit_once('/').unwrap();

    let error = refused(&format!("{base}/no-such-database")).await;
    assert_eq!(error.message(), "the database is not there");

    let error = refused(&url.replace("test:", "nobody:")).await;
    assert_eq!(error.message(), "the database refuses the user or the password");

    let error = refused(&format!("{url}?sslmode=require")).await;
    assert_eq!(error.message(), "the database does not offer TLS, or not in a way that can be used");

    database.sql("CREATE ROLE guest LOGIN");
    let error = refused(&url.replace("test:", "guest:")).await;
    assert_eq!(error.message(), "the database's user may not use the store");

    let mut crowd = Vec::new();
    let error = loop {
        match open(&format!("{url}?pool_size=1")).await {
            Ok(store) => crowd.push(store),
            Err(error) => break error,
        }
        assert!(crowd.len() < 20);
    };
    assert_eq!(error.message(), "the database has no free connections");
    drop(crowd);

    server.stop();
    let error = refused(&url).await;
    assert_eq!(error.message(), "the database cannot be reached");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn wherever_there_is_tls_the_certificate_is_verified() {
    let (server, authority) = Postgres::start_with_tls();
    let database = server.database();
    let by_address = database.url();
    let by_name = by_address.replace("127.0.0.1", "localhost");
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'loomkin-auth'";

    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        let error = refused(&format!("{by_name}?sslmode={mode}")).await;
        assert_eq!(error.message(), "the database's certificate is not trusted");
        let trusting = format!("sslmode={mode}&sslrootcert={authority}");
        let error = refused(&format!("{by_address}?{trusting}")).await;
        assert_eq!(error.message(), "the database's certificate is not trusted", "another host's");
        let store = open(&format!("{by_name}?{trusting}")).await.unwrap();
        assert_eq!(database.sql(encrypted), "t");
        drop(store);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let server = Postgres::start();
    let database = server.database();
    drop(open(&database.url()).await.unwrap());
    database.sql("UPDATE loomkin_auth.store SET version = 5");
    let error = refused(&database.url()).await;
    assert_eq!(error.message(), "the store was written by a newer version of Loomkin Auth");
    assert_eq!(database.sql("SELECT version FROM loomkin_auth.store"), "5");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_database_that_takes_no_changes_can_be_read() {
    let server = Postgres::start();
    let database = server.database();
    drop(open(&database.url()).await.unwrap());
    database.sql("ALTER ROLE test SET default_transaction_read_only = on");
    let store = open(&database.url()).await.unwrap();
    assert!(store.is_empty().await.unwrap());
    let error = store.select(&Owner::default(), Some(&"dev".parse().unwrap())).await.unwrap_err();
    assert_eq!(error.message(), "the database accepts no changes: it is a standby, or read-only");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_key_that_hosts_cannot_share_is_refused() {
    let server = Postgres::start();
    let database = server.database();
    let key = [("STORE_KEY", Home::KEY)];
    for (setting, is_fine) in [
        (KeySetting::Auto, false),
        (KeySetting::Keychain, false),
        (KeySetting::Env("STORE_KEY".to_owned()), true),
        (KeySetting::Auto, false),
    ] {
        let store = open(&database.url()).await.unwrap();
        let (environment, random) = (Environment::new(key, "/"), Arc::new(SystemRandom));
        let (keychain, clock) = (Arc::new(OsKeychain), Arc::new(SystemClock));
        let opened = Vault::open(store, &setting, &environment, keychain, random, clock).await;
        assert_eq!(opened.is_ok(), is_fine, "{setting}");
        if let Err(error) = opened {
            assert_eq!(error.code(), ErrorCode::ConfigInvalid);
            assert_eq!(error.message(), "the hosts that share a store cannot share a keychain");
        }
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_host_needs_the_same_key_wherever_its_file_is() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let table = std::fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
    let with_key = |key: &str| dev.home.write_config(&table.replace("env:STORE_KEY", key));
    private_file(&dev.home, "one.key", b"canary--the-key-of-this-store-is-here\n");
    private_file(&dev.home, "two.key", b"canary--the-key-of-this-store-is-here\n");
    private_file(&dev.home, "wrong.key", b"canary--the-key-of-another-store-is-here\n");

    with_key("file:one.key");
    dev.app().await.connect("dev", "ada").await.unwrap();
    // Another host has no file of that name.
    std::fs::remove_file(dev.home.path("one.key")).unwrap();
    with_key("file:two.key");
    dev.app().await.token("dev").await.unwrap();
    with_key("file:wrong.key");
    let error = App::open(&dev.home).await.unwrap_err();
    assert_eq!(error.code().as_str(), "key_unavailable");
}

fn private_file(home: &Home, name: &str, content: &[u8]) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(home.path(name));
    file.unwrap().write_all(content).unwrap();
}
