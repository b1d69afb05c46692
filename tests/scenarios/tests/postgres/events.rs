//! The event log, which many hosts write at once.

use loomkin_auth::account::AccountKey;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::store::postgres::PostgresStore;
use loomkin_auth::store::{
    Columns, ConnectionId, EventCursor, EventKind, NewConnection, SealedTokens, TokenStore,
};
use loomkin_auth_scenarios::{Browser, Choice, Database, Dev, Postgres, connect_by_command};
use tokio::task::JoinSet;

use crate::open;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn an_event_whose_transaction_commits_after_a_later_one_is_told() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    let mut from_the_start = store.event_cursor().await.unwrap();
    let slow = session(&database).await;
    slow.batch_execute("BEGIN").await.unwrap();
    slow.batch_execute(&written_by_hand("slow")).await.unwrap();
    store.record_event(&account("quick"), EventKind::Refreshed).await.unwrap();
    // One that begins to read now, behind what is there, waits for the slow one too.
    let mut from_now_on = store.event_cursor().await.unwrap();
    assert_eq!(told(&store, &mut from_the_start).await, ["quick"]);
    assert_eq!(told(&store, &mut from_now_on).await, [""; 0]);

    slow.batch_execute("COMMIT").await.unwrap();

    for cursor in [&mut from_the_start, &mut from_now_on] {
        assert_eq!(told(&store, cursor).await, ["slow"]);
        assert_eq!(told(&store, cursor).await, [""; 0]);
        assert!(cursor.gaps().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_number_whose_transaction_was_undone_is_asked_for_for_a_minute() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    let mut cursor = store.event_cursor().await.unwrap();
    let undone = session(&database).await;
    undone.batch_execute(&format!("BEGIN; {}; ROLLBACK", written_by_hand("undone"))).await.unwrap();
    store.record_event(&account("kept"), EventKind::Refreshed).await.unwrap();
    assert_eq!(told(&store, &mut cursor).await, ["kept"]);
    assert_eq!(cursor.gaps(), [1]);
    database.advance(std::time::Duration::from_secs(60));
    assert_eq!(told(&store, &mut cursor).await, [""; 0]);
    assert!(cursor.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_change_whose_event_cannot_be_written_is_not_made() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    database.sql("ALTER TABLE loomkin_auth.event ADD CHECK (kind <> 'connected')");
    let refused = store.connect(login("ada")).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::StoreFailed);
    assert!(store.load(&account("ada")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn the_log_stays_short_whoever_holds_its_oldest_rows() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    store.record_event(&account("first"), EventKind::Refreshed).await.unwrap();
    let holder = session(&database).await;
    holder.batch_execute("BEGIN; SELECT FROM loomkin_auth.event FOR UPDATE").await.unwrap();
    database.sql(&format!(
        "INSERT INTO loomkin_auth.event (owner, provider, account, kind, at)
         SELECT 'local', 'dev', 'busy', 'refreshed', 0 FROM generate_series(1, {})",
        EventCursor::REACH + 64
    ));
    write(&store, 64).await;
    assert_eq!(
        database.sql("SELECT min(id) FROM loomkin_auth.event"),
        "1",
        "nobody waits for a row that is held"
    );
    holder.batch_execute("ROLLBACK").await.unwrap();
    write(&store, 64).await;
    let kept: i64 = database.sql("SELECT count(*) FROM loomkin_auth.event").parse().unwrap();
    assert!((EventCursor::REACH..EventCursor::REACH + 64).contains(&kept), "{kept}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn what_a_later_version_wrote_is_passed_over() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    let mut cursor = store.event_cursor().await.unwrap();
    for (provider, kind) in [("dev", "invented"), ("No Name", "refreshed")] {
        database.sql(&format!(
            "INSERT INTO loomkin_auth.event (owner, provider, account, kind, at)
             VALUES ('local', '{provider}', 'later', '{kind}', 0)"
        ));
    }
    store.record_event(&account("known"), EventKind::Refreshed).await.unwrap();
    assert_eq!(told(&store, &mut cursor).await, ["known"]);
    assert!(cursor.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_host_hears_what_another_host_and_the_command_do() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url_of_pooler());
    let (one, two) = (dev.app().await, dev.app().await);
    let mut listener = two.listen().await.unwrap();
    let dev_account = || Some("dev".to_owned());

    dev.provider.next_access_token_lifetimes([std::time::Duration::ZERO]);
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let _ = connect_by_command(&dev.home, "dev", &mut browser).await.exits(0);
    assert_eq!(listener.next().await, (dev_account(), EventKind::Connected));
    assert_eq!(listener.next().await, (dev_account(), EventKind::ActiveChanged));
    assert!(two.status("dev").await.active);

    let token = one.token("dev").await.unwrap();
    assert_eq!(listener.next().await, (dev_account(), EventKind::Refreshed));
    assert_eq!(two.token("dev").await.unwrap(), token);

    one.disconnect("dev").await.unwrap();
    assert_eq!(listener.next().await, (dev_account(), EventKind::Disconnected { revoked: None }));
    assert_eq!(two.status("dev").await.state.as_str(), "disconnected");
    assert_eq!(listener.next().await, (None, EventKind::ActiveChanged));
    assert_eq!(listener.next().await, (dev_account(), EventKind::Disconnected { revoked: Some(true) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn after_a_crash_of_the_database_the_listening_goes_on() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let (one, two) = (dev.app().await, dev.app().await);
    one.connect("dev", "ada").await.unwrap();
    let mut listener = two.listen().await.unwrap();
    server.restart();
    one.disconnect("dev").await.unwrap();
    assert_eq!(listener.next().await.1, EventKind::Disconnected { revoked: None });
}

/// A connection of its own, for transactions that take their time.
async fn session(database: &Database) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The statement that writes an event of `name`.
fn written_by_hand(name: &str) -> String {
    format!(
        "INSERT INTO loomkin_auth.event (owner, provider, account, kind, at)
         VALUES ('local', 'dev', '{name}', 'refreshed', 0)"
    )
}

async fn write(store: &std::sync::Arc<PostgresStore>, count: i64) {
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let store = std::sync::Arc::clone(store);
        writers.spawn(async move {
            for _ in 0..count / 8 {
                store.record_event(&account("busy"), EventKind::Refreshed).await.unwrap();
            }
        });
    }
    writers.join_all().await;
}

/// The accounts of the events that `cursor` is told.
async fn told(store: &PostgresStore, cursor: &mut EventCursor) -> Vec<String> {
    let events = store.events(cursor).await.unwrap();
    events.into_iter().map(|event| event.account.unwrap().account.to_string()).collect()
}

fn account(name: &str) -> AccountKey {
    format!("dev/{name}").parse().unwrap()
}

fn login(name: &str) -> NewConnection {
    let now = loomkin_auth::clock::Timestamp::from_unix_seconds(1_800_000_000);
    NewConnection {
        account: account(name),
        connection: ConnectionId([7; 16]),
        columns: Columns::new(now, now),
        sealed: SealedTokens(vec![1; 64]),
        refresh_digest: None,
        begun_after: None,
    }
}
