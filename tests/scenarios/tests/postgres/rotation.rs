//! The key of a store of many hosts is rotated.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use loomkin_auth::clock::{SystemClock, Timestamp};
use loomkin_auth::environment::Environment;
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::random::SystemRandom;
use loomkin_auth::secret::Secret;
use loomkin_auth::store::key::{KeySetting, OsKeychain};
use loomkin_auth::store::vault::{Claimed, Committed, Vault};
use loomkin_auth::store::{
    Columns, ConnectOutcome, ConnectionId, NewConnection, SealedTokens, TokenStore, WrappedKey,
};
use loomkin_auth_scenarios::{Database, Dev, Postgres, within};
use tokio::task::JoinSet;

use crate::open;

/// A host that works with the store at `url`.
async fn host(url: &str) -> Vault {
    let setting = KeySetting::Env("KEY".to_owned());
    let environment = Environment::new([("KEY", "a key of 32 bytes or more, which is not random")], "/");
    let (random, clock) = (Arc::new(SystemRandom), Arc::new(SystemClock));
    let store = open(url).await.unwrap();
    Vault::open(store, &setting, &environment, Arc::new(OsKeychain), random, clock).await.unwrap().0
}

fn tokens(round: i64) -> TokenSet {
    let mut tokens =
        TokenSet::new(Secret::new(format!("access {round}")), Timestamp::from_unix_seconds(round));
    tokens.refresh_token = Some(Secret::new(format!("refresh {round}")));
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn hosts_go_on_while_the_key_is_rotated_on_two_of_them() {
    let server = Postgres::start();
    for url in [Database::url, Database::url_of_pooler] {
        let database = server.database();
        let url = url(&database);
        let is_over = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for number in 0..8 {
            let (vault, is_over) = (host(&url).await, Arc::clone(&is_over));
            writers.spawn(async move {
                let account = format!("dev/account-{number}").parse().unwrap();
                let mut round = 0;
                vault.connect(&account, &tokens(0), Default::default(), number.into()).await.unwrap();
                while !is_over.load(Ordering::SeqCst) {
                    let entry = vault.load(&account).await.unwrap().unwrap();
                    let expected = Secret::new(format!("access {round}"));
                    assert!(entry.tokens.access_token.matches(&expected), "{round}");
                    round += 1;
                    let attempt = vault.make_attempt().unwrap();
                    let lease = std::time::Duration::from_secs(60);
                    let claimed = vault.claim(&entry, attempt, lease).await.unwrap();
                    let Claimed::Claimed { entry, .. } = claimed else { panic!("not claimed: {claimed:?}") };
                    let renewal = vault.seal_renewal(&entry, &tokens(round)).unwrap();
                    assert!(matches!(vault.commit(&renewal).await.unwrap(), Committed::Committed));
                }
                round
            });
        }
        let mut rotating = JoinSet::new();
        for _ in 0..2 {
            let vault = host(&url).await;
            rotating.spawn(async move {
                for _ in 0..10 {
                    let report = vault.rotate_key(None, &|_| {}).await.unwrap();
                    assert!(report.damaged.is_empty());
                }
            });
        }
        within("twenty rotations", rotating.join_all()).await;
        is_over.store(true, Ordering::SeqCst);
        let rounds = within("the writers", writers.join_all()).await;
        assert!(rounds.iter().all(|round| *round > 0));

        host(&url).await.rotate_key(None, &|_| {}).await.unwrap();
        let store = open(&url).await.unwrap();
        assert_eq!(store.keys().await.unwrap().len(), 1);
        assert!(store.old_seals(None, 1).await.unwrap().is_empty());
    }
}

/// A writer has found its key to be the newest, and is slow to write. The new key waits for it, and so whoever adds it
/// sees afterwards what was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_new_key_waits_for_whoever_writes_under_the_old_one() {
    let server = Postgres::start();
    let database = server.database();
    let (writer, adder) = (open(&database.url()).await.unwrap(), open(&database.url()).await.unwrap());
    adder.add_key(key(1), true).await.unwrap();
    database.sql("CREATE TABLE gate (opened BOOLEAN)");
    database.sql(
        "CREATE FUNCTION wait() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN
             WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.01); END LOOP;
             RETURN NEW;
         END'",
    );
    // A login writes the connection first, and then this.
    database.sql(
        "CREATE TRIGGER slow BEFORE INSERT ON loomkin_auth.setting FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let is = |condition: &str| database.sql(&format!("SELECT EXISTS (SELECT FROM {condition})")) == "t";

    let writing = tokio::spawn(async move { writer.connect(login()).await.unwrap() });
    let slow = async { while !is("pg_stat_activity WHERE wait_event = 'PgSleep'") {} };
    within("the slow writer", slow).await;
    let adding = {
        let adder = Arc::clone(&adder);
        tokio::spawn(async move { adder.add_key(key(2), false).await.unwrap() })
    };
    let waiting = async {
        while !is("pg_locks WHERE locktype = 'advisory' AND NOT granted") {
            assert!(!adding.is_finished(), "the new key did not wait for the writer");
        }
    };
    within("the key that waits", waiting).await;
    database.sql("INSERT INTO gate VALUES (true)");

    assert_eq!(writing.await.unwrap(), ConnectOutcome::Connected);
    assert!(adding.await.unwrap());
    assert_eq!(adder.old_seals(None, 9).await.unwrap().len(), 1);
    assert_eq!(adder.connect(login()).await.unwrap(), ConnectOutcome::Retired);
    assert!(!adder.remove_key([1; 8]).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn queued_revocations_are_sealed_anew_too() {
    let server = Postgres::start();
    let database = server.database();
    let store = open(&database.url()).await.unwrap();
    store.add_key(key(1), true).await.unwrap();
    assert_eq!(store.connect(login()).await.unwrap(), ConnectOutcome::Connected);
    database.sql(
        "INSERT INTO loomkin_auth.revocation (connection, owner, provider, account, sealed, issued_at, scopes,
             created_at, updated_at, attempts, next_attempt_at, until)
         SELECT decode(repeat('09', 16), 'hex'), owner, provider, 'left', sealed, issued_at, scopes, created_at,
             updated_at, 0, 0, 0 FROM loomkin_auth.connection",
    );
    store.add_key(key(2), false).await.unwrap();
    let seals = store.old_seals(None, 9).await.unwrap();
    let accounts: Vec<_> = seals.iter().map(|old| old.record.account.to_string()).collect();
    assert_eq!(accounts, ["dev", "dev/left"]);
    assert_eq!(store.old_seals(Some(&seals[0].position), 9).await.unwrap().len(), 1);
    assert_eq!(store.old_seals(Some(&seals[1].position), 9).await.unwrap().len(), 0);
    for old in seals {
        assert!(!store.remove_key([1; 8]).await.unwrap());
        let new = SealedTokens(vec![2; 100]);
        let (account, connection) = (old.record.account, old.record.connection);
        let seal = loomkin_auth::store::NewSeal { account, connection, old: old.record.sealed, new };
        let resealed = store.reseal(vec![seal]).await.unwrap();
        assert_eq!(resealed, loomkin_auth::store::ResealOutcome::Resealed(1));
    }
    assert!(store.remove_key([1; 8]).await.unwrap());
}

/// Each host may keep the key file elsewhere, and during the move some have the old path in their configuration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_key_file_is_followed_by_another() {
    let (server, directory) = (Postgres::start(), tempfile::tempdir().unwrap());
    let database = server.database();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        KeySetting::File(path)
    };
    let (old_text, new_text) =
        ("the key of 32 bytes or more in a file", "another key of 32 bytes or more in a file");
    let (old, new, copy) = (file("old", old_text), file("new", new_text), file("copy", new_text));
    let open = async |setting: &KeySetting| {
        let (random, clock) = (Arc::new(SystemRandom), Arc::new(SystemClock));
        let (store, keychain) = (open(&database.url()).await.unwrap(), Arc::new(OsKeychain));
        let environment = Environment::default();
        Vault::open(store, setting, &environment, keychain, random, clock).await.map(|opened| opened.0)
    };
    let running = open(&old).await.unwrap();
    let account = "dev".parse().unwrap();
    running.connect(&account, &tokens(0), Default::default(), 0.into()).await.unwrap();
    let rotating = open(&old).await.unwrap();
    rotating.rotate_key(Some(&new), &|_| {}).await.unwrap();
    for vault in [running, open(&old).await.unwrap(), open(&new).await.unwrap(), open(&copy).await.unwrap()] {
        assert!(vault.load(&account).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn the_command_rotates_the_key_that_an_app_goes_on_with() {
    let (server, dev) = (Postgres::start(), Dev::start().await);
    let database = server.database();
    dev.share_store(&database.url());
    let app = dev.expired().await;
    let rotated = dev.home.run(&["store", "rotate-key", "--json"]).await.exits(0).json();
    assert_eq!((&rotated["resealed"], &rotated["removed_keys"]), (&1.into(), &1.into()));
    let token = app.token("dev").await.unwrap();
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), token);
    let refused = dev.home.run(&["store", "rotate-key", "--json", "--key", "keychain"]).await.exits(78);
    assert_eq!(refused.error()["code"], "config_invalid");
}

fn key(seed: u8) -> WrappedKey {
    let created_at = Timestamp::from_unix_seconds(0);
    WrappedKey {
        id: [seed; 8],
        source: "env:KEY".to_owned(),
        salt: [seed; 32],
        wrapped: vec![seed; 73],
        created_at,
    }
}

/// Sealed under `key(1)`.
fn login() -> NewConnection {
    let now = Timestamp::from_unix_seconds(1);
    NewConnection {
        account: "dev".parse().unwrap(),
        connection: ConnectionId([1; 16]),
        columns: Columns::new(now, now),
        sealed: SealedTokens(vec![1; 100]),
        refresh_digest: None,
        begun_after: None,
    }
}
