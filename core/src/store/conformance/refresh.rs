//! The right to refresh: claim, commit, abandon, and the fence.

use super::*;
use crate::store::{CommitOutcome, ReconnectReason};

pub(super) async fn a_claim_is_granted_once(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();

    let ClaimOutcome::Claimed { record, orphaned } = claim(&*subject.store, &github, 1, 1).await else {
        panic!("a free claim was not granted")
    };
    assert!(!orphaned);
    assert_eq!(record.sealed, login(&github, 1).sealed);
    for (attempt, store) in [(2, &*subject.store), (3, &*subject.other)] {
        assert!(matches!(claim(store, &github, 1, attempt).await, ClaimOutcome::Held { .. }));
    }
    let seen = loaded(&*subject.other, &github).await.claim.unwrap();
    assert_eq!((seen.attempt, seen.presented), (AttemptId([1; 16]), digest(1)));
    assert_eq!(Some(seen), record.claim);
}

pub(super) async fn a_claim_says_how_long_it_still_runs(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();
    claim(&*subject.store, &github, 1, 1).await;
    (subject.advance)(Duration::from_secs(20));
    let ClaimOutcome::Held { remaining } = claim(&*subject.other, &github, 1, 2).await else {
        panic!("a held claim was granted")
    };
    // A store with a clock of its own lets some time pass by itself.
    assert!(remaining <= Duration::from_secs(40) && remaining > Duration::from_secs(10), "{remaining:?}");
}

pub(super) async fn a_claim_whose_lease_has_ended_is_an_orphan(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();
    claim(&*subject.store, &github, 1, 1).await;
    (subject.advance)(LEASE);
    let ClaimOutcome::Claimed { record, orphaned } = claim(&*subject.other, &github, 1, 2).await else {
        panic!("a claim whose lease has ended was not granted")
    };
    assert!(orphaned);
    assert_eq!(record.claim.unwrap().attempt, AttemptId([2; 16]));
    assert!(matches!(claim(&*subject.store, &github, 1, 3).await, ClaimOutcome::Held { .. }));
}

pub(super) async fn a_claim_for_another_token_or_connection_is_refused(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    for (connection, token) in [(1, 2), (2, 1)] {
        let outcome = store
            .claim(&github, ConnectionId([connection; 16]), digest(token), AttemptId([1; 16]), LEASE)
            .await
            .unwrap();
        let ClaimOutcome::Moved(record) = outcome else { panic!("what had moved on was claimed") };
        assert_eq!(record.connection, ConnectionId([1; 16]));
    }
    assert!(loaded(store, &github).await.claim.is_none());

    let mut sparse = login(&github, 1);
    sparse.refresh_digest = None;
    store.connect(sparse).await.unwrap();
    assert!(matches!(claim(store, &github, 1, 1).await, ClaimOutcome::Moved(_)));
}

pub(super) async fn a_claim_of_one_account_leaves_the_others_free(subject: Subject) {
    let store = &*subject.store;
    for name in ["github", "github/work"] {
        store.connect(login(&account(name), 1)).await.unwrap();
        assert!(matches!(claim(store, &account(name), 1, 1).await, ClaimOutcome::Claimed { .. }));
    }
}

pub(super) async fn a_commit_stores_the_answer_and_ends_the_claim(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    claim(store, &github, 1, 1).await;
    let expected = answer(&github, 1, 2);

    assert!(matches!(store.commit(expected.clone()).await.unwrap(), CommitOutcome::Committed));

    let record = loaded(&*subject.other, &github).await;
    assert_eq!(record.columns, expected.columns);
    assert_eq!(record.sealed, expected.sealed);
    assert_eq!(record.refresh_digest, Some(digest(2)));
    assert_eq!(record.updated_at, expected.updated_at);
    assert_eq!(record.revision, 1);
    assert_eq!(record.connection, ConnectionId([1; 16]));
    assert!(record.claim.is_none());
    let again = subject.other.claim(&github, record.connection, digest(2), AttemptId([2; 16]), LEASE).await;
    assert!(matches!(again.unwrap(), ClaimOutcome::Claimed { orphaned: false, .. }));
}

pub(super) async fn a_late_commit_that_passes_the_fence_counts(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();
    claim(&*subject.store, &github, 1, 1).await;
    (subject.advance)(LEASE);
    claim(&*subject.other, &github, 1, 2).await;
    let late = subject.store.commit(answer(&github, 1, 2)).await.unwrap();
    assert!(matches!(late, CommitOutcome::Committed));
    let superseded = subject.other.commit(answer(&github, 1, 3)).await.unwrap();
    assert!(matches!(superseded, CommitOutcome::Superseded(_)));
    assert_eq!(loaded(&*subject.store, &github).await.refresh_digest, Some(digest(2)));
}

pub(super) async fn a_commit_that_read_an_earlier_revision_is_superseded(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    // A server that does not rotate: the same refresh token stays current, whoever gets an answer for it.
    let mut newer = answer(&github, 1, 2);
    newer.refresh_digest = digest(1);
    assert!(matches!(store.commit(newer.clone()).await.unwrap(), CommitOutcome::Committed));
    claim(store, &github, 1, 1).await;

    let CommitOutcome::Superseded(record) = store.commit(answer(&github, 1, 3)).await.unwrap() else {
        panic!("the fence let an answer replace a newer one")
    };

    assert_eq!((record.sealed, record.revision), (newer.sealed, 1));
    assert!(loaded(store, &github).await.claim.is_some(), "a commit that is refused changes nothing");
}

pub(super) async fn a_commit_after_a_newer_login_is_superseded(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    claim(store, &github, 1, 1).await;
    let mut newer = login(&github, 9);
    // Even where the server gave out the same token again.
    newer.refresh_digest = Some(digest(1));
    store.connect(newer.clone()).await.unwrap();
    let CommitOutcome::Superseded(record) = store.commit(answer(&github, 1, 2)).await.unwrap() else {
        panic!("the fence let an answer through that belongs to an earlier login")
    };
    assert_eq!(record.connection, newer.connection);
    assert_eq!(loaded(store, &github).await.sealed, newer.sealed);
}

pub(super) async fn a_commit_after_a_disconnect_meets_the_tombstone(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();
    claim(&*subject.store, &github, 1, 1).await;
    disconnect(&*subject.other, &github).await;
    let late = subject.store.commit(answer(&github, 1, 2)).await.unwrap();
    assert!(matches!(late, CommitOutcome::Disconnected));
    assert!(subject.store.load(&github).await.unwrap().is_none());
}

pub(super) async fn an_abandoned_claim_is_free_again(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();
    claim(&*subject.store, &github, 1, 1).await;
    subject.store.abandon(&github, AttemptId([1; 16]), None).await.unwrap();
    let next = claim(&*subject.other, &github, 1, 2).await;
    assert!(matches!(next, ClaimOutcome::Claimed { orphaned: false, .. }));
}

pub(super) async fn only_the_holder_can_abandon(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    claim(store, &github, 1, 1).await;
    let other = AttemptId([2; 16]);
    subject.other.abandon(&github, other, Some(failure(1, FailureKind::Unknown))).await.unwrap();
    let record = loaded(store, &github).await;
    assert_eq!(record.claim.unwrap().attempt, AttemptId([1; 16]));
    assert!(record.failure.is_none());
    store.abandon(&account("google"), other, None).await.unwrap();
}

pub(super) async fn a_failure_is_kept_until_an_answer_or_a_login_comes(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    let kinds = [
        FailureKind::Permanent(ReconnectReason::Expired),
        FailureKind::Permanent(ReconnectReason::Interrupted),
        FailureKind::Permanent(ReconnectReason::Revoked),
        FailureKind::Refused,
        FailureKind::Unknown,
    ];
    for (attempt, kind) in (1..).zip(kinds) {
        store.connect(login(&github, 1)).await.unwrap();
        claim(store, &github, 1, attempt).await;
        let mut failure = failure(1, kind);
        if let FailureKind::Permanent(_) = kind {
            failure.next_attempt_at = None;
        }
        store.abandon(&github, AttemptId([attempt; 16]), Some(failure)).await.unwrap();
        assert_eq!(loaded(&*subject.other, &github).await.failure, Some(failure));
        // A claim does not forget it, nor does giving that claim back.
        claim(store, &github, 1, 99).await;
        assert_eq!(loaded(store, &github).await.failure, Some(failure));
        store.abandon(&github, AttemptId([99; 16]), None).await.unwrap();
        assert_eq!(loaded(store, &github).await.failure, Some(failure));
    }
    store.commit(answer(&github, 1, 2)).await.unwrap();
    assert!(loaded(store, &github).await.failure.is_none());
}

pub(super) async fn of_many_claimers_one_wins(subject: Subject) {
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();
    let claimers: Vec<_> = (1..=32)
        .map(|attempt| {
            let store = Arc::clone(if attempt % 2 == 0 { &subject.store } else { &subject.other });
            let github = github.clone();
            tokio::spawn(async move { claim(&*store, &github, 1, attempt).await })
        })
        .collect();
    let mut granted = 0;
    for claimer in claimers {
        granted += usize::from(matches!(claimer.await.unwrap(), ClaimOutcome::Claimed { .. }));
    }
    assert_eq!(granted, 1);
}
