//! The event log: what is in it, in which order, and for how long.

use tokio::task::JoinSet;

use super::*;
use crate::account::Owner;
use crate::store::{Event, EventCursor, EventKind, ReconnectReason};

pub(super) async fn every_change_writes_its_events(subject: Subject) {
    let (store, github, google) = (&*subject.store, account("github"), account("google/work"));
    let mut log = Log::from_here(&*subject.other).await;
    store.connect(login(&github, 1)).await.unwrap();
    log.has([(Some(&github), EventKind::Connected), (Some(&github), EventKind::ActiveChanged)]).await;
    store.connect(login(&google, 2)).await.unwrap();
    log.has([(Some(&google), EventKind::Connected), (Some(&google), EventKind::ActiveChanged)]).await;
    store.connect(login(&google, 3)).await.unwrap();
    log.has([(Some(&google), EventKind::Connected)]).await;

    claim(store, &github, 1, 1).await;
    store.abandon(&github, AttemptId([1; 16]), None).await.unwrap();
    log.has([]).await;
    for kind in [FailureKind::Refused, FailureKind::Unknown] {
        let failure = failure(1, kind);
        claim(store, &github, 1, 1).await;
        store.abandon(&github, AttemptId([1; 16]), Some(failure)).await.unwrap();
        let failed = EventKind::RefreshFailed { kind, next_attempt_at: failure.next_attempt_at };
        log.has([(Some(&github), failed)]).await;
    }
    let reason = ReconnectReason::Interrupted;
    claim(store, &github, 1, 1).await;
    let gone = failure(1, FailureKind::Permanent(reason));
    store.abandon(&github, AttemptId([1; 16]), Some(gone)).await.unwrap();
    log.has([(Some(&github), EventKind::ReconnectRequired { reason })]).await;
    store.commit(answer(&github, 1, 2)).await.unwrap();
    log.has([(Some(&github), EventKind::Refreshed)]).await;

    let local = Owner::default();
    store.select(&local, Some(&google)).await.unwrap();
    log.has([]).await;
    store.select(&local, Some(&github)).await.unwrap();
    log.has([(Some(&github), EventKind::ActiveChanged)]).await;
    disconnect(store, &google).await;
    log.has([(Some(&google), DISCONNECTED)]).await;
    disconnect(store, &github).await;
    log.has([(Some(&github), DISCONNECTED), (None, EventKind::ActiveChanged)]).await;
    store.select(&local, None).await.unwrap();
    log.has([]).await;
    store.connect(login(&google, 3)).await.unwrap();
    log.has([(Some(&google), EventKind::Connected), (Some(&google), EventKind::ActiveChanged)]).await;
    store.disconnect(&google, end(1, None)).await.unwrap();
    let grant_lives_on = EventKind::Disconnected { revoked: Some(false) };
    log.has([(Some(&google), grant_lives_on), (None, EventKind::ActiveChanged)]).await;
    for revoked in [true, false] {
        let answered = EventKind::Disconnected { revoked: Some(revoked) };
        store.record_event(&github, answered).await.unwrap();
        log.has([(Some(&github), answered)]).await;
    }
}

pub(super) async fn what_did_not_happen_is_not_told(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    store.connect(login(&github, 2)).await.unwrap();
    let mut log = Log::from_here(&*subject.other).await;
    store.commit(answer(&github, 1, 3)).await.unwrap();
    claim(store, &github, 2, 1).await;
    claim(store, &github, 2, 2).await;
    store.abandon(&github, AttemptId([2; 16]), Some(failure(2, FailureKind::Refused))).await.unwrap();
    disconnect(store, &account("google")).await;
    log.has([]).await;
    disconnect(store, &github).await;
    log.has([(Some(&github), DISCONNECTED), (None, EventKind::ActiveChanged)]).await;
    store.commit(answer(&github, 2, 3)).await.unwrap();
    disconnect(store, &github).await;
    log.has([]).await;
}

pub(super) async fn an_event_has_its_owner_and_its_moment(subject: Subject) {
    let ada = Owner::new("ada").unwrap();
    let hers = account("github").for_owner(ada.clone());
    let mut cursor = subject.other.event_cursor().await.unwrap();
    (subject.advance)(Duration::from_secs(90));
    let before = subject.store.now().await.unwrap();
    subject.store.connect(login(&hers, 1)).await.unwrap();
    subject.store.select(&ada, None).await.unwrap();
    let after = subject.store.now().await.unwrap();

    let events = subject.other.events(&mut cursor).await.unwrap();

    assert_eq!(events.len(), 3);
    for event in events {
        assert_eq!(event.owner, Some(ada.clone()));
        assert!(
            (before..=after).contains(&event.at),
            "{:?} is not between {before:?} and {after:?}",
            event.at
        );
    }
}

pub(super) async fn a_reader_beside_many_writers_is_told_everything_once(subject: Subject) {
    let mut log = Log::from_here(&*subject.other).await;
    let told = log.read_while(write(&subject, 50)).await;
    for writer in 0..WRITERS {
        let account = Some(writer_of(writer));
        assert_eq!(told.iter().filter(|event| event.account == account).count(), 50);
    }
    assert_eq!(told.len(), WRITERS * 50);
}

pub(super) async fn a_cursor_that_was_cut_off_is_told_so(subject: Subject) {
    let mut left_behind = Log::from_here(&*subject.other).await;
    let mut late = Log::from_here(&*subject.other).await;
    let each = usize::try_from(EventCursor::REACH).unwrap() / WRITERS;
    write(&subject, each).join_all().await;
    assert_eq!(late.read().await.len(), WRITERS * each, "within its reach nobody misses anything");
    write(&subject, 1).join_all().await;
    assert_eq!(late.read().await.len(), WRITERS);

    let missed = left_behind.read().await;
    assert!(matches!(&missed[..], [Event { kind: EventKind::Missed, owner: None, account: None, .. }]));
    left_behind.has([]).await;
    let github = account("github");
    subject.store.connect(login(&github, 1)).await.unwrap();
    left_behind.has([(Some(&github), EventKind::Connected), (Some(&github), EventKind::ActiveChanged)]).await;
}

/// Writes `each` events of each of several accounts, all at once.
fn write(subject: &Subject, each: usize) -> JoinSet<()> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(if writer % 2 == 0 { &subject.store } else { &subject.other });
        writers.spawn(async move {
            for _ in 0..each {
                store.record_event(&writer_of(writer), EventKind::Refreshed).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    }
    writers
}

fn writer_of(number: usize) -> AccountKey {
    account(&format!("github/{number}"))
}

/// A reader of the log.
struct Log<'a> {
    store: &'a dyn TokenStore,
    cursor: EventCursor,
}

impl<'a> Log<'a> {
    /// Of what comes from now on.
    async fn from_here(store: &'a dyn TokenStore) -> Self {
        Self { store, cursor: store.event_cursor().await.unwrap() }
    }

    async fn read(&mut self) -> Vec<Event> {
        self.store.events(&mut self.cursor).await.unwrap()
    }

    /// What it is told until the `writers` have finished, and their last event is there.
    async fn read_while(&mut self, mut writers: JoinSet<()>) -> Vec<Event> {
        let mut told = Vec::new();
        while !writers.is_empty() {
            told.extend(self.read().await);
            tokio::task::yield_now().await;
            while let Some(finished) = writers.try_join_next() {
                finished.unwrap();
            }
        }
        told.extend(self.read().await);
        told
    }

    /// Since the last time, exactly `expected` has happened.
    async fn has<const N: usize>(&mut self, expected: [(Option<&AccountKey>, EventKind); N]) {
        let events = self.read().await;
        let told: Vec<_> = events.iter().map(|event| (event.account.as_ref(), event.kind)).collect();
        assert_eq!(told, expected);
    }
}

const DISCONNECTED: EventKind = EventKind::Disconnected { revoked: None };
const WRITERS: usize = 8;
