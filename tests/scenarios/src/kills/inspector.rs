//! A look into the store, past everybody who uses it.

use std::path::PathBuf;
use std::sync::Arc;

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::clock::SystemClock;
use loomkin_auth::config::Backend;
use loomkin_auth::random::SystemRandom;
use loomkin_auth::store::key::{KeySetting, OsKeychain};
use loomkin_auth::store::postgres::PostgresStore;
use loomkin_auth::store::sqlite::SqliteStore;
use loomkin_auth::store::vault::{Entry, Vault};
use loomkin_auth::store::{FailureKind, TokenStore};
use rusqlite::{Connection, OpenFlags};

use crate::home::Home;

/// Reads the store of a home with the home's key.
#[derive(Debug)]
pub(crate) struct Inspector {
    vault: Vault,
    /// Of a store that is a file.
    file: Option<PathBuf>,
}

impl Inspector {
    /// Opens the store that the configuration of `home` names.
    ///
    /// # Panics
    ///
    /// When it cannot be opened.
    pub(crate) async fn open(home: &Home) -> Self {
        let (config, random) = (home.config(), Arc::new(SystemRandom));
        let configured = config.store();
        let (store, file): (Arc<dyn TokenStore>, _) = match &configured.url {
            Some(url) if configured.backend.value == Backend::Postgres => (
                Arc::new(
                    PostgresStore::open(&url.value, configured.outage_grace, &SystemRandom).await.unwrap(),
                ),
                None,
            ),
            _ => {
                let path = PathBuf::from(&configured.path.value);
                let store = SqliteStore::open(&path, Arc::new(SystemClock), random.clone()).await.unwrap();
                (Arc::new(store), Some(path))
            }
        };
        let key = KeySetting::Env("STORE_KEY".to_owned());
        let keychain = Arc::new(OsKeychain);
        let vault =
            Vault::open(store, &key, &home.environment(), keychain, random, Arc::new(SystemClock)).await;
        Self { vault: vault.unwrap().0, file }
    }

    /// The connection of `account`, unsealed.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub(crate) async fn entry(&self, account: &str) -> Entry {
        self.vault.load(&key(account)).await.unwrap().unwrap()
    }

    /// What is wrong with the store; nothing, if it is whole and every record can be unsealed.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let mut faults: Vec<_> = self.file.iter().filter_map(fault_of_file).collect();
        match self.vault.list(&Owner::default()).await {
            Err(error) => faults.push(error.to_string()),
            Ok(records) => {
                for record in records {
                    if let Err(error) = self.vault.load(&record.account).await {
                        faults.push(error.to_string());
                    }
                }
            }
        }
        faults
    }
}

/// What `entry` says of its end, in the word that the person is given; empty where it lives.
pub(crate) fn reason(entry: &Entry) -> String {
    match entry.record.failure.map(|failure| failure.kind) {
        Some(FailureKind::Permanent(reason)) => reason.as_str().to_owned(),
        _ => String::new(),
    }
}

/// Which refresh token `entry` holds, as log lines write it.
pub(crate) fn digest(entry: &Entry) -> String {
    entry.record.refresh_digest.map(|digest| format!("{digest:?}")).unwrap_or_default()
}

pub(crate) fn key(account: &str) -> AccountKey {
    account.parse().unwrap()
}

fn fault_of_file(path: &PathBuf) -> Option<String> {
    let check = || {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        database.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
    };
    match check() {
        Ok(said) if said == "ok" => None,
        Ok(said) => Some(said),
        Err(error) => Some(error.to_string()),
    }
}
