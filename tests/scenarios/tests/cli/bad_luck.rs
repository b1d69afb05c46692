//! Files that somebody replaces or removes under the processes that use them, and rows of a later version.

use std::fs;
use std::path::Path;
use std::time::Duration;

use loomkin_auth_scenarios::{App, Dev, Home, Running, within};
use rusqlite::Connection;

const STORE: &str = "store/auth.db";

#[tokio::test]
async fn files_removed_beside_the_store_in_the_middle_of_a_refresh_cost_nothing() {
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    let gate = dev.provider.hold_token_answers();
    let holder = dev.home.call(&["token", "dev"]).start();
    within("the request", gate.wait_for(1)).await;
    fs::remove_file(dev.home.path("store/auth.db.lock")).unwrap();
    fs::remove_file(dev.home.path("store/auth.db.changes")).unwrap();
    fs::remove_dir_all(dev.home.path("store/auth.db.holders")).unwrap();
    let next = dev.home.call(&["token", "dev"]).start();
    within("the wait of another process", next.stderr().says("waits for the refresh")).await;
    gate.release();

    let (holder, next) = (holder.ended().await.token(), next.ended().await.token());
    assert_eq!(holder, next);
    assert!(dev.provider.is_active(&holder));
    assert_eq!(dev.refreshes(), 1);
}

#[tokio::test]
async fn a_store_that_is_removed_under_a_running_process_is_given_up_until_it_is_back() {
    is_given_up_until_it_is_back(|_, _| {}).await;
}

#[tokio::test]
async fn another_store_in_the_place_of_a_running_process_is_left_alone() {
    is_given_up_until_it_is_back(|path, other| {
        fs::copy(other.path(STORE), path).unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_old_backup_in_the_place_of_a_running_processs_store_is_left_alone() {
    is_given_up_until_it_is_back(|path, _| {
        fs::copy(path.with_file_name("backup"), path).unwrap();
    })
    .await;
}

/// The store goes away while a resident is using it, and `accident` puts something in its place.
async fn is_given_up_until_it_is_back(accident: impl FnOnce(&Path, &Home)) {
    let dev = Dev::start().await;
    let other = dev.another_host();
    connect(&dev, &other, "dev/other").await;
    connect(&dev, &dev.home, "dev").await;
    let (path, aside) = (dev.home.path(STORE), dev.home.path("store/aside"));
    fs::copy(&path, dev.home.path("store/backup")).unwrap();
    let resident = dev.home.call_resident(&["dev".to_owned()]).start();
    within("its first token", has_said(&resident, "\"error\":null", 1)).await;

    fs::rename(&path, &aside).unwrap();
    accident(&path, &other);
    let left = fs::read(&path).ok();
    within("the word that the store is gone", has_said(&resident, "store_failed", 1)).await;
    let sent = dev.refreshes();
    let gate = dev.provider.hold_token_answers();
    // It asks fifty times a second.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((gate.arrived(), dev.refreshes()), (0, sent), "nothing is spent in a file without a name");
    gate.release();
    assert_eq!(fs::read(&path).ok(), left, "what took its place is not touched");

    fs::rename(&aside, &path).unwrap();
    within("a token from the store that is back", has_said(&resident, "\"error\":null", 2)).await;
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
    resident.ended().await.exits(0);
}

#[tokio::test]
async fn who_starts_after_a_store_was_removed_gets_a_new_one_and_the_old_one_stays_out_of_it() {
    let dev = Dev::start().await;
    connect(&dev, &dev.home, "dev").await;
    let resident = dev.home.call_resident(&["dev".to_owned()]).start();
    within("its first token", has_said(&resident, "\"error\":null", 1)).await;
    fs::remove_file(dev.home.path(STORE)).unwrap();

    let refused = dev.home.run(&["token", "dev", "--json"]).await.exits(77);
    assert_eq!(refused.error()["code"], "not_connected");
    within("the word that the store is gone", has_said(&resident, "store_failed", 1)).await;
    connect(&dev, &dev.home, "dev/new").await;
    resident.ended().await.exits(0);
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev/new"]).await.token()));
    assert_eq!(dev.home.run(&["token", "dev", "--json"]).await.exits(77).error()["code"], "not_connected");
}

#[tokio::test]
async fn a_row_of_a_later_version_is_shown_and_left_alone_and_the_others_work() {
    let seal =
        "UPDATE connection SET sealed = CAST(x'02' || substr(sealed, 2) AS BLOB) WHERE account = 'default'";
    let failure = "INSERT INTO failure
        SELECT id, 'permanent:suspended', refresh_digest, 1, 0, NULL FROM connection WHERE account = 'default'";
    for (edit, advice) in [(seal, "Update"), (failure, "Update"), (UNKNOWN_KEY, "Restore")] {
        let dev = Dev::start().await;
        let app = dev.expired().await;
        app.connect("dev/other", "grace").await.unwrap();
        app.close().await;
        database(&dev).execute(edit, []).unwrap();
        let before = rows(&dev);

        let refused = dev.home.run(&["token", "dev", "--json"]).await.exits(74).error();
        assert_eq!(refused["code"], "store_failed");
        assert!(refused["advice"].as_str().unwrap().starts_with(advice), "{refused}");
        assert!(dev.provider.is_active(&dev.home.run(&["token", "dev/other"]).await.token()));
        let status = dev.home.run(&["status", "--json"]).await.exits(0).json();
        let row = |account| status.as_array().unwrap().iter().find(|row| row["account"] == account).unwrap();
        assert_eq!(row("other")["state"], "connected");
        assert!(row("default")["note"].as_str().unwrap().starts_with("the record of dev"), "{status}");
        assert!(row("default")["next_step"].as_str().unwrap().starts_with(advice), "{status}");
        assert_eq!((rows(&dev), dev.refreshes()), (before, 0));
    }
}

/// Such as that of a data key which a later process has added.
const UNKNOWN_KEY: &str = "UPDATE connection
    SET sealed = CAST(x'010102030405060708' || substr(sealed, 10) AS BLOB) WHERE account = 'default'";

fn database(dev: &Dev) -> Connection {
    Connection::open(dev.home.path(STORE)).unwrap()
}

/// What is stored of `dev`.
fn rows(dev: &Dev) -> (Vec<u8>, Option<String>) {
    let sql = "SELECT sealed, (SELECT kind FROM failure WHERE connection_id = connection.id)
        FROM connection WHERE account = 'default'";
    database(dev).query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

/// Connects `account` in `home`, with tokens that end every other second, in a process that ends at once.
async fn connect(dev: &Dev, home: &Home, account: &str) {
    dev.provider.set_access_token_lifetime(Duration::from_secs(2));
    let app = App::open(home).await.unwrap();
    app.connect(account, "ada").await.unwrap();
    app.close().await;
}

/// Completes once `resident` has said `what` so many `times`.
async fn has_said(resident: &Running, what: &str, times: usize) {
    resident.stdout().says_often(what, times).await;
}
