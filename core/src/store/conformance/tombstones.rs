//! What a disconnect does to logins that have begun.

use super::*;

/// A login of `account` that was begun when its latest disconnect was `begun_after`.
fn begun(account: &AccountKey, seed: u8, begun_after: LatestDisconnect) -> NewConnection {
    NewConnection { begun_after: Some(begun_after), ..login(account, seed) }
}

pub(super) async fn every_disconnect_leaves_another_tombstone(subject: Subject) {
    let (store, other, github) = (&*subject.store, &*subject.other, account("github"));
    let latest = || async { other.latest_disconnect(&github).await.unwrap().0 };
    assert_eq!(latest().await, None);
    assert!(store.disconnect(&github, end(1, None)).await.unwrap().is_none());
    assert_eq!(latest().await, Some(TombstoneId([1; 16])), "also where nothing was");
    store.disconnect(&github, end(2, Some(TERMS))).await.unwrap();
    assert_eq!(latest().await, Some(TombstoneId([2; 16])));
    store.connect(login(&github, 1)).await.unwrap();
    assert_eq!(latest().await, None, "a login takes its place");
    store.disconnect(&github, end(3, Some(TERMS))).await.unwrap();
    assert_eq!(latest().await, Some(TombstoneId([3; 16])));
    assert_eq!(other.latest_disconnect(&account("github/work")).await.unwrap(), LatestDisconnect(None));
}

pub(super) async fn a_login_that_was_begun_before_a_disconnect_is_closed(subject: Subject) {
    let (store, other, github) = (&*subject.store, &*subject.other, account("github"));
    for (seed, is_connected) in [(1, false), (2, true)] {
        let begun_after = store.latest_disconnect(&github).await.unwrap();
        if is_connected {
            store.connect(login(&github, 9)).await.unwrap();
        }
        other.disconnect(&github, end(seed, None)).await.unwrap();
        let outcome = store.connect(begun(&github, seed, begun_after)).await.unwrap();
        assert_eq!(outcome, ConnectOutcome::Disconnected);
        assert!(store.load(&github).await.unwrap().is_none());
        assert!(store.active(&github.owner).await.unwrap().is_none());
    }
}

pub(super) async fn a_login_that_was_begun_after_a_disconnect_is_stored(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    let before = store.latest_disconnect(&github).await.unwrap();
    assert_eq!(store.connect(begun(&github, 1, before)).await.unwrap(), ConnectOutcome::Connected);
    disconnect(store, &github).await;
    disconnect(store, &account("github/work")).await;
    let before = subject.other.latest_disconnect(&github).await.unwrap();
    assert_eq!(store.connect(begun(&github, 2, before)).await.unwrap(), ConnectOutcome::Connected);
    assert_eq!(loaded(store, &github).await.connection, ConnectionId([2; 16]));
}

pub(super) async fn a_login_replaces_a_newer_one_that_nobody_disconnected(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    let before = store.latest_disconnect(&github).await.unwrap();
    disconnect(store, &github).await;
    store.connect(login(&github, 1)).await.unwrap();
    assert_eq!(store.connect(begun(&github, 2, before)).await.unwrap(), ConnectOutcome::Connected);
    assert_eq!(loaded(store, &github).await.connection, ConnectionId([2; 16]));
}

pub(super) async fn of_a_login_and_a_disconnect_at_once_the_disconnect_wins(subject: Subject) {
    for seed in 0..20 {
        let github = account(&format!("github/{seed}"));
        let begun_after = subject.store.latest_disconnect(&github).await.unwrap();
        let (login, end) = (begun(&github, seed, begun_after), end(seed, Some(TERMS)));
        let (logged_in, disconnected) = if seed % 2 == 0 {
            tokio::join!(subject.store.connect(login), subject.other.disconnect(&github, end))
        } else {
            let (disconnected, logged_in) =
                tokio::join!(subject.store.disconnect(&github, end), subject.other.connect(login));
            (logged_in, disconnected)
        };
        let (logged_in, disconnected) = (logged_in.unwrap(), disconnected.unwrap());
        assert!(subject.store.load(&github).await.unwrap().is_none(), "whoever came first");
        assert_eq!(disconnected.is_some(), logged_in == ConnectOutcome::Connected);
    }
}
