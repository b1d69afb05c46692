//! The keys that a process has of its store: where they come from, how they follow those of the store, and the one
//! moment when the first is made.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::ring::KeyRing;
use super::source::{Source, Sources};
use super::{ChosenKey, KeySetting, wrap};
use crate::error::{Error, ErrorCode, Result};
use crate::store::{TokenStore, WrappedKey};

/// The ring of a store, made anew whenever the store turns out to have other keys.
pub(crate) struct Keys {
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) setting: KeySetting,
    pub(super) sources: Sources,
    ring: RwLock<Arc<KeyRing>>,
    /// A keychain may ask the person something, and once is enough for all tasks.
    renewal: tokio::sync::Mutex<()>,
}

/// Which configurations may open a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    /// One that names the source of the newest key.
    TheSource,
    /// Every one, as long as the secrets can be had: to rotate the key may be to change its source.
    AnySource,
}

impl Keys {
    /// Unwraps the keys of `store`, or makes its first one.
    pub(crate) async fn open(
        store: Arc<dyn TokenStore>,
        setting: &KeySetting,
        admission: Admission,
        sources: Sources,
    ) -> Result<(Self, Option<ChosenKey>)> {
        sources.check(setting)?;
        let (ring, chosen) = open_ring(&*store, setting, admission, &sources).await?;
        let ring = RwLock::new(Arc::new(ring));
        let keys =
            Self { store, setting: setting.clone(), sources, ring, renewal: tokio::sync::Mutex::default() };
        Ok((keys, chosen))
    }

    /// The ring as it was last seen. Take it *before* reading what it is to open: the store has no tokens under a key
    /// that was removed before.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another ring than `seen`, which turned out to be too old, or `seen` itself where the store has no other keys.
    ///
    /// # Errors
    ///
    /// `key_unavailable` when this process cannot get a key that the store has got since; `store_failed`.
    pub(crate) async fn newer(&self, seen: &Arc<KeyRing>) -> Result<Arc<KeyRing>> {
        let _one_at_a_time = self.renewal.lock().await;
        let current = self.ring();
        if !Arc::ptr_eq(&current, seen) {
            return Ok(current);
        }
        let keys = self.store.keys().await?;
        if current.is_of(&keys) {
            return Ok(current);
        }
        let unlocked = KeyRing::unlock(&keys, Some(&current), &self.setting, &self.sources).await;
        let ring = unlocked
            .map_err(|error| self.out_of_reach(&error, &keys))?
            .ok_or_else(|| Error::new(ErrorCode::KeyUnavailable, "the store has lost its keys"))?;
        let ring = Arc::new(ring);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ring);
        Ok(ring)
    }

    /// The store's key was rotated to a source that this process does not reach.
    fn out_of_reach(&self, error: &Error, keys: &[WrappedKey]) -> Error {
        let advice = match keys.last().map(|key| Source::parse(&key.source)) {
            Some(Ok(source)) if !self.sources.agrees(&self.setting, &source) => {
                let setting = source.setting(&self.sources.reach);
                format!(
                    "Set key = \"{setting}\" under [auth.store], provide that key, and start this process anew."
                )
            }
            _ => error.advice().to_owned(),
        };
        let message =
            format!("the store's key was rotated, and the new one cannot be had: {}", error.message());
        Error::new(ErrorCode::KeyUnavailable, message).with_advice(advice)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.ring()).finish()
    }
}

async fn open_ring(
    store: &dyn TokenStore,
    setting: &KeySetting,
    admission: Admission,
    sources: &Sources,
) -> Result<(KeyRing, Option<ChosenKey>)> {
    let unlock = async |keys: Vec<WrappedKey>| {
        if let (Some(newest), Admission::TheSource) = (keys.last(), admission) {
            sources.demand(setting, newest)?;
        }
        KeyRing::unlock(&keys, None, setting, sources).await
    };
    if let Some(ring) = unlock(store.keys().await?).await? {
        return Ok((ring, None));
    }
    // Two processes that start on a new store at the same moment must end with one secret and one key.
    let _guard = store.lock_keys().await?;
    if let Some(ring) = unlock(store.keys().await?).await? {
        return Ok((ring, None));
    }
    if !store.is_empty().await? {
        return Err(Error::new(ErrorCode::KeyUnavailable, "the store has connections, but its key is gone")
            .with_advice("Restore the store from a backup, or remove it and connect every account again."));
    }
    let (source, passed_over) = sources.choose(setting).await?;
    let secret = sources.fetch(&source).await?;
    let key = wrap::make(&secret, source.to_string(), sources.clock.now(), &*sources.random)?;
    let made = store.add_key(key, true).await?;
    // Read back: a key that cannot be had again must not seal anything.
    let ring = unlock(store.keys().await?)
        .await?
        .ok_or_else(|| Error::new(ErrorCode::KeyUnavailable, "the store did not keep its new key"))?;
    let chosen = ChosenKey { source: source.setting(&sources.reach), passed_over };
    Ok((ring, made.then_some(chosen)))
}
