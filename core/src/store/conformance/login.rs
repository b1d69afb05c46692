//! Logins, lists and disconnects.

use super::*;
use crate::account::Owner;

pub(super) async fn nothing_is_there_at_first(subject: Subject) {
    let store = &*subject.store;
    assert!(store.load(&account("github")).await.unwrap().is_none());
    assert!(store.list(&Owner::default()).await.unwrap().is_empty());
    assert!(store.active(&Owner::default()).await.unwrap().is_none());
    assert!(disconnect(store, &account("github")).await.is_none());
    assert!(store.keys().await.unwrap().is_empty());
    assert!(store.is_empty().await.unwrap());
    assert_eq!(store.id().await.unwrap(), subject.other.id().await.unwrap());
}

pub(super) async fn a_login_reads_back_whole(subject: Subject) {
    let github = account("github/work");
    let mut expected = login(&github, 1);
    expected.columns.base_url = Some("https://api.example.com".to_owned());
    subject.store.connect(expected.clone()).await.unwrap();

    let record = loaded(&*subject.other, &github).await;

    assert_eq!(record.account, github);
    assert_eq!(record.connection, expected.connection);
    assert_eq!(record.columns, expected.columns);
    assert_eq!(record.sealed, expected.sealed);
    assert_eq!(record.refresh_digest, expected.refresh_digest);
    assert_eq!(record.updated_at, expected.columns.created_at);
    assert!(record.claim.is_none() && record.failure.is_none());
    assert!(!subject.other.is_empty().await.unwrap());

    let mut sparse = login(&github, 2);
    sparse.columns = Columns::new(at(2), at(2));
    sparse.refresh_digest = None;
    subject.store.connect(sparse.clone()).await.unwrap();
    let record = loaded(&*subject.other, &github).await;
    assert_eq!(record.columns, sparse.columns);
    assert_eq!(record.refresh_digest, None);
}

pub(super) async fn a_login_replaces_everything_of_the_earlier_one(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    claim(store, &github, 1, 1).await;
    store.abandon(&github, AttemptId([1; 16]), Some(failure(1, FailureKind::Unknown))).await.unwrap();
    claim(store, &github, 1, 2).await;

    store.connect(login(&github, 9)).await.unwrap();

    let record = loaded(store, &github).await;
    assert_eq!(record.connection, ConnectionId([9; 16]));
    assert!(record.claim.is_none() && record.failure.is_none());
    assert_eq!(store.list(&Owner::default()).await.unwrap().len(), 1);
}

pub(super) async fn a_list_is_sorted_and_of_one_owner(subject: Subject) {
    let store = &*subject.store;
    let ada = Owner::new("ada").unwrap();
    for (seed, name) in (1..).zip(["google", "github/work", "github/default", "github/Z"]) {
        store.connect(login(&account(name), seed)).await.unwrap();
    }
    store.connect(login(&account("github").for_owner(ada.clone()), 9)).await.unwrap();

    let names = |records: Vec<Record>| -> Vec<_> {
        records.iter().map(|record| record.account.to_string()).collect()
    };
    let local = store.list(&Owner::default()).await.unwrap();
    assert_eq!(names(local), ["github/Z", "github", "github/work", "google"]);
    assert_eq!(names(store.list(&ada).await.unwrap()), ["github"]);
    assert_eq!(loaded(store, &account("github").for_owner(ada)).await.connection, ConnectionId([9; 16]));
    assert_eq!(loaded(store, &account("github")).await.connection, ConnectionId([3; 16]));
}

pub(super) async fn a_disconnected_account_is_gone_for_everybody(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();

    let was = disconnect(&*subject.store, &github).await.unwrap();

    assert_eq!(was.record.sealed, login(&github, 1).sealed);
    for store in [&*subject.store, &*subject.other] {
        assert!(store.load(&github).await.unwrap().is_none());
        assert!(store.list(&Owner::default()).await.unwrap().is_empty());
        assert!(disconnect(store, &github).await.is_none());
        assert!(store.is_empty().await.unwrap());
        assert!(matches!(claim(store, &github, 1, 1).await, ClaimOutcome::Gone));
    }
}

pub(super) async fn disconnecting_touches_no_other_account(subject: Subject) {
    let store = &*subject.store;
    let ada = account("github").for_owner(Owner::new("ada").unwrap());
    for (seed, key) in [(1, account("github")), (2, account("github/work")), (3, ada.clone())] {
        store.connect(login(&key, seed)).await.unwrap();
    }
    disconnect(store, &account("github")).await;
    loaded(store, &account("github/work")).await;
    loaded(store, &ada).await;
}
