//! What a rotation leaves in the files, and what it finds in the queue of revocations.

use std::collections::HashSet;
use std::fs;

use super::*;
use crate::environment::Environment;
use crate::protocol::token_set::TokenSet;
use crate::secret::Secret;
use crate::store::conformance::{key, login};
use crate::store::key::tests::{FakeKeychain, Mood};
use crate::store::key::{KeySetting, KeychainError};
use crate::store::vault::Vault;
use crate::store::{ConnectOutcome, NewSeal, SealPosition, SealedTokens};

async fn vault(place: &Place) -> Vault {
    let (keychain, random) =
        (FakeKeychain::new(Mood::Refusing(KeychainError::Absent)), Arc::new(SystemRandom));
    let (store, environment) = (Arc::new(place.open().await), Environment::default());
    Vault::open(store, &KeySetting::Auto, &environment, keychain, random, place.clock.clone())
        .await
        .unwrap()
        .0
}

#[tokio::test]
async fn nothing_of_the_old_key_and_of_what_it_sealed_is_left_in_the_files() {
    let place = Place::new();
    let (vault, other) = (vault(&place).await, place.open().await);
    let mut old = Vec::new();
    for number in 0..50 {
        let account = format!("github/{number}").parse().unwrap();
        let tokens = TokenSet::new(Secret::new("x".repeat(100 * number)), Timestamp::from_unix_seconds(0));
        vault.connect(&account, &tokens, Default::default(), serde_json::Value::Null).await.unwrap();
        old.push(other.load(&account).await.unwrap().unwrap().sealed.0);
    }
    let key = other.keys().await.unwrap().pop().unwrap();
    old.extend([key.wrapped, key.salt.to_vec()]);
    assert!(found_in_files(&place, &old) > 100, "the search itself must find what is there");

    vault.rotate_key(None, &|_| {}).await.unwrap();

    assert_eq!(found_in_files(&place, &old), 0);
    assert!(other.old_seals(None, 1).await.unwrap().is_empty());
}

/// How many parts of `texts` the files hold. A long text takes several pages, and each part counts.
fn found_in_files(place: &Place, texts: &[Vec<u8>]) -> usize {
    let parts: HashSet<&[u8]> = texts.iter().flat_map(|text| text[10..].chunks_exact(PART)).collect();
    let files = fs::read_dir(place.path().parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let texts: Vec<_> = files.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect();
    texts.iter().flat_map(|text| text.windows(PART)).filter(|window| parts.contains(window)).count()
}

const PART: usize = 20;

/// A disconnected connection that is still to be revoked, sealed under `key(seed)`.
fn queue(place: &Place, seed: u8) {
    let database = Connection::open(place.path()).unwrap();
    database
        .execute(
            "INSERT INTO revocation VALUES (?1, 'local', 'dev', 'left', ?2, NULL, 1, 2, '[\"a\"]', 'ada', NULL, NULL,
                3, 4, 0, 0, 0)",
            ([seed; 16], [seed; 100]),
        )
        .unwrap();
}

#[tokio::test]
async fn queued_revocations_are_sealed_anew_too() {
    let place = Place::new();
    let store = place.open().await;
    store.add_key(key(1), true).await.unwrap();
    store.add_key(key(5), false).await.unwrap();
    for seed in [3, 1, 5, 4] {
        queue(&place, seed);
    }
    assert!(!store.remove_key([1; 8]).await.unwrap(), "a queued revocation names it");
    let (mut after, mut listed) = (None, Vec::new());
    while let Some(old) = store.old_seals(after.as_ref(), 1).await.unwrap().pop() {
        assert_eq!(old.position, SealPosition::Revocation(old.record.connection));
        assert_eq!(old.record.account, "dev/left".parse().unwrap());
        assert_eq!(old.record.columns.scopes, ["a"]);
        listed.push(old.record.connection.0[0]);
        after = Some(old.position);
    }
    assert_eq!(listed, [1, 3, 4]);

    let new = SealedTokens(vec![5; 100]);
    let seal = |seed| NewSeal {
        account: "dev/left".parse().unwrap(),
        connection: ConnectionId([seed; 16]),
        old: SealedTokens(vec![1; 100]),
        new: new.clone(),
    };
    assert_eq!(store.reseal(vec![seal(1), seal(3)]).await.unwrap(), ResealOutcome::Resealed(1));
    assert_eq!(store.old_seals(None, 9).await.unwrap().len(), 2);
    assert!(store.remove_key([1; 8]).await.unwrap());
}

#[tokio::test]
async fn connections_come_before_revocations_and_share_their_pages() {
    let place = Place::new();
    let store = place.open().await;
    store.add_key(key(1), true).await.unwrap();
    for name in ["dev/a", "dev/b"] {
        assert_eq!(store.connect(login(&name.parse().unwrap(), 1)).await.unwrap(), ConnectOutcome::Connected);
    }
    queue(&place, 1);
    store.add_key(key(5), false).await.unwrap();
    let page = store.old_seals(None, 3).await.unwrap();
    let positions: Vec<_> = page.into_iter().map(|old| old.position).collect();
    let connection = |name: &str| SealPosition::Connection(name.parse().unwrap());
    let revocation = SealPosition::Revocation(ConnectionId([1; 16]));
    assert_eq!(positions, [connection("dev/a"), connection("dev/b"), revocation]);
    assert_eq!(store.old_seals(Some(&connection("dev/a")), 1).await.unwrap().len(), 1);
    assert_eq!(store.old_seals(Some(&connection("dev/b")), 9).await.unwrap().len(), 1);
}
