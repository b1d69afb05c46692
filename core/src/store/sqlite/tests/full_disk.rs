//! A disk that is really full: a small one of this test's own, in a mount namespace that ends with its process.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use super::*;
use crate::environment::Environment;
use crate::store::{Columns, SealedTokens};

#[test]
fn on_a_disk_that_is_really_full_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=1m,mode=700 none \"$DISK\" || exit 77; exec \"$0\" \"$@\"";
    let name = "store::sqlite::tests::full_disk::fill_the_disk";
    let ended = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", mount])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name])
        .env(DISK, directory.path())
        .output();
    let Ok(output) = ended else {
        eprintln!("skipped: there is no `unshare` here to make a small disk with");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    if !text.contains("running 1 test") {
        eprintln!("skipped: this system does not let a test mount a small disk");
        return;
    }
    assert!(output.status.success(), "{text}");
}

/// What the test above starts as a process of its own.
#[tokio::test]
#[ignore = "a part of another test"]
async fn fill_the_disk() {
    let environment = Environment::from_process();
    let disk = PathBuf::from(environment.variable(DISK).unwrap());
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000)));
    let open = async || SqliteStore::open(disk.join("auth.db"), clock.clone(), Arc::new(SystemRandom)).await;
    let store = open().await.unwrap();
    store.connect(login("first", 1000)).await.unwrap();
    fs::write(disk.join("filler"), vec![1; 500_000]).unwrap();

    let mut stored = vec!["first".to_owned()];
    let error = loop {
        let name = format!("account-{}", stored.len());
        match store.connect(login(&name, 20_000)).await {
            Ok(_connected) => stored.push(name),
            Err(error) => break error,
        }
    };

    assert_eq!((error.code(), error.message()), (ErrorCode::StoreFailed, "the disk is full"));
    for name in &stored {
        assert!(store.load(&login(name, 0).account).await.unwrap().is_some());
    }
    assert_eq!(store.list(&Owner::default()).await.unwrap().len(), stored.len());
    fs::remove_file(disk.join("filler")).unwrap();
    store.connect(login("last", 20_000)).await.unwrap();
    drop(store);
    assert_eq!(open().await.unwrap().list(&Owner::default()).await.unwrap().len(), stored.len() + 1);
}

fn login(name: &str, length: usize) -> NewConnection {
    NewConnection {
        account: format!("github/{name}").parse().unwrap(),
        connection: ConnectionId([1; 16]),
        columns: Columns::new(Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(1)),
        sealed: SealedTokens(vec![1; length]),
        refresh_digest: None,
        begun_after: None,
    }
}

const DISK: &str = "DISK";
