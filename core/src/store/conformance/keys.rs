//! The data keys, and the tokens that they seal.

use super::*;
use crate::account::Owner;
use crate::store::{CommitOutcome, ConnectOutcome, ResealOutcome, SealPosition};

pub(super) async fn the_first_key_is_added_once(subject: Subject) {
    assert!(subject.store.add_key(key(1), true).await.unwrap());
    assert!(!subject.other.add_key(key(2), true).await.unwrap());
    assert_eq!(subject.store.keys().await.unwrap(), [key(1)]);
}

pub(super) async fn keys_come_back_whole_and_in_order(subject: Subject) {
    // Not in the order of their ids: the newest is the one that was added last.
    for seed in [5, 1, 3] {
        assert!(subject.store.add_key(key(seed), false).await.unwrap());
    }
    assert!(!subject.other.add_key(key(1), false).await.unwrap());
    assert_eq!(subject.other.keys().await.unwrap(), [key(5), key(1), key(3)]);
}

pub(super) async fn the_key_lock_lets_one_in_at_a_time(subject: Subject) {
    let guard = subject.store.lock_keys().await.unwrap();
    let other = Arc::clone(&subject.other);
    let waiting = tokio::spawn(async move { other.lock_keys().await });
    for _ in 0..20 {
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
    }
    drop(guard);
    while !waiting.is_finished() {
        (subject.advance)(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    waiting.await.unwrap().unwrap();
}

pub(super) async fn tokens_are_taken_under_the_newest_key_alone(subject: Subject) {
    let (store, github, google) = (&*subject.store, account("github"), account("google"));
    store.add_key(key(1), true).await.unwrap();
    assert_eq!(store.connect(login(&github, 1)).await.unwrap(), ConnectOutcome::Connected);
    claim(store, &github, 1, 7).await;
    subject.other.add_key(key(2), false).await.unwrap();
    let before = loaded(store, &github).await;

    assert_eq!(store.connect(login(&github, 1)).await.unwrap(), ConnectOutcome::Retired);
    assert_eq!(store.connect(login(&google, 1)).await.unwrap(), ConnectOutcome::Retired);
    let mut late = answer(&github, 1, 2);
    for retired in [SealedTokens(vec![1; 200]), SealedTokens(vec![9; 200]), SealedTokens(vec![2; 8])] {
        late.sealed = retired.clone();
        assert!(matches!(store.commit(late.clone()).await.unwrap(), CommitOutcome::Retired));
        let seal = NewSeal { new: retired, ..reseal(&login(&github, 1), 2) };
        let batch = vec![reseal(&login(&github, 1), 2), seal];
        assert_eq!(store.reseal(batch).await.unwrap(), ResealOutcome::Retired);
    }
    assert_eq!(store.active(&github.owner).await.unwrap(), Some(github.clone()));
    assert!(store.load(&google).await.unwrap().is_none());
    unchanged(&loaded(store, &github).await, &before);
    assert_eq!(loaded(store, &github).await.sealed, before.sealed);

    // The same answer under the newest key is taken, by the same fence.
    assert!(matches!(store.commit(answer(&github, 1, 2)).await.unwrap(), CommitOutcome::Committed));
    assert_eq!(store.connect(login(&google, 2)).await.unwrap(), ConnectOutcome::Connected);
}

pub(super) async fn a_commit_without_a_chance_is_told_so_whatever_its_key(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.add_key(key(3), true).await.unwrap();
    store.connect(login(&github, 3)).await.unwrap();
    assert!(matches!(store.commit(answer(&github, 1, 2)).await.unwrap(), CommitOutcome::Superseded(_)));
    disconnect(store, &github).await;
    assert!(matches!(store.commit(answer(&github, 3, 2)).await.unwrap(), CommitOutcome::Disconnected));
}

pub(super) async fn what_older_keys_sealed_is_listed_page_by_page(subject: Subject) {
    let (store, names) = (&*subject.store, ["dev/a", "dev/b", "dev/c", "dev/d", "github"]);
    assert!(store.old_seals(None, 10).await.unwrap().is_empty());
    store.add_key(key(1), true).await.unwrap();
    for name in names {
        store.connect(login(&account(name), 1)).await.unwrap();
    }
    let hers = account("github").for_owner(Owner::new("ada").unwrap());
    store.connect(login(&hers, 1)).await.unwrap();
    assert!(store.old_seals(None, 10).await.unwrap().is_empty());

    store.add_key(key(2), false).await.unwrap();
    store.commit(answer(&account("dev/b"), 1, 2)).await.unwrap();
    disconnect(store, &account("dev/d")).await;
    let (mut after, mut listed) = (None, Vec::new());
    loop {
        let page = subject.other.old_seals(after.as_ref(), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.position.clone());
        for old in page {
            assert_eq!(old.record.sealed, SealedTokens(vec![1; 300]));
            listed.push((old.position, old.record.account));
        }
    }
    let connections = [hers, account("dev/a"), account("dev/c"), account("github")];
    let mut expected = connections.map(|name| (SealPosition::Connection(name.clone()), name)).to_vec();
    expected.push((SealPosition::Revocation(ConnectionId([1; 16])), account("dev/d")));
    assert_eq!(listed, expected);
}

pub(super) async fn sealing_anew_changes_nothing_else(subject: Subject) {
    let (store, github, google) = (&*subject.store, account("github"), account("google"));
    store.add_key(key(1), true).await.unwrap();
    for name in [&github, &google] {
        store.connect(login(name, 1)).await.unwrap();
        claim(store, name, 1, 6).await;
        let refused = failure(1, FailureKind::Refused);
        store.abandon(name, AttemptId([6; 16]), Some(refused)).await.unwrap();
    }
    claim(store, &github, 1, 7).await;
    store.add_key(key(2), false).await.unwrap();
    let before = [loaded(store, &github).await, loaded(store, &google).await];

    let batch = vec![reseal(&login(&github, 1), 2), reseal(&login(&google, 1), 2)];
    assert_eq!(subject.other.reseal(batch).await.unwrap(), ResealOutcome::Resealed(2));

    for before in before {
        let now = loaded(store, &before.account).await;
        assert_eq!(now.sealed, SealedTokens(vec![2; 300]));
        unchanged(&now, &before);
    }
    assert_eq!(store.active(&github.owner).await.unwrap(), Some(google));
    // The refresh in flight holds its claim, and passes the fence.
    assert!(matches!(claim(store, &github, 1, 8).await, ClaimOutcome::Held { .. }));
    assert!(matches!(store.commit(answer(&github, 1, 2)).await.unwrap(), CommitOutcome::Committed));
}

pub(super) async fn what_has_changed_meanwhile_is_not_overwritten(subject: Subject) {
    let (store, github, google) = (&*subject.store, account("github"), account("google"));
    store.add_key(key(1), true).await.unwrap();
    for name in [&github, &google, &account("gone")] {
        store.connect(login(name, 1)).await.unwrap();
    }
    store.add_key(key(2), false).await.unwrap();
    store.commit(answer(&github, 1, 2)).await.unwrap();
    store.disconnect(&account("gone"), end(0, None)).await.unwrap();

    let names = [&github, &google, &account("gone")];
    let batch: Vec<_> = names.iter().map(|name| reseal(&login(name, 1), 2)).collect();
    assert_eq!(store.reseal(batch.clone()).await.unwrap(), ResealOutcome::Resealed(1));
    assert_eq!(subject.other.reseal(batch).await.unwrap(), ResealOutcome::Resealed(0));

    assert_eq!(loaded(store, &github).await.sealed, answer(&github, 1, 2).sealed);
    assert_eq!(loaded(store, &google).await.sealed, SealedTokens(vec![2; 300]));
    assert!(store.load(&account("gone")).await.unwrap().is_none());
}

pub(super) async fn a_key_goes_when_nothing_names_it_and_the_newest_never(subject: Subject) {
    let (store, github, gone) = (&*subject.store, account("github"), account("gone"));
    store.add_key(key(1), true).await.unwrap();
    assert!(!store.remove_key([1; 8]).await.unwrap(), "it is the newest");
    store.connect(login(&github, 1)).await.unwrap();
    let mut waiting = login(&gone, 1);
    (waiting.connection, waiting.sealed.0[200]) = (ConnectionId([9; 16]), 9);
    store.connect(waiting.clone()).await.unwrap();
    disconnect(store, &gone).await;
    store.add_key(key(2), false).await.unwrap();
    assert!(!store.remove_key([1; 8]).await.unwrap(), "a connection names it");
    assert!(!store.remove_key([2; 8]).await.unwrap(), "it is the newest, and nothing names it");
    assert!(!store.remove_key([9; 8]).await.unwrap(), "it is not there");
    assert_eq!(store.keys().await.unwrap(), [key(1), key(2)]);

    let batch = vec![reseal(&login(&github, 1), 2)];
    assert_eq!(store.reseal(batch).await.unwrap(), ResealOutcome::Resealed(1));
    assert!(!store.remove_key([1; 8]).await.unwrap(), "a revocation that waits names it");
    assert_eq!(store.reseal(vec![reseal(&waiting, 2)]).await.unwrap(), ResealOutcome::Resealed(1));
    assert!(subject.other.remove_key([1; 8]).await.unwrap());
    assert_eq!(store.keys().await.unwrap(), [key(2)]);
    // Positions are not given out twice: what comes is newer than what is there.
    store.add_key(key(1), false).await.unwrap();
    assert_eq!(subject.other.keys().await.unwrap(), [key(2), key(1)]);
}

pub(super) async fn a_new_key_leaves_no_writer_behind(subject: Subject) {
    let (store, other) = (&subject.store, &subject.other);
    store.add_key(key(1), true).await.unwrap();
    for round in 0..20 {
        let name = format!("dev/round-{round}");
        let (writer, adder) = (Arc::clone(store), Arc::clone(other));
        let (old, new) = (round + 1, round + 2);
        let login = login(&account(&name), old);
        let writing = tokio::spawn(async move { writer.connect(login).await.unwrap() });
        let adding = tokio::spawn(async move { adder.add_key(key(new), false).await.unwrap() });
        assert!(adding.await.unwrap());
        // What was stored under the older key is seen by whoever looks now; what comes later is not stored.
        let seen = other.old_seals(None, 100).await.unwrap();
        let is_seen = seen.iter().any(|old| old.record.account == account(&name));
        let outcome = writing.await.unwrap();
        assert_eq!(is_seen, outcome == ConnectOutcome::Connected, "round {round}");
    }
}

/// Whether `now` is `before` in everything but its seal.
#[track_caller]
fn unchanged(now: &Record, before: &Record) {
    assert_eq!(now.account, before.account);
    assert_eq!(now.connection, before.connection);
    assert!(now.columns == before.columns);
    assert_eq!(now.refresh_digest, before.refresh_digest);
    assert_eq!(now.claim, before.claim);
    assert_eq!(now.failure, before.failure);
    assert_eq!((now.revision, now.updated_at), (before.revision, before.updated_at));
}
