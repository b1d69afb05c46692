//! The key is rotated by the command, while other processes go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use loomkin_auth::account::AccountKey;
use loomkin_auth::clock::SystemClock;
use loomkin_auth::random::SystemRandom;
use loomkin_auth::store::sqlite::SqliteStore;
use loomkin_auth::store::{NewConnection, SealedTokens, TokenStore};
use loomkin_auth_scenarios::{Dev, Spread, within};

const ROTATE: [&str; 3] = ["store", "rotate-key", "--json"];
const NEW_KEY: &str = "canary--a-new-key-of-more-than-thirty-two-bytes";

async fn store(dev: &Dev) -> SqliteStore {
    let path = dev.home.path("store/auth.db");
    SqliteStore::open(path, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap()
}

fn account(number: usize) -> String {
    format!("dev/account-{number}")
}

#[tokio::test]
async fn a_rotated_key_costs_nobody_a_login() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    app.connect("dev/work", "ada").await.unwrap();
    let work = app.token("dev/work").await.unwrap();

    let rotated = dev.home.run(&ROTATE).await.exits(0).json();
    assert_eq!((&rotated["key"], &rotated["resealed"]), (&"env:STORE_KEY".into(), &2.into()));
    assert_eq!((&rotated["made_key"], &rotated["removed_keys"]), (&true.into(), &1.into()));

    // The app has been running all the time; it renews what has ended, and keeps what has not.
    let token = app.token("dev").await.unwrap();
    assert!(dev.provider.is_active(&token));
    assert_eq!(app.token("dev/work").await.unwrap(), work);
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), token);
    assert_eq!(dev.home.run(&["token", "dev/work"]).await.token(), work);
    assert_eq!(dev.refreshes(), 1);
    let told = dev.home.run(&["store", "rotate-key"]).await.exits(0);
    assert_eq!(
        told.stdout,
        "The store has a new key from the variable STORE_KEY; 2 records were sealed anew, and the old key is gone.\n"
    );
}

#[tokio::test]
async fn an_answer_on_its_way_during_a_rotation_is_stored() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    let gate = dev.provider.hold_token_answers();
    let rotation = async {
        within("the request", gate.wait_for(1)).await;
        let _ = dev.home.run(&ROTATE).await.exits(0);
        gate.release();
    };
    let (token, ()) = tokio::join!(app.token("dev"), rotation);
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), token.unwrap());
    assert_eq!(dev.refreshes(), 1);
    assert_eq!(store(&dev).await.keys().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_go_on_while_the_rotating_one_is_killed_again_and_again() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    for number in 0..ACCOUNTS {
        dev.connect_expired(&app, &account(number)).await.unwrap();
    }
    let is_over = AtomicBool::new(false);
    let ask = async |first: usize| {
        let mut number = first;
        while !is_over.load(Ordering::SeqCst) {
            let account = account(number % ACCOUNTS);
            let token = dev.home.run(&["token", &account, "--json"]).await.token();
            assert!(dev.provider.is_active(&token), "{account}");
            number += 7;
        }
    };
    // The app has the store open from the beginning to the end.
    let log_in = async {
        let mut number = ACCOUNTS;
        while !is_over.load(Ordering::SeqCst) {
            app.connect(&account(number), "ada").await.unwrap();
            number += 1;
        }
        number
    };
    let rotate = async {
        let mut spread = Spread::new();
        for round in 0..40 {
            if round % 5 == 4 {
                let rotated = dev.home.run(&ROTATE).await.exits(0).json();
                assert_eq!(rotated["kept_keys"], 0, "round {round}");
                continue;
            }
            let running = dev.home.call(&ROTATE).start();
            // Somewhere between its first instruction and its last.
            tokio::time::sleep(spread.pause(Duration::from_millis(400))).await;
            running.kill().await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    let ((), count, ..) =
        tokio::join!(rotate, log_in, ask(0), ask(1), ask(2), ask(3), ask(4), ask(5), ask(6), ask(7));

    for _ in 0..2 {
        let rotated = dev.home.run(&ROTATE).await.exits(0).json();
        assert_eq!((&rotated["kept_keys"], &rotated["damaged"]), (&0.into(), &serde_json::json!([])));
    }
    assert_eq!(store(&dev).await.keys().await.unwrap().len(), 1);
    for number in 0..count {
        let token = app.token(&account(number)).await.unwrap();
        assert!(dev.provider.is_active(&token), "{number}");
    }
    assert_eq!(dev.refreshes(), ACCOUNTS, "each was renewed once, and no answer was lost");
}

/// More than fit into one batch, and so many that some are renewed during each rotation.
const ACCOUNTS: usize = 150;

#[tokio::test]
async fn of_rotations_at_once_all_succeed_and_one_key_is_left() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    for _ in 0..5 {
        let (one, two, three) =
            tokio::join!(dev.home.run(&ROTATE), dev.home.run(&ROTATE), dev.home.run(&ROTATE));
        let made = [one, two, three].map(|ran| ran.exits(0).json()["made_key"].as_bool().unwrap());
        assert!(made.contains(&true));
        assert_eq!(store(&dev).await.keys().await.unwrap().len(), 1);
    }
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
}

#[tokio::test]
async fn another_source_is_told_before_and_asked_for_after() {
    let dev = Dev::start().await;
    dev.app().await.connect("dev", "ada").await.unwrap();
    let token = dev.home.run(&["token", "dev"]).await.token();
    let missing = dev.home.run(&["store", "rotate-key", "--json", "--key", "env:NEW_KEY"]).await.exits(74);
    assert_eq!(missing.error()["code"], "key_unavailable");
    let wrong = dev.home.run(&["store", "rotate-key", "--json", "--key", NEW_KEY]).await.exits(64);
    assert_eq!(wrong.error()["code"], "usage");
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), token);

    dev.home.canary().hide(NEW_KEY);
    dev.home.set_variable("NEW_KEY", NEW_KEY);
    let moved = dev.home.run(&["store", "rotate-key", "--json", "--key", "env:NEW_KEY"]).await.exits(0);
    assert!(moved.stderr.contains("set key = \\\"env:NEW_KEY\\\" under [auth.store]"), "{}", moved.stderr);
    assert_eq!(moved.json()["key"], "env:NEW_KEY");
    let refused = dev.home.run(&["token", "dev", "--json"]).await.exits(74).error();
    assert_eq!(refused["advice"], "Set key = \"env:NEW_KEY\" under [auth.store].");
    // The command itself goes on, so that whoever was broken off can finish before the line is changed.
    let again = dev.home.run(&ROTATE).await.exits(0).json();
    assert_eq!(again["key"], "env:NEW_KEY");

    let config = std::fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
    dev.home.write_config(&config.replace("env:STORE_KEY", "env:NEW_KEY"));
    let without_the_old = dev.home.call(&["token", "dev"]).variable("STORE_KEY", None).start().ended().await;
    assert_eq!(without_the_old.token(), token);
}

#[tokio::test]
async fn a_damaged_record_is_named_and_the_exit_code_tells() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    for name in ["dev", "dev/broken"] {
        app.connect(name, "ada").await.unwrap();
    }
    let store = store(&dev).await;
    let broken: AccountKey = "dev/broken".parse().unwrap();
    let record = store.load(&broken).await.unwrap().unwrap();
    let key = store.keys().await.unwrap().pop().unwrap().id;
    store
        .connect(NewConnection {
            account: broken,
            connection: record.connection,
            columns: record.columns,
            sealed: SealedTokens([&[1][..], &key, &[0; 100]].concat()),
            refresh_digest: record.refresh_digest,
            begun_after: None,
        })
        .await
        .unwrap();

    for _ in 0..2 {
        let rotated = dev.home.run(&ROTATE).await.exits(74).json();
        assert_eq!(rotated["kept_keys"], 1);
        assert_eq!(rotated["damaged"][0]["account"], "broken");
    }
    let told = dev.home.run(&["store", "rotate-key"]).await.exits(74);
    assert!(
        told.stdout.ends_with("0 records were sealed anew, and 1 old key is still there.\n"),
        "{}",
        told.stdout
    );
    assert!(told.stderr.contains("cannot be unsealed: dev/broken."), "{}", told.stderr);
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));

    let _ = dev.home.run(&["disconnect", "dev/broken"]).await.exits(0);
    let rotated = dev.home.run(&ROTATE).await.exits(0).json();
    assert_eq!((&rotated["removed_keys"], &rotated["kept_keys"]), (&1.into(), &0.into()));
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
}
