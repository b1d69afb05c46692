//! What is on people's disks must open for ever. The files that these tests read must never be changed: a new format
//! gets new files, and these stay.

use std::fs;

use super::*;
use crate::store::sqlite::SqliteStore;
use crate::store::{FailureKind, Replace, SealedCredential, StaticKind, TokenDigest};

#[tokio::test]
async fn a_sealed_record_of_format_1_opens() {
    let file = file();
    let text = |name: &str| file[name].as_str().unwrap().to_owned();
    let store: Arc<dyn TokenStore> =
        Arc::new(MemoryStore::new(Arc::new(SystemClock), &SystemRandom).unwrap());
    assert!(store.add_key(key_of(&file), true).await.unwrap());
    let account: AccountKey = format!("{}/{}", text("provider"), text("account")).parse().unwrap();
    let connection = ConnectionId(bytes(&file["connection"]).try_into().unwrap());
    let digest = TokenDigest(bytes(&file["refresh_digest"]).try_into().unwrap());
    let columns = &file["columns"];
    let time = |value: &Value| Timestamp::from_unix_millis(value.as_i64().unwrap());
    let mut login = NewConnection {
        account: account.clone(),
        connection,
        columns: Columns::new(time(&columns["issued_at_ms"]), time(&columns["created_at_ms"])),
        sealed: SealedTokens(bytes(&file["sealed"])),
        refresh_digest: Some(digest),
        begun_after: None,
    };
    login.columns.expires_at = Some(time(&columns["expires_at_ms"]));
    login.columns.scopes = serde_json::from_value(columns["scopes"].clone()).unwrap();
    login.columns.account_login = columns["account_login"].as_str().map(str::to_owned);
    login.columns.account_id = columns["account_id"].as_str().map(str::to_owned);
    login.columns.base_url = columns["base_url"].as_str().map(str::to_owned);
    let mut record = Record::from_login(login);
    record.updated_at = time(&file["updated_at_ms"]);

    let vault = open_with(store, &text("secret")).await;
    let entry = unseal(&vault, record).await.unwrap();

    assert_eq!(hex(vault.keys.ring().newest().secret.expose()), text("data_key")); // a key of this file alone
    assert_eq!(payload_of(&entry), file["expected"]);
    assert_eq!(TokenDigest::derive(connection, entry.tokens.refresh_token.as_ref().unwrap()), digest);
}

#[tokio::test]
async fn a_sealed_credential_of_format_1_opens() {
    let (file, keys) = (credential_file(), file());
    let store: Arc<dyn TokenStore> =
        Arc::new(MemoryStore::new(Arc::new(SystemClock), &SystemRandom).unwrap());
    assert!(store.add_key(key_of(&keys), true).await.unwrap());
    let account: AccountKey = file["account"].as_str().unwrap().parse().unwrap();
    let updated_at = Timestamp::from_unix_millis(file["updated_at_ms"].as_i64().unwrap());
    let credential = SealedCredential {
        account: account.clone(),
        kind: StaticKind::from_text(file["kind"].as_str().unwrap()).unwrap(),
        sealed: SealedTokens(bytes(&file["sealed"])),
        created_at: updated_at,
        updated_at,
    };
    store.store_credential(credential, Replace::No).await.unwrap();
    let vault = open_with(store, keys["secret"].as_str().unwrap()).await;
    let opened = vault.credentials_of(&account).await.unwrap().pop().unwrap().secret.unwrap();
    assert_eq!(opened.secret.expose(), file["expected"]["secret"]); // a secret of this file alone
    assert_eq!(opened.base_url.as_deref(), file["expected"]["base_url"].as_str());
}

#[tokio::test]
async fn a_sqlite_store_of_version_1_opens() {
    let file = file();
    let (vault, _directory) =
        open_sqlite(include_bytes!("../../../../../tests/vectors/store/v1.db"), &file).await;

    let work = vault.load(&"github/work".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(payload_of(&work), file["expected"]);
    let failure = work.record.failure.unwrap();
    assert_eq!((failure.kind, failure.in_a_row), (FailureKind::Unknown, 2));
    assert!(work.record.claim.is_none());
    let user = Owner::new("user-7").unwrap();
    let zai =
        vault.load(&"zai".parse::<AccountKey>().unwrap().for_owner(user.clone())).await.unwrap().unwrap();
    assert!(zai.tokens.access_token.matches(&Secret::new("frozen-only-token")));
    assert!(zai.record.refresh_digest.is_none() && zai.binding.is_null());
    assert_eq!(vault.active(&user).await.unwrap(), Some(zai.record.account));
    assert_eq!(vault.active(&Owner::default()).await.unwrap(), Some(work.record.account));
}

#[tokio::test]
async fn a_sqlite_store_of_version_2_opens() {
    let (vault, _directory) =
        open_sqlite(include_bytes!("../../../../../tests/vectors/store/v2.db"), &file()).await;

    let work = vault.load(&"github/work".parse().unwrap()).await.unwrap().unwrap();
    assert!(work.tokens.access_token.matches(&Secret::new("frozen-renewed-access")));
    assert!(work.tokens.refresh_token.unwrap().matches(&Secret::new("frozen-renewed-refresh")));
    assert_eq!((work.record.revision, work.record.failure.unwrap().in_a_row), (1, 2));
    let [waiting] = &vault.revocations_of(&Owner::default()).await.unwrap()[..] else {
        panic!("one revocation waits")
    };
    let queued = vault.open_revocation(waiting).await.unwrap();
    assert!(queued.tokens.refresh_token.unwrap().matches(&Secret::new("frozen-queued-refresh")));
    assert!(vault.latest_disconnect(&"google".parse().unwrap()).await.unwrap().0.is_some());
    let active = vault.active(&Owner::default()).await.unwrap();
    assert_eq!(active, Some(work.record.account));
    // Behind the thirteen events that it has.
    let mut cursor = vault.event_cursor().await.unwrap();
    assert!(cursor.last() == 13 && vault.events(&mut cursor).await.unwrap().is_empty());
}

/// The store that `bytes` are, and the directory that it lies in.
async fn open_sqlite(bytes: &[u8], file: &Value) -> (Vault, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store").join("auth.db");
    let open_store = async || {
        Arc::new(SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap())
    };
    // Made and replaced, so that it has the modes that a store wants.
    drop(open_store().await);
    fs::write(&path, bytes).unwrap();
    // Processes that start at the same moment bring it up to date once.
    let (store, _other) = tokio::join!(open_store(), open_store());
    (open_with(store, file["secret"].as_str().unwrap()).await, directory)
}

async fn open_with(store: Arc<dyn TokenStore>, secret: &str) -> Vault {
    let environment = Environment::new([("LOOMKIN_AUTH_KEY", secret)], "/");
    let (random, clock) = (Arc::new(SystemRandom), Arc::new(SystemClock));
    let keychain = FakeKeychain::new(Mood::Fine);
    let opened = Vault::open(store, &KeySetting::Auto, &environment, keychain, random, clock).await;
    let (vault, chosen) = opened.unwrap();
    assert!(chosen.is_none());
    vault
}

fn payload_of(entry: &Entry) -> Value {
    serde_json::from_slice(&payload::encode(&entry.tokens, &entry.binding)).unwrap()
}

fn file() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/vectors/store/sealed-v1.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn credential_file() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/vectors/store/sealed-credential-v1.json"))
        .unwrap()
}

fn key_of(file: &Value) -> WrappedKey {
    let wrapped = &file["wrapped_key"];
    WrappedKey {
        id: bytes(&wrapped["id"]).try_into().unwrap(),
        source: wrapped["source"].as_str().unwrap().to_owned(),
        salt: bytes(&wrapped["salt"]).try_into().unwrap(),
        wrapped: bytes(&wrapped["wrapped"]),
        created_at: Timestamp::from_unix_seconds(0),
    }
}
