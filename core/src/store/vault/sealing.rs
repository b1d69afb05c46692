//! Sealing and unsealing with keys that anybody may rotate meanwhile.

use std::sync::Arc;

use super::{Entry, Vault};
use crate::error::{Error, ErrorCode, Result};
use crate::store::key::KeyRing;
use crate::store::seal::{self, Place};
use crate::store::{FailureKind, Record, SealedTokens, payload};

impl Vault {
    /// Unseals `record`, which was read after `ring` was taken.
    ///
    /// Where it does not name the ring's newest key, there may have been a rotation. An older key opens it only as long
    /// as the store still has that key: what somebody put in under a key that leaked is not taken any more.
    pub(super) async fn unseal(&self, mut ring: Arc<KeyRing>, mut record: Record) -> Result<Entry> {
        while record.sealed.key_id() != Some(ring.newest().id) {
            let newer = self.keys.newer(&ring).await?;
            if Arc::ptr_eq(&newer, &ring) {
                break;
            }
            ring = newer;
            // It has been sealed anew since it was read, and the key that it names was removed.
            if !ring.knows(&record.sealed)
                && let Some(now) = self.store.load(&record.account).await?
                && now.connection == record.connection
            {
                record = now;
            }
        }
        Self::open_with(&ring, record)
    }

    /// Seals `entry` for its place.
    pub(super) fn seal(&self, ring: &KeyRing, entry: &Entry) -> Result<SealedTokens> {
        let plaintext = payload::encode(&entry.tokens, &entry.binding);
        ring.newest().seal(&Place::of(&entry.record), &plaintext, &*self.random)
    }

    /// Takes over the keys that the store has got since `ring`, which it calls retired.
    pub(super) async fn follow(&self, ring: &Arc<KeyRing>) -> Result<()> {
        if Arc::ptr_eq(&self.keys.newer(ring).await?, ring) {
            return Err(Error::new(ErrorCode::StoreFailed, "the store refuses tokens under its newest key"));
        }
        Ok(())
    }

    /// Unseals `record` with the keys that there are.
    pub(super) fn open_with(keys: &KeyRing, record: Record) -> Result<Entry> {
        let failure = record.failure.filter(|failure| Some(failure.presented) == record.refresh_digest);
        if failure.is_some_and(|failure| failure.kind == FailureKind::Later) {
            return Err(seal::later(&record.account));
        }
        let plaintext = seal::open(keys, &Place::of(&record), &record.sealed)?;
        let (tokens, binding) = payload::decode(&plaintext).ok_or_else(|| seal::later(&record.account))?;
        Ok(Entry { record: record.unsealed(), tokens, binding: Arc::new(binding) })
    }
}
