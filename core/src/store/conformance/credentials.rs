//! Static credentials.

use super::settings::Seen;
use super::*;
use crate::account::Owner;
use crate::store::{CredentialOutcome, EventKind, Replace, ResealOutcome, SealedCredential, StaticKind};

pub(super) async fn a_credential_reads_back_whole(subject: Subject) {
    let (store, openai) = (&*subject.store, account("openai"));
    assert_eq!(keep(store, &key_of(&openai, 1)).await, CredentialOutcome::Stored);
    assert_eq!(keep(store, &token_of(&openai, 2)).await, CredentialOutcome::Stored);
    assert_eq!(all(&*subject.other).await, [key_of(&openai, 1), token_of(&openai, 2)]);
    assert!(!subject.other.is_empty().await.unwrap());
    assert!(store.load(&openai).await.unwrap().is_none(), "it is no connection");
}

pub(super) async fn credentials_are_sorted_and_of_one_owner(subject: Subject) {
    let (store, ada) = (&*subject.store, Owner::new("ada").unwrap());
    let hers = key_of(&account("openai").for_owner(ada.clone()), 9);
    let sorted = ["anthropic", "openai/a", "openai/b", "openai/work"];
    for name in sorted.iter().rev() {
        keep(store, &token_of(&account(name), 2)).await;
        keep(store, &key_of(&account(name), 1)).await;
    }
    keep(store, &hers).await;
    let expected: Vec<_> =
        sorted.iter().flat_map(|name| [key_of(&account(name), 1), token_of(&account(name), 2)]).collect();
    assert_eq!(all(&*subject.other).await, expected);
    assert_eq!(subject.other.credentials(&ada).await.unwrap(), [hers]);
}

pub(super) async fn a_credential_is_replaced_only_when_that_is_said(subject: Subject) {
    let (store, openai) = (&*subject.store, account("openai"));
    keep(store, &key_of(&openai, 1)).await;
    assert_eq!(keep(store, &key_of(&openai, 2)).await, CredentialOutcome::Kept(at(1)));
    assert_eq!(all(store).await, [key_of(&openai, 1)]);
    let replaced = store.store_credential(key_of(&openai, 3), Replace::Yes).await.unwrap();
    assert_eq!(replaced, CredentialOutcome::Replaced);
    let mut expected = key_of(&openai, 3);
    expected.created_at = at(1);
    assert_eq!(all(&*subject.other).await, [expected]);
    let first = store.store_credential(token_of(&openai, 4), Replace::Yes).await.unwrap();
    assert_eq!(first, CredentialOutcome::Stored);
}

pub(super) async fn of_many_who_store_one_wins(subject: Subject) {
    let openai = account("openai");
    let mut tasks = Vec::new();
    for seed in 1..=8 {
        let store = Arc::clone(if seed % 2 == 0 { &subject.store } else { &subject.other });
        let credential = key_of(&openai, seed);
        tasks.push(tokio::spawn(async move { (seed, keep(&*store, &credential).await) }));
    }
    let mut winners = Vec::new();
    for task in tasks {
        let (seed, outcome) = task.await.unwrap();
        if outcome == CredentialOutcome::Stored {
            winners.push(seed);
        } else {
            assert!(matches!(outcome, CredentialOutcome::Kept(_)));
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(all(&*subject.store).await, [key_of(&openai, winners[0])]);
}

pub(super) async fn a_removed_credential_is_gone_and_the_others_stay(subject: Subject) {
    let (store, openai) = (&*subject.store, account("openai"));
    keep(store, &key_of(&openai, 1)).await;
    keep(store, &token_of(&openai, 2)).await;
    keep(store, &key_of(&account("openai/work"), 3)).await;
    assert!(subject.other.remove_credential(&openai, StaticKind::ApiKey).await.unwrap());
    assert!(!store.remove_credential(&openai, StaticKind::ApiKey).await.unwrap());
    assert_eq!(all(store).await, [token_of(&openai, 2), key_of(&account("openai/work"), 3)]);
}

pub(super) async fn a_connection_and_a_credential_leave_each_other_alone(subject: Subject) {
    let (store, github) = (&*subject.store, account("github"));
    store.connect(login(&github, 1)).await.unwrap();
    keep(store, &token_of(&github, 2)).await;
    assert_eq!(loaded(store, &github).await.sealed, login(&github, 1).sealed);
    disconnect(store, &github).await;
    assert_eq!(all(store).await, [token_of(&github, 2)]);
    store.connect(login(&github, 3)).await.unwrap();
    assert!(store.remove_credential(&github, StaticKind::AuthToken).await.unwrap());
    assert_eq!(loaded(store, &github).await.sealed, login(&github, 3).sealed);
}

pub(super) async fn removing_the_last_of_the_active_account_leaves_none_active(subject: Subject) {
    let (store, local, zai) = (&*subject.store, Owner::default(), account("zai"));
    let mut cursor = subject.other.event_cursor().await.unwrap();
    keep(store, &key_of(&zai, 1)).await;
    keep(store, &token_of(&zai, 2)).await;
    assert_eq!(store.active(&local).await.unwrap(), None, "a key makes no account active");
    store.select(&local, Some(&zai)).await.unwrap();
    store.remove_credential(&zai, StaticKind::ApiKey).await.unwrap();
    assert_eq!(store.active(&local).await.unwrap(), Some(zai.clone()));
    store.remove_credential(&zai, StaticKind::AuthToken).await.unwrap();
    assert_eq!(store.active(&local).await.unwrap(), None);

    store.connect(login(&zai, 1)).await.unwrap();
    keep(store, &key_of(&zai, 1)).await;
    store.remove_credential(&zai, StaticKind::ApiKey).await.unwrap();
    assert_eq!(store.active(&local).await.unwrap(), Some(zai.clone()), "its connection is still there");

    let told: Vec<_> = subject.other.events(&mut cursor).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|event| (event.kind, event.account)).collect();
    let active = |account: Option<&AccountKey>| (EventKind::ActiveChanged, account.cloned());
    let connected = (EventKind::Connected, Some(zai.clone()));
    assert_eq!(told, [active(Some(&zai)), active(None), connected, active(Some(&zai))]);
}

pub(super) async fn the_change_mark_moves_with_the_credentials(subject: Subject) {
    let (store, openai) = (&*subject.store, account("openai"));
    let mut seen = Seen(vec![subject.other.change_mark().unwrap()]);
    store.add_key(key(1), true).await.unwrap();
    seen.another(&*subject.other).await;
    keep(store, &key_of(&openai, 1)).await;
    seen.another(&*subject.other).await;
    store.store_credential(key_of(&openai, 1), Replace::Yes).await.unwrap();
    seen.another(&*subject.other).await;
    store.add_key(key(2), false).await.unwrap();
    seen.another(&*subject.other).await;
    store.reseal_credential(&key_of(&openai, 1), SealedTokens(vec![2; 90])).await.unwrap();
    seen.another(&*subject.other).await;
    store.remove_credential(&openai, StaticKind::ApiKey).await.unwrap();
    seen.another(&*subject.other).await;
}

pub(super) async fn credentials_are_taken_under_the_newest_key_alone(subject: Subject) {
    let (store, openai) = (&*subject.store, account("openai"));
    store.add_key(key(1), true).await.unwrap();
    keep(store, &key_of(&openai, 1)).await;
    subject.other.add_key(key(2), false).await.unwrap();
    for replace in [Replace::No, Replace::Yes] {
        for retired in [key_of(&openai, 1), token_of(&openai, 9)] {
            let outcome = store.store_credential(retired, replace).await.unwrap();
            assert_eq!(outcome, CredentialOutcome::Retired);
        }
    }
    let retired = store.reseal_credential(&key_of(&openai, 1), SealedTokens(vec![1; 90])).await.unwrap();
    assert_eq!(retired, ResealOutcome::Retired);
    assert_eq!(all(store).await, [key_of(&openai, 1)]);
}

pub(super) async fn credentials_under_an_older_key_are_listed_and_sealed_anew(subject: Subject) {
    let (store, openai, work) = (&*subject.store, account("openai"), account("openai/work"));
    store.add_key(key(1), true).await.unwrap();
    for old in [key_of(&openai, 1), token_of(&openai, 1), key_of(&work, 1)] {
        keep(store, &old).await;
    }
    assert_eq!(store.old_credential(None).await.unwrap(), None);
    store.add_key(key(2), false).await.unwrap();
    keep(store, &token_of(&work, 2)).await;
    assert!(!store.remove_key([1; 8]).await.unwrap(), "credentials name it");

    let (mut after, mut listed): (Option<SealedCredential>, Vec<_>) = (None, Vec::new());
    while let Some(old) =
        subject.other.old_credential(after.as_ref().map(|last| (&last.account, last.kind))).await.unwrap()
    {
        listed.push(old.clone());
        after = Some(old);
    }
    assert_eq!(listed, [key_of(&openai, 1), token_of(&openai, 1), key_of(&work, 1)]);

    for old in &listed[..2] {
        let outcome = store.reseal_credential(old, SealedTokens(vec![2; 90])).await.unwrap();
        assert_eq!(outcome, ResealOutcome::Resealed(1));
        let again = store.reseal_credential(old, SealedTokens(vec![2; 91])).await.unwrap();
        assert_eq!(again, ResealOutcome::Resealed(0), "what is there by now is another");
    }
    let mut expected = [key_of(&openai, 1), token_of(&openai, 1)];
    expected.iter_mut().for_each(|credential| credential.sealed = SealedTokens(vec![2; 90]));
    assert_eq!(all(store).await[..2], expected, "nothing else has changed");
    store.remove_credential(&work, StaticKind::ApiKey).await.unwrap();
    let gone = store.reseal_credential(&listed[2], SealedTokens(vec![2; 90])).await.unwrap();
    assert_eq!(gone, ResealOutcome::Resealed(0));
    assert!(store.remove_key([1; 8]).await.unwrap());
}

/// Those of the local owner.
async fn all(store: &dyn TokenStore) -> Vec<SealedCredential> {
    store.credentials(&Owner::default()).await.unwrap()
}

/// Stores `credential` where there is none.
async fn keep(store: &dyn TokenStore, credential: &SealedCredential) -> CredentialOutcome {
    store.store_credential(credential.clone(), Replace::No).await.unwrap()
}

/// An API key of `account` that is sealed under `key(seed)`.
fn key_of(account: &AccountKey, seed: u8) -> SealedCredential {
    credential(account, StaticKind::ApiKey, seed)
}

/// An auth token of `account` that is sealed under `key(seed)`.
fn token_of(account: &AccountKey, seed: u8) -> SealedCredential {
    credential(account, StaticKind::AuthToken, seed)
}

fn credential(account: &AccountKey, kind: StaticKind, seed: u8) -> SealedCredential {
    let (account, sealed) = (account.clone(), SealedTokens(vec![seed; 80]));
    SealedCredential { account, kind, sealed, created_at: at(seed), updated_at: at(seed) }
}
