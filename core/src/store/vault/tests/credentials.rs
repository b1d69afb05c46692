//! Static credentials: sealed at rest, bound to their place, and moved with the key.

use super::*;
use crate::account::AccountName;
use crate::store::{CredentialOutcome, Replace, SealedCredential, StaticKind};

const SECRET: &str = "canary-static-4711";

fn bound(secret: &str) -> BoundSecret {
    BoundSecret { secret: Secret::new(secret), base_url: Some("https://api.example.com".to_owned()) }
}

async fn keep(vault: &Vault, account: &AccountKey, kind: StaticKind) -> KeyOutcome {
    vault.store_credential(account, kind, &bound(SECRET), Replace::No).await.unwrap()
}

fn openai() -> AccountKey {
    "openai".parse().unwrap()
}

#[tokio::test]
async fn a_credential_comes_out_as_it_went_in_and_is_printed_nowhere() {
    let (vault, store) = vault().await;
    assert_eq!(keep(&vault, &openai(), StaticKind::ApiKey).await, KeyOutcome::Stored);
    let found = vault.credentials_of(&openai()).await.unwrap().pop().unwrap();
    let opened = found.secret.as_ref().unwrap();
    assert!(opened.secret.matches(&Secret::new(SECRET)));
    assert_eq!(opened.base_url.as_deref(), Some("https://api.example.com"));
    assert_eq!((found.kind, &found.account), (StaticKind::ApiKey, &openai()));
    let sealed = store.credentials(&Owner::default()).await.unwrap();
    let printed = format!("{found:?} {found:#?} {sealed:?}");
    assert!(!printed.contains("canary") && printed.contains("elided"), "{printed}");
    let bytes = &sealed[0].sealed.0;
    assert!(!bytes.windows(6).any(|window| window == b"canary"));
}

#[tokio::test]
async fn what_is_there_is_kept_with_its_moment_until_it_is_to_be_replaced() {
    let (vault, _) = vault().await;
    keep(&vault, &openai(), StaticKind::ApiKey).await;
    let first = vault.credentials_of(&openai()).await.unwrap().pop().unwrap();
    let outcome = keep(&vault, &openai(), StaticKind::ApiKey).await;
    assert_eq!(outcome, KeyOutcome::Kept(first.updated_at));
    let another = BoundSecret { secret: Secret::new("another"), base_url: None };
    let replaced = vault.store_credential(&openai(), StaticKind::ApiKey, &another, Replace::Yes).await;
    assert_eq!(replaced.unwrap(), KeyOutcome::Replaced);
    let now = vault.credentials_of(&openai()).await.unwrap().pop().unwrap();
    let opened = now.secret.unwrap();
    assert!(opened.secret.matches(&another.secret) && opened.base_url.is_none());
    assert_eq!(now.created_at, first.created_at);
    assert!(vault.remove_credential(&openai(), StaticKind::ApiKey).await.unwrap());
    assert!(vault.credentials_of(&openai()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_credential_that_was_moved_or_edited_is_noticed_and_hides_no_other() {
    type Edit = fn(&mut SealedCredential);
    let edits: [(&str, Edit); 6] = [
        ("owner", |row| row.account.owner = Owner::new("ada").unwrap()),
        ("provider", |row| row.account.provider = "anthropic".parse::<AccountKey>().unwrap().provider),
        ("account", |row| row.account.account = AccountName::new("work").unwrap()),
        ("kind", |row| row.kind = StaticKind::AuthToken),
        ("moment", |row| row.updated_at = Timestamp::from_unix_seconds(1)),
        ("bytes", |row| *row.sealed.0.last_mut().unwrap() ^= 1),
    ];
    for (what, edit) in edits {
        let (vault, store) = vault().await;
        keep(&vault, &openai(), StaticKind::ApiKey).await;
        let zai = "zai".parse().unwrap();
        keep(&vault, &zai, StaticKind::ApiKey).await;
        let mut row = store.credentials(&Owner::default()).await.unwrap().remove(0);
        store.remove_credential(&row.account, row.kind).await.unwrap();
        edit(&mut row);
        let moved = store.store_credential(row.clone(), Replace::No).await.unwrap();
        assert_eq!(moved, CredentialOutcome::Stored, "{what}");

        let found = vault.credentials_of(&row.account).await.unwrap().pop().unwrap();
        let error = found.secret.unwrap_err();
        assert_eq!(error.code(), ErrorCode::StoreFailed, "{what}");
        assert!(error.message().ends_with("cannot be unsealed"), "{error}");
        assert!(error.advice().contains("loomkin-auth key set"), "{}", error.advice());
        let other = vault.credentials_of(&zai).await.unwrap().pop().unwrap();
        assert!(other.secret.is_ok(), "{what}");
        // To be rid of a damaged one must be possible, and so must replacing it.
        let kind = row.kind;
        vault.store_credential(&row.account, kind, &bound("new"), Replace::Yes).await.unwrap();
        assert!(vault.credentials_of(&row.account).await.unwrap().pop().unwrap().secret.is_ok(), "{what}");
    }
}

#[tokio::test]
async fn the_secret_of_a_later_version_is_left_as_it_is() {
    let (vault, store) = vault().await;
    keep(&vault, &openai(), StaticKind::ApiKey).await;
    let mut row = store.credentials(&Owner::default()).await.unwrap().remove(0);
    let place = CredentialPlace::of(&row);
    row.sealed = vault.keys.ring().newest().seal(&place, b"\x02later", &SystemRandom).unwrap();
    store.store_credential(row.clone(), Replace::Yes).await.unwrap();
    let found = vault.credentials_of(&openai()).await.unwrap().pop().unwrap();
    assert!(found.secret.unwrap_err().message().ends_with("was written by a newer version"));
    let report = vault.rotate_key(None, &|_| {}).await.unwrap();
    assert_eq!((report.resealed, report.kept_keys), (1, 0), "nobody looks at what is inside");
}

#[tokio::test]
async fn a_store_with_credentials_alone_gets_no_other_key() {
    let (vault, store) = vault().await;
    keep(&vault, &openai(), StaticKind::ApiKey).await;
    assert!(!store.is_empty().await.unwrap());
}

#[tokio::test]
async fn a_vault_that_was_open_before_a_rotation_reads_and_writes_on() {
    let (bystander, store) = vault().await;
    keep(&bystander, &openai(), StaticKind::ApiKey).await;
    let report = open(Arc::clone(&store), Mood::Fine).await.rotate_key(None, &|_| {}).await.unwrap();
    assert_eq!((report.resealed, report.removed_keys, report.kept_keys), (1, 1, 0));
    let found = bystander.credentials_of(&openai()).await.unwrap().pop().unwrap();
    assert!(found.secret.unwrap().secret.matches(&Secret::new(SECRET)));

    open(Arc::clone(&store), Mood::Fine).await.rotate_key(None, &|_| {}).await.unwrap();
    assert_eq!(keep(&bystander, &openai(), StaticKind::AuthToken).await, KeyOutcome::Stored);
    assert_eq!(store.old_credential(None).await.unwrap(), None);
}

#[tokio::test]
async fn a_damaged_credential_is_reported_and_keeps_its_key() {
    let (vault, store) = vault().await;
    keep(&vault, &openai(), StaticKind::ApiKey).await;
    keep(&vault, &openai(), StaticKind::AuthToken).await;
    let mut row = store.credentials(&Owner::default()).await.unwrap().remove(0);
    row.sealed = damaged(&vault);
    store.store_credential(row, Replace::Yes).await.unwrap();
    let report = vault.rotate_key(None, &|_| {}).await.unwrap();
    assert_eq!(report.damaged_credentials, [(openai(), StaticKind::ApiKey)]);
    assert_eq!((report.resealed, report.kept_keys), (1, 1));
    vault.remove_credential(&openai(), StaticKind::ApiKey).await.unwrap();
    assert_eq!(vault.rotate_key(None, &|_| {}).await.unwrap().kept_keys, 0);
}
