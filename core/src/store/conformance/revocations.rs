//! The queue of revocations.

use std::collections::BTreeSet;

use super::*;
use crate::account::Owner;

/// Connects `account` and disconnects it, with its revocation queued.
async fn queued(store: &dyn TokenStore, account: &AccountKey, seed: u8) -> Revocation {
    store.connect(login(account, seed)).await.unwrap();
    disconnect(store, account).await.unwrap().revocation.unwrap()
}

/// What is queued, told by the seeds of the connections.
async fn seeds(store: &dyn TokenStore) -> Vec<u8> {
    let waiting = store.revocations(None, 1000).await.unwrap();
    waiting.iter().map(|revocation| revocation.record.connection.0[0]).collect()
}

async fn take(store: &dyn TokenStore, revocation: &Revocation) -> Option<Revocation> {
    store.take_revocation(revocation.record.connection, revocation.attempts, LEASE).await.unwrap()
}

/// What an answer to a refresh of `revocation`'s connection would have stored.
fn late(revocation: &Revocation, seed: u8) -> Record {
    let mut record = revocation.record.clone();
    record.sealed = SealedTokens(vec![seed; 100]);
    record.refresh_digest = Some(digest(seed));
    record.updated_at = at(seed);
    record.revision = 7;
    record
}

pub(super) async fn a_disconnect_queues_the_whole_connection(subject: Subject) {
    let github = account("github/work");
    let mut expected = login(&github, 1);
    expected.columns.base_url = Some("https://api.example.com".to_owned());
    subject.store.connect(expected.clone()).await.unwrap();
    claim(&*subject.store, &github, 1, 1).await;

    let before = subject.store.now().await.unwrap();
    let returned = disconnect(&*subject.store, &github).await.unwrap().revocation.unwrap();
    let after = subject.store.now().await.unwrap();

    let waiting = subject.other.revocations_of(&github.owner).await.unwrap();
    let [read] = &waiting[..] else { panic!("{} revocations", waiting.len()) };
    for revocation in [read, &returned] {
        assert_eq!(revocation.record.account, github);
        assert_eq!(revocation.record.connection, expected.connection);
        assert_eq!(revocation.record.columns, expected.columns);
        assert_eq!(revocation.record.sealed, expected.sealed);
        assert_eq!(revocation.record.refresh_digest, expected.refresh_digest);
        assert_eq!(revocation.record.updated_at, expected.columns.created_at);
        assert!(revocation.record.claim.is_none());
        assert_eq!(revocation.attempts, 0);
        assert!((before.plus(LEASE)..=after.plus(LEASE)).contains(&revocation.next_attempt_at));
        assert_eq!(revocation.until, revocation.next_attempt_at.minus(LEASE).plus(TERMS.lasts));
    }
    assert_eq!(read.until, returned.until);
    assert!(subject.other.is_empty().await.unwrap(), "what waits is no connection");
}

pub(super) async fn a_disconnect_without_a_revocation_queues_nothing(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    let deleted = store.disconnect(&github, end(1, None)).await.unwrap().unwrap();
    assert!(deleted.revocation.is_none());
    assert_eq!(deleted.record.sealed, login(&github, 1).sealed);
    assert!(seeds(store).await.is_empty());
}

pub(super) async fn a_revocation_is_taken_once(subject: Subject) {
    let (store, other) = (&*subject.store, &*subject.other);
    let waiting = queued(store, &account("github"), 1).await;
    queued(store, &account("google"), 2).await;

    (subject.advance)(Duration::from_secs(5));
    let before = store.now().await.unwrap();
    let taken = take(store, &waiting).await.unwrap();

    assert_eq!((taken.attempts, taken.record.sealed), (1, waiting.record.sealed.clone()));
    assert!(taken.next_attempt_at >= before.plus(LEASE), "the lease runs by the store's clock");
    assert_eq!(taken.until, waiting.until);
    assert!(take(other, &waiting).await.is_none());
    assert_eq!(seeds(other).await, [2, 1], "the one that was not taken is due first");
}

pub(super) async fn of_many_takers_one_wins(subject: Subject) {
    let waiting = queued(&*subject.store, &account("github"), 1).await;
    let takers: Vec<_> = (0..16)
        .map(|number| {
            let store = Arc::clone(if number % 2 == 0 { &subject.store } else { &subject.other });
            let waiting = waiting.clone();
            tokio::spawn(async move { take(&*store, &waiting).await.is_some() })
        })
        .collect();
    let mut winners = 0;
    for taker in takers {
        winners += usize::from(taker.await.unwrap());
    }
    assert_eq!(winners, 1);
}

pub(super) async fn only_its_taker_can_postpone_or_settle_a_revocation(subject: Subject) {
    let (store, other) = (&*subject.store, &*subject.other);
    let waiting = queued(store, &account("github"), 1).await;
    let (connection, long) = (waiting.record.connection, Duration::from_secs(7_200));
    let taken = take(store, &waiting).await.unwrap();

    other.postpone_revocation(connection, waiting.attempts, long).await.unwrap();
    assert!(!other.settle_revocation(connection, waiting.attempts).await.unwrap());
    let now = || async { other.revocations(None, 1).await.unwrap().remove(0) };
    assert_eq!(now().await.next_attempt_at, taken.next_attempt_at);

    let before = store.now().await.unwrap();
    store.postpone_revocation(connection, taken.attempts, long).await.unwrap();
    let postponed = now().await;
    assert!(postponed.next_attempt_at >= before.plus(long));
    assert_eq!((postponed.attempts, postponed.until), (taken.attempts, taken.until));
    assert!(store.settle_revocation(connection, taken.attempts).await.unwrap());
    assert!(!store.settle_revocation(connection, taken.attempts).await.unwrap());
    assert!(seeds(other).await.is_empty());
}

pub(super) async fn revocations_are_listed_in_pages_the_earliest_first(subject: Subject) {
    let store = &*subject.store;
    let ada = Owner::new("ada").unwrap();
    for seed in 1..=7 {
        let owner = if seed % 2 == 0 { ada.clone() } else { Owner::default() };
        let waiting = queued(store, &account(&format!("github/{seed}")).for_owner(owner), seed).await;
        // Pairs with the same wait, and often at the same moment.
        let wait = Duration::from_secs(1000 - 100 * u64::from(seed / 2));
        store.postpone_revocation(waiting.record.connection, 0, wait).await.unwrap();
    }
    let mut listed: Vec<Revocation> = Vec::new();
    loop {
        let page = subject.other.revocations(listed.last(), 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    let order: Vec<_> =
        listed.iter().map(|waiting| (waiting.next_attempt_at, waiting.record.connection.0)).collect();
    assert!(order.is_sorted());
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 7, "each of them once");
    let hers: Vec<_> = store.revocations_of(&ada).await.unwrap();
    assert_eq!(hers.iter().map(|waiting| waiting.record.connection.0[0]).collect::<Vec<_>>(), [6, 4, 2]);
}

pub(super) async fn a_new_login_cancels_what_could_end_its_grant(subject: Subject) {
    let store = &*subject.store;
    let ada = Owner::new("ada").unwrap();
    let same_person = |name: &str, seed, id: Option<&str>| {
        let mut login = login(&account(name), seed);
        login.columns.account_id = id.map(str::to_owned);
        login
    };
    let others = [
        same_person("github/a", 1, Some("same")),
        same_person("github/b", 2, Some("another")),
        same_person("github/c", 3, None),
        same_person("gitlab/a", 4, Some("same")),
        NewConnection {
            account: account("github/a").for_owner(ada),
            ..same_person("github/a", 5, Some("same"))
        },
        same_person("github/new", 6, Some("yet another")),
        same_person("github/new", 7, None),
    ];
    for login in others {
        let key = login.account.clone();
        store.connect(login).await.unwrap();
        disconnect(store, &key).await.unwrap();
    }
    let left: BTreeSet<_> = seeds(store).await.into_iter().collect();
    assert_eq!(left, [1, 2, 3, 4, 5, 7].into(), "the seventh login was of the sixth's account");

    store.connect(same_person("github/new", 8, Some("same"))).await.unwrap();
    let left: BTreeSet<_> = seeds(&*subject.other).await.into_iter().collect();
    assert_eq!(left, [2, 3, 4, 5].into());
    store.connect(same_person("github/d", 9, None)).await.unwrap();
    assert_eq!(seeds(store).await.len(), 4, "nobody's id is nobody's");
}

pub(super) async fn a_closed_login_cancels_nothing(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    let begun_after = Some(store.latest_disconnect(&github).await.unwrap());
    queued(store, &github, 1).await;
    let outcome = store.connect(NewConnection { begun_after, ..login(&github, 2) }).await.unwrap();
    assert_eq!(outcome, ConnectOutcome::Disconnected);
    assert_eq!(seeds(store).await, [1]);
}

pub(super) async fn what_came_late_replaces_what_is_queued(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    let waiting = queued(store, &github, 1).await;
    let taken = take(store, &waiting).await.unwrap();

    let replaced = queue(&*subject.other, late(&waiting, 9)).await.unwrap();

    assert_eq!(replaced.attempts, taken.attempts + 1);
    assert!(!store.settle_revocation(taken.record.connection, taken.attempts).await.unwrap());
    let read = store.revocations(None, 10).await.unwrap();
    let [read] = &read[..] else { panic!("{} revocations", read.len()) };
    assert_eq!((&read.record.sealed, read.attempts), (&SealedTokens(vec![9; 100]), replaced.attempts));
    assert_eq!((read.record.refresh_digest, read.record.updated_at), (Some(digest(9)), at(9)));
    assert_eq!((read.next_attempt_at, read.until), (replaced.next_attempt_at, replaced.until));
    assert_eq!(read.record.revision, 0);
}

pub(super) async fn what_came_late_is_queued_when_the_rest_was_settled(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    let waiting = queued(store, &github, 1).await;
    assert!(store.settle_revocation(waiting.record.connection, 0).await.unwrap());
    let late = queue(store, late(&waiting, 9)).await.unwrap();
    assert_eq!(late.attempts, 0);
    assert_eq!(take(&*subject.other, &late).await.unwrap().record.sealed, SealedTokens(vec![9; 100]));
}

pub(super) async fn what_came_late_is_not_queued_when_its_grant_is_to_live_on(subject: Subject) {
    let (store, other, github) = (&*subject.store, &*subject.other, account("github"));
    let waiting = queued(store, &github, 1).await;
    store.connect(login(&github, 2)).await.unwrap();
    assert!(queue(other, late(&waiting, 9)).await.is_none(), "a newer login");

    store.disconnect(&github, end(1, None)).await.unwrap();
    assert!(queue(other, late(&waiting, 9)).await.is_none(), "kept on purpose");

    disconnect(store, &github).await;
    let mut same_person = login(&account("github/work"), 3);
    same_person.columns.account_id.clone_from(&waiting.record.columns.account_id);
    store.connect(same_person).await.unwrap();
    assert!(queue(other, late(&waiting, 9)).await.is_none(), "the same person");

    store.disconnect(&account("github/work"), end(2, None)).await.unwrap();
    assert!(queue(other, late(&waiting, 9)).await.is_some());
}

pub(super) async fn what_came_late_under_an_older_key_is_not_queued(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.add_key(key(1), true).await.unwrap();
    let waiting = queued(store, &github, 1).await;
    store.add_key(key(2), false).await.unwrap();
    let outcome = subject.other.queue_revocation(waiting.record.clone(), TERMS).await.unwrap();
    assert!(matches!(outcome, QueueOutcome::Retired));
    let mut anew = waiting.record;
    anew.sealed = SealedTokens(vec![2; 300]);
    let outcome = subject.other.queue_revocation(anew, TERMS).await.unwrap();
    assert!(matches!(outcome, QueueOutcome::Queued(_)));
}

pub(super) async fn the_change_mark_moves_with_the_queue(subject: Subject) {
    let store = &*subject.store;
    let mut marks = vec![store.change_mark().unwrap()];
    let mut moved = || {
        let mark = store.change_mark().unwrap();
        assert!(!marks.contains(&mark), "the change after {} others does not show", marks.len() - 1);
        marks.push(mark);
    };
    let waiting = queued(store, &account("github"), 1).await;
    moved();
    let taken = take(store, &waiting).await.unwrap();
    moved();
    store.postpone_revocation(taken.record.connection, taken.attempts, LEASE).await.unwrap();
    moved();
    queue(store, late(&waiting, 9)).await;
    moved();
    assert!(store.settle_revocation(taken.record.connection, taken.attempts + 1).await.unwrap());
    moved();
}

/// Queues what came late; `None` where its grant is to live on.
async fn queue(store: &dyn TokenStore, record: Record) -> Option<Revocation> {
    match store.queue_revocation(record, TERMS).await.unwrap() {
        QueueOutcome::Queued(waiting) => Some(*waiting),
        QueueOutcome::GrantLivesOn => None,
        QueueOutcome::Retired => panic!("the store has no key"),
    }
}
