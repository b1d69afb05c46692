//! No byte of a token lies unsealed in any file, at any time of a connection's life.

use std::path::Path;

use super::*;
use crate::store::key::KeychainError;
use crate::store::sqlite::SqliteStore;
use crate::store::{Replace, StaticKind};

#[tokio::test]
async fn no_file_ever_holds_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store").join("auth.db");
    let store = SqliteStore::open(path, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    let vault = open(Arc::new(store), Mood::Refusing(KeychainError::Absent)).await;
    let account = "github".parse().unwrap();
    let mut first = tokens("canary-one");
    first.id_token = Some(Secret::new("canary-id"));

    let key = BoundSecret { secret: Secret::new("canary-static"), base_url: None };
    vault.store_credential(&account, StaticKind::ApiKey, &key, Replace::No).await.unwrap();
    assert_clean(directory.path());
    let entry = vault.connect(&account, &first, ada(), json!({"client": "canary-binding"})).await.unwrap();
    assert_clean(directory.path());
    let attempt = vault.make_attempt().unwrap();
    vault.claim(&entry, attempt, Duration::from_secs(60)).await.unwrap();
    vault.commit(&vault.seal_renewal(&entry, &tokens("canary-two")).unwrap()).await.unwrap();
    assert_clean(directory.path());
    let terms = RevocationTerms { lease: Duration::ZERO, lasts: Duration::from_secs(60) };
    vault.disconnect(&account, Some(terms)).await.unwrap();
    assert_eq!(vault.revocations(None, 10).await.unwrap().len(), 1);
    assert_clean(directory.path());
    let waiting = super::pending_logins::keep(&vault, "canary-browser").await;
    assert_clean(directory.path());
    assert!(vault.close_pending_login(waiting).await.unwrap());
    assert_clean(directory.path());
    drop(vault);
    let files = assert_clean(directory.path());
    assert!(files >= 4, "the search itself must find the files");
}

/// Looks through every file below `directory`; says how many there were.
fn assert_clean(directory: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += assert_clean(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{path:?} holds a canary");
        files += 1;
    }
    files
}
