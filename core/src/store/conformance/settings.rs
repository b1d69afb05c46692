//! The active account, the change mark and the clock.

use tokio::time::{Instant, sleep};

use super::*;
use crate::account::Owner;
use crate::store::{ChangeMark, Reach};

pub(super) async fn the_latest_login_is_active(subject: Subject) {
    for (seed, name) in [(1, "github"), (2, "google/work")] {
        subject.store.connect(login(&account(name), seed)).await.unwrap();
        assert_eq!(subject.other.active(&Owner::default()).await.unwrap(), Some(account(name)));
    }
}

pub(super) async fn selecting_deletes_nothing(subject: Subject) {
    let (store, local) = (&*subject.store, Owner::default());
    store.connect(login(&account("github"), 1)).await.unwrap();
    store.connect(login(&account("google"), 2)).await.unwrap();
    for selected in [Some(account("github")), None, Some(account("github")), Some(account("google"))] {
        assert!(store.select(&local, selected.as_ref()).await.unwrap());
        assert_eq!(store.active(&local).await.unwrap(), selected);
        assert_eq!(store.list(&local).await.unwrap().len(), 2);
    }
}

pub(super) async fn what_is_not_connected_cannot_be_selected(subject: Subject) {
    let (store, local) = (&*subject.store, Owner::default());
    store.connect(login(&account("github"), 1)).await.unwrap();
    store.connect(login(&account("google"), 2)).await.unwrap();
    disconnect(store, &account("google")).await;
    store.select(&local, Some(&account("github"))).await.unwrap();
    for gone in ["google", "github/other"] {
        assert!(!store.select(&local, Some(&account(gone))).await.unwrap(), "{gone}");
        assert_eq!(store.active(&local).await.unwrap(), Some(account("github")));
    }
}

pub(super) async fn disconnecting_the_active_account_clears_it_and_no_other(subject: Subject) {
    let (store, local) = (&*subject.store, Owner::default());
    store.connect(login(&account("github"), 1)).await.unwrap();
    store.connect(login(&account("google"), 2)).await.unwrap();
    disconnect(store, &account("github")).await;
    assert_eq!(store.active(&local).await.unwrap(), Some(account("google")));
    disconnect(store, &account("google")).await;
    assert_eq!(store.active(&local).await.unwrap(), None);
}

pub(super) async fn every_owner_has_an_active_account_of_their_own(subject: Subject) {
    let store = &*subject.store;
    let ada = Owner::new("ada").unwrap();
    let hers = account("google").for_owner(ada.clone());
    store.connect(login(&account("github"), 1)).await.unwrap();
    store.connect(login(&hers, 2)).await.unwrap();
    store.select(&Owner::default(), None).await.unwrap();
    assert_eq!(store.active(&ada).await.unwrap(), Some(hers.clone()));
    disconnect(store, &hers).await;
    assert_eq!(store.active(&ada).await.unwrap(), None);
}

pub(super) async fn the_change_mark_moves_with_every_change(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    let mut seen = Seen(vec![subject.other.change_mark().unwrap()]);
    let mut own = Seen(vec![store.change_mark().unwrap()]);
    store.connect(login(&github, 1)).await.unwrap();
    own.at_once(store);
    seen.another(&*subject.other).await;
    claim(store, &github, 1, 1).await;
    seen.another(&*subject.other).await;
    store.abandon(&github, AttemptId([1; 16]), Some(failure(1, FailureKind::Refused))).await.unwrap();
    seen.another(&*subject.other).await;
    store.commit(answer(&github, 1, 2)).await.unwrap();
    seen.another(&*subject.other).await;
    store.select(&Owner::default(), None).await.unwrap();
    seen.another(&*subject.other).await;
    disconnect(store, &github).await;
    seen.another(&*subject.other).await;
    store.add_key(key(1), true).await.unwrap();
    seen.another(&*subject.other).await;
    store.connect(login(&github, 1)).await.unwrap();
    seen.another(&*subject.other).await;
    store.add_key(key(3), false).await.unwrap();
    seen.another(&*subject.other).await;
    store.reseal(vec![reseal(&login(&github, 1), 3)]).await.unwrap();
    seen.another(&*subject.other).await;
    assert!(store.remove_key([1; 8]).await.unwrap());
    seen.another(&*subject.other).await;
}

pub(super) async fn the_change_mark_stays_while_nothing_changes(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    claim(store, &github, 1, 1).await;
    settle(&*subject.other).await;
    let mark = subject.other.change_mark().unwrap();
    loaded(store, &github).await;
    store.list(&Owner::default()).await.unwrap();
    claim(store, &github, 1, 2).await;
    claim(store, &account("google"), 1, 2).await;
    store.abandon(&github, AttemptId([2; 16]), None).await.unwrap();
    settle(&*subject.other).await;
    assert_eq!(subject.other.change_mark().unwrap(), mark);
}

pub(super) async fn the_clock_is_the_stores(subject: Subject) {
    let before = subject.store.now().await.unwrap();
    (subject.advance)(Duration::from_secs(90));
    assert!(subject.other.now().await.unwrap() >= before.plus(Duration::from_secs(90)));
}

pub(super) struct Seen(pub(super) Vec<ChangeMark>);

impl Seen {
    /// Within the time that a change may take to be seen.
    pub(super) async fn another(&mut self, store: &dyn TokenStore) {
        if matches!(store.reach(), Reach::Hosts) {
            let began = Instant::now();
            while self.0.contains(&store.change_mark().unwrap()) && began.elapsed() < SEEN_ELSEWHERE_WITHIN {
                sleep(Duration::from_millis(10)).await;
            }
        }
        self.at_once(store);
    }

    fn at_once(&mut self, store: &dyn TokenStore) {
        let mark = store.change_mark().unwrap();
        assert!(!self.0.contains(&mark), "the change after {} others does not show", self.0.len() - 1);
        self.0.push(mark);
    }
}

/// Waits until everything that has changed elsewhere has been seen.
async fn settle(store: &dyn TokenStore) {
    if matches!(store.reach(), Reach::Hosts) {
        sleep(SEEN_ELSEWHERE_WITHIN).await;
    }
}

const SEEN_ELSEWHERE_WITHIN: Duration = Duration::from_secs(1);
