//! Records that a later version wrote: left as they are, and nobody else's trouble.

use super::*;
use crate::store::{FailureKind, NewConnection};

/// A vault with two accounts, of which `spoil` changes the login of one.
async fn with_a_later(spoil: impl FnOnce(&Vault, &mut NewConnection)) -> (Vault, Arc<dyn TokenStore>) {
    let (vault, store) = vault().await;
    vault.connect(&other(), &tokens("other"), ada(), json!({})).await.unwrap();
    let record = vault.connect(&account(), &tokens("t"), ada(), json!({})).await.unwrap().record;
    let mut login = NewConnection {
        account: record.account,
        connection: record.connection,
        columns: record.columns,
        sealed: record.sealed,
        refresh_digest: record.refresh_digest,
        begun_after: None,
    };
    spoil(&vault, &mut login);
    store.connect(login).await.unwrap();
    (vault, store)
}

#[tokio::test]
async fn a_later_seal_is_left_as_it_is() {
    left_alone(with_a_later(|_, login| login.sealed.0[0] = 2).await).await;
}

#[tokio::test]
async fn a_later_payload_is_left_as_it_is() {
    let reseal = |vault: &Vault, login: &mut NewConnection| {
        let payload = br#"{"version":2,"access_token":"a","token_type":"Bearer","issued_at_ms":0}"#;
        let record = Record::from_login(login.clone());
        login.sealed = vault.keys.ring().newest().seal(&Place::of(&record), payload, &SystemRandom).unwrap();
    };
    left_alone(with_a_later(reseal).await).await;
}

#[tokio::test]
async fn a_later_kind_of_failure_is_left_as_it_is() {
    let (vault, store) = with_a_later(|_, _| ()).await;
    fail(&vault, &store, store.load(&account()).await.unwrap().unwrap().refresh_digest.unwrap()).await;
    left_alone((vault, store)).await;
}

#[tokio::test]
async fn a_later_kind_of_failure_of_an_earlier_token_is_nobodys_concern() {
    let (vault, store) = with_a_later(|_, _| ()).await;
    fail(&vault, &store, TokenDigest([9; 32])).await;
    assert!(vault.load(&account()).await.unwrap().is_some());
}

async fn fail(vault: &Vault, store: &Arc<dyn TokenStore>, presented: TokenDigest) {
    let (entry, attempt) = (vault.load(&account()).await.unwrap().unwrap(), AttemptId([1; 16]));
    vault.claim(&entry, attempt, Duration::from_secs(45)).await.unwrap();
    let at = Timestamp::from_unix_seconds(100);
    let failure = Failure { kind: FailureKind::Later, presented, in_a_row: 1, at, next_attempt_at: None };
    store.abandon(&account(), attempt, Some(failure)).await.unwrap();
}

async fn left_alone((vault, store): (Vault, Arc<dyn TokenStore>)) {
    let before = store.load(&account()).await.unwrap().unwrap();
    let error = vault.load(&account()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreFailed);
    assert_eq!(error.message(), "the record of github was written by a newer version");
    assert!(error.advice().starts_with("Update"), "{}", error.advice());

    assert!(vault.load(&other()).await.unwrap().is_some(), "the others work");
    assert_eq!(vault.list(&Owner::default()).await.unwrap().len(), 2, "it is listed");
    let after = store.load(&account()).await.unwrap().unwrap();
    assert_eq!((after.sealed, after.failure), (before.sealed, before.failure));
}

fn account() -> AccountKey {
    "github".parse().unwrap()
}

fn other() -> AccountKey {
    "google".parse().unwrap()
}
