//! Claims of the dead, of the living, and of those nobody can tell about.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::clock::SystemClock;
use crate::environment::Environment;
use crate::store::{Columns, SealedTokens};

#[tokio::test]
async fn the_claim_of_a_killed_process_is_taken_over_at_once() {
    let place = Place::new();
    let store = SqliteStore::open(place.path(), Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    store.connect(login()).await.unwrap();
    let mut child = claiming_process(&place.path());

    assert!(matches!(claim(&store, 2).await, ClaimOutcome::Held { .. }), "its holder lives");
    child.0.kill().unwrap();
    child.0.wait().unwrap();

    assert!(matches!(claim(&store, 2).await, ClaimOutcome::Claimed { orphaned: true, .. }));
    assert!(matches!(claim(&store, 3).await, ClaimOutcome::Held { .. }));
}

/// What the test above starts as a process of its own.
#[tokio::test]
#[ignore = "a part of another test"]
async fn claim_and_wait_to_be_killed() {
    let environment = Environment::from_process();
    let path = environment.variable(STORE).expect("the parent names the store");
    let store = SqliteStore::open(path, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    assert!(matches!(claim(&store, 1).await, ClaimOutcome::Claimed { orphaned: false, .. }));
    println!("{CLAIMED}");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_store_that_is_closed_in_the_middle_leaves_an_orphan() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login()).await.unwrap();
    claim(&store, 1).await;
    drop(store);
    assert!(matches!(claim(&place.open().await, 2).await, ClaimOutcome::Claimed { orphaned: true, .. }));
}

#[tokio::test]
async fn a_claim_whose_holder_cannot_be_found_lasts_until_its_deadline() {
    let place = Place::new();
    let (store, other) = (place.open().await, place.open().await);
    store.connect(login()).await.unwrap();
    claim(&store, 1).await;
    std::fs::remove_dir_all(with_suffix(&place.path(), ".holders")).unwrap();
    drop(store);
    assert!(matches!(claim(&other, 2).await, ClaimOutcome::Held { .. }));
    place.advance(LEASE);
    assert!(matches!(claim(&other, 2).await, ClaimOutcome::Claimed { orphaned: true, .. }));
}

#[tokio::test]
async fn a_process_does_not_take_its_own_claim_for_a_dead_ones() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login()).await.unwrap();
    claim(&store, 1).await;
    assert!(matches!(claim(&store, 2).await, ClaimOutcome::Held { .. }));
}

#[tokio::test]
async fn nothing_is_left_of_a_holder_whose_claims_have_ended() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login()).await.unwrap();
    claim(&store, 1).await;
    claim(&store, 2).await;
    store.abandon(&login().account, AttemptId([1; 16]), None).await.unwrap();
    drop(store);
    let holders = std::fs::read_dir(with_suffix(&place.path(), ".holders")).unwrap();
    assert_eq!(holders.count(), 0);
}

/// A process that does not outlive the test, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn claiming_process(path: &Path) -> Process {
    let name = "store::sqlite::tests::holders::claim_and_wait_to_be_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env(STORE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let claimed = lines.map_while(Result::ok).any(|line| line.contains(CLAIMED));
    assert!(claimed, "the process ended without its claim");
    Process(child)
}

fn login() -> NewConnection {
    NewConnection {
        account: "github".parse().unwrap(),
        connection: ConnectionId([1; 16]),
        columns: Columns::new(Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(1)),
        sealed: SealedTokens(vec![1; 100]),
        refresh_digest: Some(TokenDigest([1; 32])),
        begun_after: None,
    }
}

async fn claim(store: &SqliteStore, attempt: u8) -> ClaimOutcome {
    store
        .claim(&login().account, ConnectionId([1; 16]), TokenDigest([1; 32]), AttemptId([attempt; 16]), LEASE)
        .await
        .unwrap()
}

const LEASE: Duration = Duration::from_secs(600);
const STORE: &str = "LOOMKIN_AUTH_TEST_STORE";
const CLAIMED: &str = "the claim is made";
