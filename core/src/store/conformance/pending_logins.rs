//! Logins that wait for their redirect.

use super::*;
use crate::account::Owner;
use crate::protocol::state::StateDigest;
use crate::store::{FoundLogin, LoginBounds, PutOutcome, ResealOutcome, SealedLogin};

/// A login of `owner`, told apart by `seed`, that is begun now.
async fn begun(store: &dyn TokenStore, owner: &str, seed: u8) -> SealedLogin {
    let begun_at = store.now().await.unwrap();
    SealedLogin {
        id: id(seed),
        account: account("github/work").for_owner(Owner::new(owner).unwrap()),
        begun_at,
        deadline: begun_at.plus(LASTS),
        sealed: SealedTokens(vec![seed; 400]),
    }
}

/// Keeps a login of `owner` that is begun now.
async fn put(subject: &Subject, owner: &str, seed: u8, bounds: LoginBounds) -> PutOutcome {
    let login = begun(&*subject.store, owner, seed).await;
    subject.store.put_pending_login(login, bounds).await.unwrap()
}

/// What is known of the logins of `seeds`: `o`pen, `c`losed, or `-`.
async fn known(subject: &Subject, seeds: impl IntoIterator<Item = u8>) -> String {
    let mut known = String::new();
    for seed in seeds {
        known.push(match subject.other.pending_login(id(seed)).await.unwrap() {
            FoundLogin::Open(_) => 'o',
            FoundLogin::Closed => 'c',
            FoundLogin::Unknown => '-',
        });
    }
    known
}

fn id(seed: u8) -> StateDigest {
    StateDigest([seed; 32])
}

pub(super) async fn a_login_that_waits_reads_back_whole(subject: Subject) {
    let login = begun(&*subject.store, "ada", 1).await;
    assert_eq!(subject.store.put_pending_login(login.clone(), WIDE).await.unwrap(), PutOutcome::Kept);
    for store in [&*subject.store, &*subject.other] {
        for _ in 0..2 {
            let found = store.pending_login(id(1)).await.unwrap();
            assert_eq!(found, FoundLogin::Open(Box::new(login.clone())), "looking takes nothing");
        }
        assert_eq!(store.pending_login(id(2)).await.unwrap(), FoundLogin::Unknown);
    }
    assert!(subject.other.is_empty().await.unwrap(), "what waits is no connection");
}

pub(super) async fn a_login_is_closed_once_and_known_as_closed(subject: Subject) {
    for seed in [1, 2] {
        put(&subject, "ada", seed, WIDE).await;
    }
    assert!(subject.other.close_pending_login(id(1)).await.unwrap());
    assert!(!subject.store.close_pending_login(id(1)).await.unwrap());
    assert!(!subject.store.close_pending_login(id(9)).await.unwrap());
    assert_eq!(known(&subject, [1, 2, 9]).await, "co-");
}

pub(super) async fn of_many_who_close_a_login_one_did(subject: Subject) {
    for seed in 0..20 {
        put(&subject, "ada", seed, WIDE).await;
        let mut closing = tokio::task::JoinSet::new();
        for number in 0..8 {
            let store = Arc::clone(if number % 2 == 0 { &subject.store } else { &subject.other });
            closing.spawn(async move { store.close_pending_login(id(seed)).await.unwrap() });
        }
        let closed = closing.join_all().await;
        assert_eq!(closed.iter().filter(|closed| **closed).count(), 1);
    }
}

pub(super) async fn a_login_past_its_deadline_is_remembered_for_a_while(subject: Subject) {
    put(&subject, "ada", 1, WIDE).await;
    put(&subject, "ada", 2, WIDE).await;
    assert!(subject.store.close_pending_login(id(2)).await.unwrap());
    (subject.advance)(LASTS + SealedLogin::REMEMBERED.saturating_sub(Duration::from_secs(5)));
    put(&subject, "grace", 3, WIDE).await;
    assert_eq!(known(&subject, 1..=3).await, "oco");
    (subject.advance)(Duration::from_secs(10));
    put(&subject, "grace", 4, WIDE).await;
    assert_eq!(known(&subject, 1..=4).await, "--oo");
}

pub(super) async fn of_one_owner_the_spent_go_first_and_then_the_oldest(subject: Subject) {
    let bounds = LoginBounds { of_owner: 3, ..WIDE };
    put(&subject, "grace", 99, bounds).await;
    for seed in 1..=3 {
        put(&subject, "ada", seed, bounds).await;
    }
    assert_eq!(known(&subject, 1..=3).await, "ooo");
    put(&subject, "ada", 4, bounds).await;
    assert_eq!(known(&subject, 1..=4).await, "-ooo");
    assert!(subject.store.close_pending_login(id(3)).await.unwrap());
    put(&subject, "ada", 5, bounds).await;
    assert_eq!(known(&subject, 1..=5).await, "-o-oo");
    // One whose time is over goes before one that is older and lasts longer.
    let mut long = begun(&*subject.store, "ada", 6).await;
    long.deadline = long.deadline.plus(LASTS);
    subject.store.put_pending_login(long, bounds).await.unwrap();
    put(&subject, "ada", 7, bounds).await;
    (subject.advance)(LASTS + Duration::from_secs(5));
    for seed in [8, 9] {
        put(&subject, "ada", seed, bounds).await;
    }
    assert_eq!(known(&subject, 1..=9).await, "-----o-oo");
    assert_eq!(known(&subject, [99]).await, "o", "and nobody else's goes");
}

pub(super) async fn where_all_are_open_another_is_refused_and_none_is_pushed_out(subject: Subject) {
    let bounds = LoginBounds { of_owner: 3, in_all: 4 };
    for (owner, seed) in [("ada", 1), ("ada", 2), ("ada", 3), ("grace", 4)] {
        assert_eq!(put(&subject, owner, seed, bounds).await, PutOutcome::Kept);
    }
    for owner in ["grace", "linus"] {
        assert_eq!(put(&subject, owner, 9, bounds).await, PutOutcome::Full);
    }
    assert_eq!(known(&subject, [1, 2, 3, 4, 9]).await, "oooo-");
    // Whoever has all that one owner may have makes room themselves.
    assert_eq!(put(&subject, "ada", 5, bounds).await, PutOutcome::Kept);
    assert_eq!(known(&subject, 1..=5).await, "-oooo");
    // What is spent makes room for everybody.
    assert!(subject.store.close_pending_login(id(2)).await.unwrap());
    assert_eq!(put(&subject, "linus", 6, bounds).await, PutOutcome::Kept);
    assert_eq!(known(&subject, 1..=6).await, "--oooo");
    (subject.advance)(LASTS + Duration::from_secs(5));
    assert_eq!(put(&subject, "linus", 7, bounds).await, PutOutcome::Kept);
    assert_eq!(known(&subject, 1..=7).await, "------o");
}

pub(super) async fn many_who_begin_at_once_keep_within_the_bounds(subject: Subject) {
    let bounds = LoginBounds { of_owner: 3, in_all: 8 };
    let mut beginning = tokio::task::JoinSet::new();
    for seed in 0..24 {
        let store = Arc::clone(if seed % 2 == 0 { &subject.store } else { &subject.other });
        let login = begun(&*store, &format!("owner-{}", seed % 6), seed).await;
        beginning.spawn(async move { store.put_pending_login(login, bounds).await.unwrap() });
    }
    let kept = beginning.join_all().await;
    assert!(kept.contains(&PutOutcome::Kept) && kept.contains(&PutOutcome::Full));
    assert_eq!(known(&subject, 0..24).await.matches('o').count(), 8);
}

pub(super) async fn logins_are_taken_under_the_newest_key_alone(subject: Subject) {
    let store = &*subject.store;
    store.add_key(key(1), true).await.unwrap();
    assert_eq!(put(&subject, "ada", 1, WIDE).await, PutOutcome::Kept);
    assert!(store.old_pending_logins(10).await.unwrap().is_empty());
    subject.other.add_key(key(2), false).await.unwrap();

    assert_eq!(put(&subject, "ada", 1, WIDE).await, PutOutcome::Retired);
    assert_eq!(put(&subject, "ada", 3, WIDE).await, PutOutcome::Retired);
    assert_eq!(put(&subject, "ada", 2, WIDE).await, PutOutcome::Kept);
    assert_eq!(known(&subject, 1..=3).await, "oo-");
    let seal = |seed| SealedTokens(vec![seed; 400]);
    let reseal = |old, new| subject.other.reseal_pending_login(id(1), seal(old), seal(new));
    assert_eq!(reseal(1, 3).await.unwrap(), ResealOutcome::Retired);
    assert_eq!(reseal(3, 2).await.unwrap(), ResealOutcome::Resealed(0), "it is another by now");
    assert_eq!(store.old_pending_logins(0).await.unwrap(), []);
    let [old] = &store.old_pending_logins(10).await.unwrap()[..] else { panic!("one is old") };
    assert_eq!((old.id, &old.sealed), (id(1), &seal(1)));
    assert_eq!(reseal(1, 2).await.unwrap(), ResealOutcome::Resealed(1));
    let expected = SealedLogin { sealed: seal(2), ..old.clone() };
    let found = store.pending_login(id(1)).await.unwrap();
    assert_eq!(found, FoundLogin::Open(Box::new(expected)), "and nothing else changes");
}

pub(super) async fn an_open_login_keeps_its_key_and_a_closed_one_keeps_none(subject: Subject) {
    let store = &*subject.store;
    store.add_key(key(1), true).await.unwrap();
    for seed in [1, 2] {
        let mut login = begun(store, "ada", seed).await;
        login.sealed = SealedTokens(vec![1; 400]);
        store.put_pending_login(login, WIDE).await.unwrap();
    }
    store.add_key(key(2), false).await.unwrap();
    assert!(!store.remove_key([1; 8]).await.unwrap(), "two logins name it");
    assert!(store.close_pending_login(id(1)).await.unwrap());
    assert!(!store.remove_key([1; 8]).await.unwrap(), "one login names it");
    let (old, new) = (SealedTokens(vec![1; 400]), SealedTokens(vec![2; 400]));
    let closed = store.reseal_pending_login(id(1), old.clone(), new.clone()).await.unwrap();
    assert_eq!(closed, ResealOutcome::Resealed(0), "what is closed is not opened");
    assert_eq!(store.reseal_pending_login(id(2), old, new).await.unwrap(), ResealOutcome::Resealed(1));
    assert!(subject.other.remove_key([1; 8]).await.unwrap());
}

const LASTS: Duration = Duration::from_secs(600);
const WIDE: LoginBounds = LoginBounds { of_owner: 32, in_all: 10_000 };
