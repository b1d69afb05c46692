//! What a vault promises beyond its store: nothing unsealed lies anywhere, and nothing altered comes out.

mod canary;
mod credentials;
mod frozen;
mod later;
mod pending_logins;
mod rotation;
mod stepped;

use serde_json::json;

use super::*;
use crate::clock::SystemClock;
use crate::random::SystemRandom;
use crate::secret::Secret;
use crate::store::key::tests::{FakeKeychain, Mood};
use crate::store::memory::MemoryStore;
use crate::store::seal::{CredentialPlace, Place};
use crate::store::{
    Columns, ConnectOutcome, ConnectionId, EventCursor, EventKind, LatestDisconnect, NewConnection,
    RevocationTerms, SealedTokens, WrappedKey, payload,
};

async fn vault() -> (Vault, Arc<dyn TokenStore>) {
    let store: Arc<dyn TokenStore> =
        Arc::new(MemoryStore::new(Arc::new(SystemClock), &SystemRandom).unwrap());
    (open(Arc::clone(&store), Mood::Fine).await, store)
}

async fn open(store: Arc<dyn TokenStore>, mood: Mood) -> Vault {
    let (environment, keychain) = (Environment::default(), FakeKeychain::new(mood));
    let (random, clock) = (Arc::new(SystemRandom), Arc::new(SystemClock));
    Vault::open(store, &KeySetting::Auto, &environment, keychain, random, clock).await.unwrap().0
}

fn tokens(name: &str) -> TokenSet {
    let mut tokens = TokenSet::new(Secret::new(format!("{name}-access")), Timestamp::from_unix_seconds(100));
    tokens.refresh_token = Some(Secret::new(format!("{name}-refresh")));
    tokens.expires_at = Some(Timestamp::from_unix_seconds(3700));
    tokens.scopes = Some(vec!["repo".to_owned(), "user".to_owned()]);
    tokens
}

async fn unseal(vault: &Vault, record: Record) -> Result<Entry> {
    vault.unseal(vault.keys.ring(), record).await
}

/// What nobody can unseal, although it names the key that the store wants.
fn damaged(vault: &Vault) -> SealedTokens {
    SealedTokens([&[1][..], &vault.keys.ring().newest().id, &[1; 60]].concat())
}

fn ada() -> Identity {
    Identity { login: Some("ada".to_owned()), id: Some("1".to_owned()), base_url: None }
}

#[tokio::test]
async fn a_connection_comes_out_as_it_went_in() {
    let (vault, _) = vault().await;
    let account = "github".parse().unwrap();
    let binding = json!({"issuer": "https://id.example.com"});
    let stored = vault.connect(&account, &tokens("t"), ada(), binding.clone()).await.unwrap();

    let entry = vault.load(&account).await.unwrap().unwrap();

    assert!(entry.tokens.access_token.matches(&Secret::new("t-access")));
    assert_eq!(*entry.binding, binding);
    assert_eq!(entry.record.columns, stored.record.columns);
    assert_eq!(entry.record.columns.account_login.as_deref(), Some("ada"));
    assert_eq!(entry.record.columns.scopes, ["repo", "user"]);
    assert!(!format!("{entry:?}").contains("-access"));
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let (vault, _) = vault().await;
    let account = "github".parse().unwrap();
    let entry = vault.connect(&account, &tokens("t"), ada(), json!("b")).await.unwrap();
    let attempt = vault.make_attempt().unwrap();
    let Claimed::Claimed { entry, orphaned: false, .. } =
        vault.claim(&entry, attempt, Duration::from_secs(60)).await.unwrap()
    else {
        panic!("a free claim was not granted")
    };
    let answer = TokenSet::new(Secret::new("new"), Timestamp::from_unix_seconds(200));

    let renewal = vault.seal_renewal(&entry, &answer).unwrap();
    let returned = renewal.entry.clone();
    let Committed::Committed = vault.commit(&renewal).await.unwrap() else {
        panic!("the commit was refused")
    };

    let loaded = vault.load(&account).await.unwrap().unwrap();
    for now in [&returned, &loaded] {
        assert!(now.tokens.access_token.matches(&Secret::new("new")));
        assert!(now.tokens.refresh_token.as_ref().unwrap().matches(&Secret::new("t-refresh")));
        assert_eq!(now.tokens.expires_at, None);
        assert_eq!(*now.binding, json!("b"));
        assert_eq!(now.record.columns.scopes, ["repo", "user"]);
        assert_eq!(now.record.columns.account_login.as_deref(), Some("ada"));
        assert_eq!(now.record.columns.created_at, entry.record.columns.created_at);
        assert!(now.record.claim.is_none());
    }
    let mut rotated = tokens("u");
    rotated.issued_at = Timestamp::from_unix_seconds(300);
    assert!(matches!(
        vault.commit(&vault.seal_renewal(&loaded, &rotated).unwrap()).await.unwrap(),
        Committed::Committed
    ));
    assert!(matches!(
        vault.commit(&vault.seal_renewal(&loaded, &rotated).unwrap()).await.unwrap(),
        Committed::Superseded(_)
    ));
}

#[tokio::test]
async fn without_a_refresh_token_nothing_can_be_claimed() {
    let (vault, _) = vault().await;
    let mut tokens = tokens("t");
    tokens.refresh_token = None;
    let entry = vault.connect(&"github".parse().unwrap(), &tokens, ada(), Value::Null).await.unwrap();
    let claimed = vault.claim(&entry, vault.make_attempt().unwrap(), Duration::from_secs(1)).await;
    assert_eq!(claimed.unwrap_err().code(), ErrorCode::Usage);
}

#[tokio::test]
async fn whatever_is_altered_in_a_record_is_noticed() {
    let (vault, store) = vault().await;
    let account: AccountKey = "github".parse().unwrap();
    vault.connect(&account, &tokens("t"), ada(), Value::Null).await.unwrap();
    let record = store.load(&account).await.unwrap().unwrap();
    type Alter = fn(&mut NewConnection);
    let alterations: [(&str, Alter); 15] = [
        ("the connection id", |login| login.connection.0[0] ^= 1),
        ("the account", |login| login.account = "github/other".parse().unwrap()),
        ("the provider", |login| login.account = "gitlab".parse().unwrap()),
        ("the owner", |login| login.account.owner = Owner::new("eve").unwrap()),
        ("the refresh digest", |login| login.refresh_digest = None),
        ("issued_at", |login| login.columns.issued_at = Timestamp::from_unix_seconds(101)),
        ("expires_at", |login| login.columns.expires_at = None),
        ("created_at", |login| login.columns.created_at = Timestamp::from_unix_seconds(1)),
        ("the border between two scopes", |login| login.columns.scopes = vec!["repou".into(), "ser".into()]),
        ("the login", |login| login.columns.account_login = Some("eve".into())),
        ("the id for the login", |login| {
            std::mem::swap(&mut login.columns.account_login, &mut login.columns.account_id);
        }),
        ("an empty text for none", |login| login.columns.base_url = Some(String::new())),
        ("the end of the seal", |login| login.sealed.0.truncate(60)),
        ("all of the seal", |login| login.sealed.0.clear()),
        ("the version", |login| login.sealed.0[0] = 0),
    ];
    for (what, alter) in alterations {
        let mut login = NewConnection {
            account: account.clone(),
            connection: record.connection,
            columns: record.columns.clone(),
            sealed: record.sealed.clone(),
            refresh_digest: record.refresh_digest,
            begun_after: None,
        };
        alter(&mut login);
        let altered = login.account.clone();
        if login.sealed.0.is_empty() {
            // No store takes it that has a key.
            assert_eq!(store.connect(login).await.unwrap(), ConnectOutcome::Retired, "{what}");
            continue;
        }
        assert_eq!(store.connect(login).await.unwrap(), ConnectOutcome::Connected, "{what}");
        let error = vault.load(&altered).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::StoreFailed, "{what}");
        assert_eq!(error.message(), format!("the record of {altered} cannot be unsealed"), "{what}");
    }
    for byte in 0..record.sealed.0.len() {
        let mut flipped = record.sealed.clone();
        flipped.0[byte] ^= 0x10;
        let mut altered = record.clone();
        altered.sealed = flipped;
        assert!(unseal(&vault, altered).await.is_err(), "byte {byte}");
    }
    assert!(unseal(&vault, record).await.is_ok());
}

#[tokio::test]
async fn two_accounts_records_cannot_be_swapped() {
    let (vault, store) = vault().await;
    let names: [AccountKey; 2] = ["github".parse().unwrap(), "github/work".parse().unwrap()];
    for name in &names {
        vault.connect(name, &tokens("t"), ada(), Value::Null).await.unwrap();
    }
    for (from, to) in [(0, 1), (1, 0)] {
        let mut record = store.load(&names[from]).await.unwrap().unwrap();
        record.account = names[to].clone();
        assert!(unseal(&vault, record).await.is_err());
    }
}

#[tokio::test]
async fn a_damaged_record_can_be_disconnected() {
    let (vault, store) = vault().await;
    let account: AccountKey = "github".parse().unwrap();
    let entry = vault.connect(&account, &tokens("t"), ada(), Value::Null).await.unwrap();
    store
        .connect(NewConnection {
            account: account.clone(),
            connection: entry.record.connection,
            columns: entry.record.columns,
            sealed: damaged(&vault),
            refresh_digest: entry.record.refresh_digest,
            begun_after: None,
        })
        .await
        .unwrap();
    let terms = RevocationTerms { lease: Duration::ZERO, lasts: Duration::MAX };
    let deleted = vault.disconnect(&account, Some(terms)).await.unwrap();
    assert!(matches!(deleted, Disconnected::DeletedUnreadable { is_given_up: true, .. }));
    assert!(vault.revocations(None, 10).await.unwrap().is_empty(), "nobody could send it");
    assert!(matches!(vault.disconnect(&account, Some(terms)).await.unwrap(), Disconnected::Nothing));
}

#[tokio::test]
async fn a_claim_of_a_damaged_record_is_given_back_at_once() {
    let (vault, store) = vault().await;
    let account: AccountKey = "github".parse().unwrap();
    let entry = vault.connect(&account, &tokens("t"), ada(), Value::Null).await.unwrap();
    let Record { connection, columns, refresh_digest, .. } = entry.record.clone();
    let (account_of_it, sealed) = (account.clone(), damaged(&vault));
    let login = NewConnection {
        account: account_of_it,
        connection,
        columns,
        sealed,
        refresh_digest,
        begun_after: None,
    };
    store.connect(login).await.unwrap();
    let attempt = vault.make_attempt().unwrap();
    let error = vault.claim(&entry, attempt, Duration::from_secs(45)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreFailed);
    assert!(store.load(&account).await.unwrap().unwrap().claim.is_none());
}
