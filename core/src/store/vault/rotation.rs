//! Another data key for everything that is sealed, while everybody goes on.
//!
//! A new key is added, and from then on the store takes tokens under no other ([`TokenStore`](crate::store::TokenStore)).
//! What is there is then sealed once more, without any other change, and the old key is removed when nothing names it.
//! Each step is one transaction, after which every process can read and write everything. So a rotation may be broken
//! off anywhere, be finished by anybody, and run more than once at the same time.

use std::sync::Arc;

use super::{Vault, credentials};
use crate::account::AccountKey;
use crate::error::Result;
use crate::store::key::{Beginning, KeyRing, KeySetting};
use crate::store::seal::{self, Place};
use crate::store::{NewSeal, OldSeal, ResealOutcome, SealPosition, StaticKind};

/// What a rotation came to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RotationReport {
    /// Where the newest key comes from now.
    pub source: KeySetting,
    /// Whether an earlier rotation was found, and finished as far as that is possible.
    pub finished_earlier: bool,
    /// Whether a new key was made.
    pub made_key: bool,
    /// How many records, queued revocations and static credentials were sealed anew.
    pub resealed: u64,
    /// How many old keys were removed.
    pub removed_keys: u64,
    /// How many old keys are still there, because something that cannot be unsealed names them.
    pub kept_keys: usize,
    /// The accounts whose records cannot be unsealed. They were left as they are.
    pub damaged: Vec<AccountKey>,
    /// How many queued revocations cannot be unsealed. They were left as they are, and end by themselves.
    pub damaged_revocations: u64,
    /// The static credentials that cannot be unsealed. They were left as they are.
    pub damaged_credentials: Vec<(AccountKey, StaticKind)>,
}

impl Vault {
    /// Gives the store a new data key from `source`, or from where its key comes from now; seals everything anew under
    /// it, logins that wait included; and removes the old keys. `progress` is told how many have been sealed so far, again and again.
    ///
    /// An unfinished rotation is finished first. If its new key comes from the source that was asked for, that is all:
    /// whoever was broken off and tries again gets one new key and not two.
    ///
    /// Nobody has to stop meanwhile. What cannot be unsealed is left alone, and with it the key that it names; the
    /// report says so.
    ///
    /// # Errors
    ///
    /// `key_unavailable` when the secret of the source cannot be had, and nothing is changed then; `config_invalid` for
    /// a source that the hosts of the store cannot share; `store_failed`, and then the rotation may be unfinished, and
    /// everything can be read and written as before.
    pub async fn rotate_key(
        &self,
        source: Option<&KeySetting>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<RotationReport> {
        let mut tally = Tally::default();
        let mut finished_earlier = false;
        loop {
            let beginning = self.keys.begin_rotation(source).await?;
            self.reseal_all(&mut tally, progress).await?;
            let (source, kept_keys) = self.keys.standing().await?;
            if beginning == (Beginning::Unfinished { is_the_same: false }) && kept_keys == 0 {
                finished_earlier = true;
                continue;
            }
            return Ok(RotationReport {
                source,
                finished_earlier: finished_earlier || beginning != Beginning::New,
                made_key: beginning == Beginning::New,
                resealed: tally.resealed,
                removed_keys: tally.removed_keys,
                kept_keys,
                damaged: tally.damaged,
                damaged_revocations: tally.damaged_revocations,
                damaged_credentials: tally.damaged_credentials,
            });
        }
    }

    /// Goes over the store until it has seen nothing under an older key but what cannot be unsealed.
    async fn reseal_all(&self, tally: &mut Tally, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<()> {
        loop {
            let found = self.reseal_once(tally, progress).await?
                | self.reseal_credentials_once(tally, progress).await?;
            self.reseal_pending_logins().await?;
            let ring = self.keys.ring();
            for id in ring.older() {
                tally.removed_keys += u64::from(self.store.remove_key(id).await?);
            }
            // What has been removed is forgotten here as well.
            let ring = self.keys.newer(&ring).await?;
            if !found || ring.older().next().is_none() {
                return Ok(());
            }
        }
    }

    /// Goes over the store once. Says whether anything under an older key could be unsealed.
    async fn reseal_once(&self, tally: &mut Tally, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<bool> {
        let (mut after, mut found) = (None, false);
        (tally.damaged, tally.damaged_revocations) = (Vec::new(), 0);
        loop {
            let ring = self.keys.ring();
            let page = self.store.old_seals(after.as_ref(), BATCH).await?;
            let Some(last) = page.last() else { return Ok(found) };
            let position = last.position.clone();
            if page.iter().any(|old| !ring.knows(&old.record.sealed))
                && !Arc::ptr_eq(&self.keys.newer(&ring).await?, &ring)
            {
                // Somebody else has rotated meanwhile: look again, with the keys of now.
                continue;
            }
            let (batch, damaged) = self.seal_anew(&ring, page)?;
            found |= !batch.is_empty();
            match self.store.reseal(batch).await? {
                ResealOutcome::Resealed(count) => tally.resealed += count,
                ResealOutcome::Retired => {
                    self.follow(&ring).await?;
                    continue;
                }
            }
            for position in damaged {
                match position {
                    SealPosition::Connection(account) => tally.damaged.push(account),
                    SealPosition::Revocation(_) => tally.damaged_revocations += 1,
                }
            }
            after = Some(position);
            progress(tally.resealed);
        }
    }

    /// Goes over the static credentials once. Says whether any under an older key could be unsealed.
    async fn reseal_credentials_once(
        &self,
        tally: &mut Tally,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<bool> {
        let (mut after, mut found): (Option<(AccountKey, StaticKind)>, _) = (None, false);
        tally.damaged_credentials.clear();
        loop {
            let ring = self.keys.ring();
            let behind = after.as_ref().map(|(account, kind)| (account, *kind));
            let Some(old) = self.store.old_credential(behind).await? else { return Ok(found) };
            if !ring.knows(&old.sealed) && !Arc::ptr_eq(&self.keys.newer(&ring).await?, &ring) {
                // Somebody else has rotated meanwhile: look again, with the keys of now.
                continue;
            }
            let place = (old.account.clone(), old.kind);
            match credentials::seal_anew(&ring, &old, &*self.random)? {
                None => tally.damaged_credentials.push(place.clone()),
                Some(new) => match self.store.reseal_credential(&old, new).await? {
                    ResealOutcome::Resealed(count) => {
                        found = true;
                        tally.resealed += count;
                    }
                    ResealOutcome::Retired => {
                        self.follow(&ring).await?;
                        continue;
                    }
                },
            }
            after = Some(place);
            progress(tally.resealed);
        }
    }

    /// The same tokens under the newest key of `ring`, and where those are that cannot be unsealed. Nobody looks at what
    /// is inside: a payload of a later version goes through as it is.
    fn seal_anew(&self, ring: &KeyRing, page: Vec<OldSeal>) -> Result<(Vec<NewSeal>, Vec<SealPosition>)> {
        let (mut batch, mut damaged) = (Vec::with_capacity(page.len()), Vec::new());
        for OldSeal { position, record } in page {
            let place = Place::of(&record);
            let Ok(plaintext) = seal::open(ring, &place, &record.sealed) else {
                damaged.push(position);
                continue;
            };
            let new = ring.newest().seal(&place, &plaintext, &*self.random)?;
            batch.push(NewSeal {
                account: record.account,
                connection: record.connection,
                old: record.sealed,
                new,
            });
        }
        Ok((batch, damaged))
    }
}

#[derive(Default)]
struct Tally {
    resealed: u64,
    removed_keys: u64,
    damaged: Vec<AccountKey>,
    damaged_revocations: u64,
    damaged_credentials: Vec<(AccountKey, StaticKind)>,
}

/// So few that nobody waits long for the transaction that stores them.
const BATCH: usize = 32;
