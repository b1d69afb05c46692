//! A keychain for tests, and what the tests of key sources share.

mod creation;
mod rotation;
mod sources;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use super::*;
use crate::clock::{SystemClock, Timestamp};
use crate::environment::Environment;
use crate::error::Result;
use crate::random::SystemRandom;
use crate::store::TokenStore;
use crate::store::sqlite::SqliteStore;
use crate::store::vault::Vault;

/// A keychain that behaves as it is told.
#[derive(Debug, Default)]
pub(crate) struct FakeKeychain {
    mood: Mutex<Mood>,
    secrets: Mutex<BTreeMap<String, Vec<u8>>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Mood {
    #[default]
    Fine,
    Forgetful,
    Hanging,
    Refusing(KeychainError),
}

impl FakeKeychain {
    pub(crate) fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self { mood: Mutex::new(mood), ..Self::default() })
    }

    fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn answer(&self) -> Result<(), KeychainError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Fine | Mood::Forgetful => Ok(()),
            Mood::Refusing(error) => Err(error),
            Mood::Hanging => loop {
                std::thread::park();
            },
        }
    }
}

impl Keychain for FakeKeychain {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
        self.answer()?;
        Ok(self.secrets.lock().unwrap().get(name).cloned().map(Zeroizing::new))
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeychainError> {
        self.answer()?;
        if *self.mood.lock().unwrap() != Mood::Forgetful {
            self.secrets.lock().unwrap().insert(name.to_owned(), secret.to_vec());
        }
        Ok(())
    }
}

/// A directory with a store, a keychain and an environment.
struct Place {
    directory: tempfile::TempDir,
    keychain: Arc<FakeKeychain>,
    variables: Vec<(&'static str, &'static str)>,
}

impl Place {
    fn new(mood: Mood) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, keychain: FakeKeychain::new(mood), variables: Vec::new() }
    }

    fn with(variable: &'static str, value: &'static str) -> Self {
        let mut place = Self::new(Mood::Refusing(KeychainError::Absent));
        place.variables.push((variable, value));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("store").join(name)
    }

    async fn store(&self) -> Arc<dyn TokenStore> {
        let random = Arc::new(SystemRandom);
        Arc::new(SqliteStore::open(self.path("auth.db"), Arc::new(SystemClock), random).await.unwrap())
    }

    async fn open(&self, setting: &KeySetting) -> Result<(Vault, Option<ChosenKey>)> {
        self.open_by(setting, Arc::new(SystemClock)).await
    }

    async fn open_by(
        &self,
        setting: &KeySetting,
        clock: Arc<dyn crate::clock::Clock>,
    ) -> Result<(Vault, Option<ChosenKey>)> {
        let environment = Environment::new(self.variables.iter().copied(), self.directory.path());
        let (store, keychain) = (self.store().await, self.keychain.clone());
        Vault::open(store, setting, &environment, keychain, Arc::new(SystemRandom), clock).await
    }
}

async fn connect(vault: &Vault, account: &str) {
    let tokens = crate::protocol::token_set::TokenSet::new(
        crate::secret::Secret::new(format!("token of {account}")),
        Timestamp::from_unix_seconds(0),
    );
    let account = account.parse().unwrap();
    vault.connect(&account, &tokens, Default::default(), serde_json::Value::Null).await.unwrap();
}

async fn opens(vault: &Vault, account: &str) -> bool {
    vault.load(&account.parse().unwrap()).await.unwrap().is_some()
}

const LONG: &str = "a key of 32 bytes or more, which is not random";
