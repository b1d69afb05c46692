//! The data keys of a store, unwrapped; and the one moment when its first is made.

use std::fmt;
use std::sync::Arc;

use super::source::{Source, SourceSecret, Sources};
use super::{ChosenKey, KeySetting, Keychain, wrap};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::random::Random;
use crate::store::seal::DataKey;
use crate::store::{TokenStore, WrappedKey};

/// The data keys of one store, the newest last; never empty.
pub(crate) struct KeyRing {
    older: Vec<DataKey>,
    newest: DataKey,
}

impl KeyRing {
    /// Unwraps the keys of `store`, or makes its first one.
    pub(crate) async fn open(
        store: &dyn TokenStore,
        setting: &KeySetting,
        environment: &Environment,
        keychain: Arc<dyn Keychain>,
        random: &dyn Random,
        clock: &dyn Clock,
    ) -> Result<(Self, Option<ChosenKey>)> {
        let sources =
            Sources { store: store.id().await?, reach: store.reach(), environment, keychain, random, clock };
        sources.check(setting)?;
        if let Some(ring) = unlock(&store.keys().await?, setting, &sources).await? {
            return Ok((ring, None));
        }
        // Two processes that start on a new store at the same moment must end with one secret and one key.
        let _guard = store.lock_keys().await?;
        if let Some(ring) = unlock(&store.keys().await?, setting, &sources).await? {
            return Ok((ring, None));
        }
        if !store.is_empty().await? {
            return Err(Error::new(
                ErrorCode::KeyUnavailable,
                "the store has connections, but its key is gone",
            )
            .with_advice("Restore the store from a backup, or remove it and connect every account again."));
        }
        let (source, passed_over) = sources.choose(setting).await?;
        let secret = sources.fetch(&source).await?;
        let key = wrap::make(&secret, source.to_string(), clock.now(), random)?;
        let made = store.add_key(key, true).await?;
        // Read back: a key that cannot be had again must not seal anything.
        let ring = unlock(&store.keys().await?, setting, &sources)
            .await?
            .ok_or_else(|| Error::new(ErrorCode::KeyUnavailable, "the store did not keep its new key"))?;
        let chosen = ChosenKey { source: source.setting(&sources.reach), passed_over };
        Ok((ring, made.then_some(chosen)))
    }

    /// The key for new seals.
    pub(crate) fn newest(&self) -> &DataKey {
        &self.newest
    }

    /// The key of this id. Records name theirs, so that old keys open old records.
    pub(crate) fn find(&self, id: [u8; 8]) -> Option<&DataKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == id)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.older.len() + 1)
    }
}

/// The ring of `keys`; `None` when there are none.
async fn unlock(keys: &[WrappedKey], setting: &KeySetting, sources: &Sources<'_>) -> Result<Option<KeyRing>> {
    let Some(newest) = keys.last() else { return Ok(None) };
    let recorded = Source::parse(&newest.source)?;
    if !sources.agrees(setting, &recorded) {
        return Err(Error::new(
            ErrorCode::KeyUnavailable,
            "the configuration names another key source than the store was made with",
        )
        .with_advice(format!("Set key = \"{}\" under [auth.store].", recorded.setting(&sources.reach))));
    }
    let mut fetched: Vec<(&str, SourceSecret)> = Vec::new();
    let mut unwrapped = Vec::with_capacity(keys.len());
    for key in keys {
        if fetched.iter().all(|(source, _)| *source != key.source) {
            fetched.push((
                &key.source,
                sources.fetch(&sources.locate(Source::parse(&key.source)?, setting)).await?,
            ));
        }
        let secret = fetched.iter().find(|(source, _)| *source == key.source);
        let Some(key) = secret.and_then(|(_, secret)| wrap::unwrap(key, secret)) else {
            return Err(Error::new(ErrorCode::KeyUnavailable, "the key does not open this store")
                .with_advice(format!(
                    "Provide the key that the store was made with; it came from {}.",
                    recorded.setting(&sources.reach)
                )));
        };
        unwrapped.push(key);
    }
    Ok(unwrapped.pop().map(|newest| KeyRing { older: unwrapped, newest }))
}
