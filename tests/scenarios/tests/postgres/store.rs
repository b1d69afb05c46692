//! The store alone.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::account::AccountKey;
use loomkin_auth::clock::Timestamp;
use loomkin_auth::store::conformance::{Subject, conformance};
use loomkin_auth::store::postgres::PostgresStore;
use loomkin_auth::store::{
    AttemptId, ClaimOutcome, Columns, Commit, CommitOutcome, ConnectionId, NewConnection, SealedTokens,
    TokenDigest, TokenStore,
};
use loomkin_auth_scenarios::{Database, Postgres, within};
use tokio::task::JoinSet;

use crate::open;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn it_keeps_every_promise_of_a_store() {
    keeps_every_promise(|database| database.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn it_keeps_every_promise_behind_a_pooler_in_transaction_mode() {
    keeps_every_promise(|database| database.url_of_pooler()).await;
}

async fn keeps_every_promise(url: fn(&Database) -> String) {
    let server = Postgres::start();
    conformance(|| async {
        let database = server.database();
        let (store, other) = (open(&url(&database)).await.unwrap(), open(&url(&database)).await.unwrap());
        Subject { store, other, advance: Box::new(move |by| database.advance(by)) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn eight_nodes_that_start_at_once_make_one_store() {
    let server = Postgres::start();
    for _ in 0..5 {
        let database = server.database();
        let mut nodes = JoinSet::new();
        for _ in 0..8 {
            let url = format!("{}?pool_size=1", database.url());
            nodes.spawn(async move { open(&url).await.unwrap().id().await.unwrap() });
        }
        let ids = within("eight nodes", nodes.join_all()).await;
        assert!(ids.iter().all(|id| *id == ids[0]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_pool_of_two_serves_a_thousand_refreshes() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&format!("{}?pool_size=2", database.url())).await.unwrap();
    for number in 0..1000 {
        store.connect(login(number)).await.unwrap();
    }
    let mut refreshes = JoinSet::new();
    for number in 0..1000 {
        let store = Arc::clone(&store);
        refreshes.spawn(async move { refresh(&store, number).await });
    }
    within("a thousand refreshes", refreshes.join_all()).await;
    for record in store.list(&account(0).owner).await.unwrap() {
        assert_eq!(record.refresh_digest, Some(TokenDigest([2; 32])));
    }
    let connections =
        database.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'loomkin-auth'");
    assert!(["2", "3"].contains(&connections.as_str()), "{connections} connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn after_a_crash_of_the_server_everything_is_there_and_works() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    store.connect(login(0)).await.unwrap();
    use_every_connection(&store).await;

    server.restart();
    assert!(matches!(claim(&store, 0).await, ClaimOutcome::Claimed { orphaned: false, .. }));
    use_every_connection(&store).await;

    server.restart();
    assert!(matches!(claim(&store, 0).await, ClaimOutcome::Held { .. }));
    assert!(matches!(store.commit(answer(0)).await.unwrap(), CommitOutcome::Committed));
    let again = store.commit(answer(0)).await.unwrap();
    assert!(matches!(again, CommitOutcome::Committed), "a commit whose outcome was lost is repeated");
    use_every_connection(&store).await;

    server.restart();
    let loaded = store.load(&account(0)).await.unwrap().unwrap();
    assert_eq!(loaded.refresh_digest, Some(TokenDigest([2; 32])));
    assert!(loaded.claim.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_caller_that_goes_away_leaves_no_transaction_behind() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&format!("{}?pool_size=1", database.url())).await.unwrap();
    for round in 0..200_u64 {
        let patience = Duration::from_micros(round * 20);
        let _ = tokio::time::timeout(patience, store.connect(login(0))).await;
    }
    store.connect(login(0)).await.unwrap();
    assert!(matches!(claim(&store, 0).await, ClaimOutcome::Claimed { .. }));
    let other = open(&database.url()).await.unwrap();
    assert!(matches!(claim(&other, 0).await, ClaimOutcome::Held { .. }), "the claim was committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn the_watching_ends_with_the_last_clone() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let count =
        || database.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'loomkin-auth'");
    assert_ne!(count(), "0");
    drop(store);
    let gone = async {
        while count() != "0" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within("the connections to be closed", gone).await;
}

async fn use_every_connection(store: &Arc<PostgresStore>) {
    let mut loads = JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(store);
        loads.spawn(async move { store.load(&account(0)).await.unwrap().unwrap() });
    }
    loads.join_all().await;
}

async fn refresh(store: &PostgresStore, number: u16) {
    assert!(matches!(claim(store, number).await, ClaimOutcome::Claimed { .. }));
    // The time that an authorization server takes, during which nobody has a connection.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(matches!(store.commit(answer(number)).await.unwrap(), CommitOutcome::Committed));
}

async fn claim(store: &PostgresStore, number: u16) -> ClaimOutcome {
    let (connection, presented) = (login(number).connection, TokenDigest([1; 32]));
    let attempt = AttemptId([1; 16]);
    store.claim(&account(number), connection, presented, attempt, Duration::from_secs(60)).await.unwrap()
}

fn account(number: u16) -> AccountKey {
    format!("dev/account-{number}").parse().unwrap()
}

fn login(number: u16) -> NewConnection {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    NewConnection {
        account: account(number),
        connection: ConnectionId([7; 16]),
        columns: Columns::new(now, now),
        sealed: SealedTokens(vec![1; 4096]),
        refresh_digest: Some(TokenDigest([1; 32])),
        begun_after: None,
    }
}

fn answer(number: u16) -> Commit {
    let login = login(number);
    Commit {
        account: login.account,
        connection: login.connection,
        revision: 0,
        updated_at: login.columns.created_at,
        columns: login.columns,
        sealed: SealedTokens(vec![2; 4096]),
        refresh_digest: TokenDigest([2; 32]),
    }
}
