//! A store that is replaced or removed while somebody has it open.
#![cfg(unix)]

use std::fs;

use super::*;
use crate::store::{Columns, SealedTokens};

#[tokio::test]
async fn a_file_that_was_replaced_or_removed_is_neither_written_nor_believed() {
    let (place, other) = (Place::new(), Place::new());
    let store = place.open().await;
    store.connect(login(1)).await.unwrap();
    drop(other.open().await);
    let (path, aside) = (place.path(), place.path().with_extension("aside"));
    let accidents: [fn(&Path, &Path); 2] =
        [|path, other| assert!(fs::copy(other, path).is_ok()), |_removed, _| {}];
    for accident in accidents {
        fs::rename(&path, &aside).unwrap();
        accident(&path, &other.path());

        refused(store.load(&login(1).account).await);
        refused(
            store.claim(&login(1).account, ConnectionId([1; 16]), DIGEST, AttemptId([1; 16]), LEASE).await,
        );
        refused(store.connect(login(2)).await);

        // It comes back: nothing was written meanwhile, and nothing is lost.
        fs::rename(&aside, &path).unwrap();
        assert_eq!(store.load(&login(1).account).await.unwrap().unwrap().connection, ConnectionId([1; 16]));
    }
    let record = store.load(&login(1).account).await.unwrap().unwrap();
    assert!(record.claim.is_none(), "the claim that was refused was not made");
}

#[tokio::test]
async fn what_is_committed_to_a_file_that_has_just_lost_its_name_is_not_stored() {
    let place = Place::new();
    let store = place.open().await;
    let path = place.path();
    let unlucky = {
        let path = path.clone();
        move |transaction: &Transaction<'_>| {
            transactions::connect(transaction, &login(1), Timestamp::from_unix_seconds(1))?;
            fs::remove_file(&path).unwrap();
            Ok(())
        }
    };
    refused(store.0.write(unlucky));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_new_store_does_not_begin_with_the_log_of_one_that_was_removed() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login(1)).await.unwrap();
    fs::remove_file(place.path()).unwrap();

    let new = place.open().await;

    assert!(new.load(&login(1).account).await.unwrap().is_none());
    refused(store.load(&login(1).account).await);
    drop(store);
    new.connect(login(2)).await.unwrap();
    let found = place.open().await.load(&login(1).account).await.unwrap().unwrap();
    assert_eq!(found.connection, ConnectionId([2; 16]));
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_opened_is_not_used() {
    let place = Place::new();
    drop(place.open().await);
    let presence = Presence::of(&place.path()).unwrap();
    let replacement = place.path().with_extension("replacement");
    fs::copy(place.path(), &replacement).unwrap();
    fs::rename(&replacement, place.path()).unwrap();
    refused(presence.check());
}

#[track_caller]
fn refused<T: fmt::Debug>(result: Result<T>) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreFailed);
    assert_eq!(error.message(), "the store's file was replaced or removed while it was in use");
    assert!(error.advice().contains("restart"), "{}", error.advice());
}

fn login(connection: u8) -> NewConnection {
    NewConnection {
        account: "github".parse().unwrap(),
        connection: ConnectionId([connection; 16]),
        columns: Columns::new(Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(1)),
        sealed: SealedTokens(vec![1; 100]),
        refresh_digest: Some(DIGEST),
        begun_after: None,
    }
}

const DIGEST: TokenDigest = TokenDigest([1; 32]);
const LEASE: Duration = Duration::from_secs(60);
