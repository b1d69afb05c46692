//! Stores of earlier versions.

use super::*;
use crate::account::AccountKey;
use crate::store::conformance::login;
use crate::store::{
    CredentialOutcome, CredentialStore as _, Replace, SealedCredential, SealedTokens, StaticKind,
};

#[tokio::test]
async fn a_store_of_the_third_version_gets_a_place_for_credentials_and_keeps_what_it_has() {
    let place = Place::new();
    let github: AccountKey = "github".parse().unwrap();
    place.open().await.connect(login(&github, 1)).await.unwrap();
    let database = Connection::open(place.path()).unwrap();
    database.execute_batch("DROP TABLE credential; PRAGMA user_version = 3").unwrap();
    drop(database);

    let store = place.open().await;
    assert_eq!(store.load(&github).await.unwrap().unwrap().sealed, login(&github, 1).sealed);
    let now = Timestamp::from_unix_seconds(1);
    let credential = SealedCredential {
        account: github.clone(),
        kind: StaticKind::AuthToken,
        sealed: SealedTokens(vec![1; 80]),
        created_at: now,
        updated_at: now,
    };
    let outcome = store.store_credential(credential.clone(), Replace::No).await.unwrap();
    assert_eq!(outcome, CredentialOutcome::Stored);
    assert_eq!(place.open().await.credentials(&github.owner).await.unwrap(), [credential]);
}
