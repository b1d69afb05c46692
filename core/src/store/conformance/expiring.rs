//! The list of what is to be renewed.

use super::*;
use crate::account::Owner;
use crate::store::{Expiring, ReconnectReason};

pub(super) async fn what_ends_first_is_listed_first_whoever_owns_it(subject: Subject) {
    let store = &*subject.store;
    let ada = Owner::new("ada").unwrap();
    // Some end at the same moment, and are told apart by their names.
    let logins = [
        (account("google"), 30),
        (account("github"), 10),
        (account("github").for_owner(ada.clone()), 20),
        (account("github/work"), 10),
        (account("github/Z"), 10),
        (account("github").for_owner(Owner::new("Zoë").unwrap()), 10),
    ];
    for (seed, (account, end)) in (1..).zip(&logins) {
        store.connect(ending(account, seed, *end)).await.unwrap();
    }

    let mut expected: Vec<_> = logins.iter().map(|(account, end)| (at(*end), account.clone())).collect();
    expected.sort();
    assert_eq!(places(&listed(&*subject.other, at(31)).await), expected);
    expected.pop();
    assert_eq!(places(&listed(store, at(30)).await), expected, "it ends before that moment");

    let first = listed(store, at(31)).await.into_iter().find(|found| found.account.owner == ada).unwrap();
    let login = ending(&first.account.clone(), 3, 20);
    assert_eq!(
        first,
        Expiring {
            account: login.account,
            connection: login.connection,
            revision: 0,
            issued_at: login.columns.issued_at,
            expires_at: at(20),
            failure: None,
        }
    );
}

pub(super) async fn a_page_goes_on_where_the_last_one_ended(subject: Subject) {
    let store = &*subject.store;
    for (seed, name) in (1..).zip(["github", "github/a", "google", "google/a", "google/b"]) {
        store.connect(ending(&account(name), seed, if seed < 4 { 10 } else { 20 })).await.unwrap();
    }
    let whole = listed(store, at(99)).await;
    let mut pages: Vec<Expiring> = Vec::new();
    loop {
        let page = store.expiring(at(99), pages.last(), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        pages.extend(page);
    }
    assert_eq!(pages, whole);
    assert_eq!(pages.len(), 5);
}

pub(super) async fn what_cannot_be_renewed_is_not_listed(subject: Subject) {
    let store = &*subject.store;
    let mut without_a_refresh_token = ending(&account("github"), 1, 10);
    without_a_refresh_token.refresh_digest = None;
    let mut without_an_end = ending(&account("google"), 2, 10);
    without_an_end.columns.expires_at = None;
    for login in [without_a_refresh_token, without_an_end, ending(&account("gitlab"), 3, 10)] {
        store.connect(login).await.unwrap();
    }
    disconnect(store, &account("gitlab")).await;

    assert_eq!(listed(store, at(99)).await, []);
}

pub(super) async fn only_a_failure_of_the_present_token_counts(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(ending(&github, 1, 10)).await.unwrap();
    let permanent = FailureKind::Permanent(ReconnectReason::Revoked);
    let listed_after = [
        // What is not known to be dead is tried again.
        (failure(1, FailureKind::Refused), Some(Some(failure(1, FailureKind::Refused)))),
        (failure(1, FailureKind::Unknown), Some(Some(failure(1, FailureKind::Unknown)))),
        // An earlier token's death is not this one's.
        (failure(2, permanent), Some(None)),
        (failure(1, permanent), None),
    ];
    for (attempt, (failure, expected)) in (1..).zip(listed_after) {
        claim(store, &github, 1, attempt).await;
        store.abandon(&github, AttemptId([attempt; 16]), Some(failure)).await.unwrap();
        let found = listed(&*subject.other, at(99)).await;
        assert_eq!(found.first().map(|found| found.failure), expected, "after {failure:?}");
    }
}

pub(super) async fn a_renewed_connection_is_listed_by_its_new_end(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(ending(&github, 1, 10)).await.unwrap();
    claim(store, &github, 1, 1).await;
    let mut answer = answer(&github, 1, 2);
    answer.columns.expires_at = Some(at(50));
    store.commit(answer).await.unwrap();

    assert_eq!(listed(&*subject.other, at(50)).await, []);
    let found = listed(&*subject.other, at(51)).await;
    assert_eq!((found[0].expires_at, found[0].revision, found[0].issued_at), (at(50), 1, at(2)));
}

/// A login whose access token ends at `at(end)`.
fn ending(account: &AccountKey, seed: u8, end: u8) -> NewConnection {
    let mut login = login(account, seed);
    login.columns.expires_at = Some(at(end));
    login
}

async fn listed(store: &dyn TokenStore, before: Timestamp) -> Vec<Expiring> {
    store.expiring(before, None, 100).await.unwrap()
}

fn places(found: &[Expiring]) -> Vec<(Timestamp, AccountKey)> {
    found.iter().map(|found| (found.expires_at, found.account.clone())).collect()
}
