//! Static credentials, unsealed.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Vault;
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::key::KeyRing;
use crate::store::seal::{self, CredentialPlace};
use crate::store::{CredentialOutcome, Replace, SealedCredential, SealedTokens, StaticKind};

/// A static credential that is kept for an account. Its `Debug` shows no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoredCredential {
    /// Whose it is.
    pub account: AccountKey,
    /// What it is.
    pub kind: StaticKind,
    /// The secret and what it is bound to, or why they cannot be unsealed.
    pub secret: Result<BoundSecret>,
    /// When the account got its first one of this kind.
    pub created_at: Timestamp,
    /// When this one was stored.
    pub updated_at: Timestamp,
}

/// A secret, and the resource server that the configuration named for it when it was stored.
#[derive(Clone, Debug)]
pub struct BoundSecret {
    /// The secret.
    pub secret: Secret,
    /// The resource server; `None` where the configuration named none. The store does not look inside.
    pub base_url: Option<String>,
}

/// What became of a credential that was to be stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyOutcome {
    /// There was none, and now there is one.
    Stored,
    /// It is in the place of another.
    Replaced,
    /// There is one already, stored at this moment, and nothing was changed.
    Kept(Timestamp),
}

impl Vault {
    /// Seals `secret` and keeps it. One that is there already stays, unless it is to be replaced.
    ///
    /// # Errors
    ///
    /// `store_failed`, `key_unavailable`; then what was there before is still there.
    pub async fn store_credential(
        &self,
        account: &AccountKey,
        kind: StaticKind,
        secret: &BoundSecret,
        replace: Replace,
    ) -> Result<KeyOutcome> {
        let now = self.clock.now();
        let place = CredentialPlace { account, kind, updated_at: now };
        loop {
            let ring = self.keys.ring();
            let sealed = ring.newest().seal(&place, &encode(secret), &*self.random)?;
            let account = account.clone();
            let new = SealedCredential { account, kind, sealed, created_at: now, updated_at: now };
            let outcome = match self.store.store_credential(new, replace).await? {
                CredentialOutcome::Stored => KeyOutcome::Stored,
                CredentialOutcome::Replaced => KeyOutcome::Replaced,
                CredentialOutcome::Kept(since) => KeyOutcome::Kept(since),
                CredentialOutcome::Retired => {
                    self.follow(&ring).await?;
                    continue;
                }
            };
            return Ok(outcome);
        }
    }

    /// The static credentials of `owner`, sorted by provider, account and kind. One that cannot be unsealed does not
    /// hide the others.
    ///
    /// # Errors
    ///
    /// `store_failed` when the store cannot be read.
    pub async fn credentials(&self, owner: &Owner) -> Result<Vec<StoredCredential>> {
        loop {
            let ring = self.keys.ring();
            let sealed = self.store.credentials(owner).await?;
            let is_current = |found: &SealedCredential| found.sealed.key_id() == Some(ring.newest().id);
            let newer = match sealed.iter().all(is_current) {
                true => Ok(ring.clone()),
                false => self.keys.newer(&ring).await,
            };
            // Somebody has rotated: what was read may be under a key that is gone by now.
            if newer.as_ref().is_ok_and(|newer| !Arc::ptr_eq(newer, &ring)) {
                continue;
            }
            let opened = sealed.into_iter().map(|credential| match &newer {
                Err(error) if !ring.knows(&credential.sealed) => unopened(credential, Err(error.clone())),
                _ => open(&ring, credential),
            });
            return Ok(opened.collect());
        }
    }

    /// The static credentials of one account, sorted by kind; see [`credentials`](Self::credentials).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn credentials_of(&self, account: &AccountKey) -> Result<Vec<StoredCredential>> {
        let mut found = self.credentials(&account.owner).await?;
        found.retain(|credential| credential.account == *account);
        Ok(found)
    }

    /// Deletes a static credential, and says whether it was there; see
    /// [`CredentialStore::remove_credential`](crate::store::CredentialStore::remove_credential).
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool> {
        let removed = self.store.remove_credential(account, kind).await?;
        self.wrote.notify_one();
        Ok(removed)
    }
}

/// The secret of `credential` under the newest key of `ring`; `None` where it cannot be unsealed.
pub(super) fn seal_anew(
    ring: &KeyRing,
    credential: &SealedCredential,
    random: &dyn Random,
) -> Result<Option<SealedTokens>> {
    let place = CredentialPlace::of(credential);
    match seal::open_credential(ring, &place, &credential.sealed) {
        Ok(plaintext) => ring.newest().seal(&place, &plaintext, random).map(Some),
        Err(_) => Ok(None),
    }
}

fn open(ring: &KeyRing, credential: SealedCredential) -> StoredCredential {
    let place = CredentialPlace::of(&credential);
    let secret = seal::open_credential(ring, &place, &credential.sealed)
        .and_then(|plaintext| decode(&plaintext).ok_or_else(|| seal::later(&credential.account)));
    unopened(credential, secret)
}

fn unopened(credential: SealedCredential, secret: Result<BoundSecret>) -> StoredCredential {
    let SealedCredential { account, kind, created_at, updated_at, .. } = credential;
    StoredCredential { account, kind, secret, created_at, updated_at }
}

/// The payload: its version, the length of the base URL in four bytes, the base URL, the secret. A length of zero says that
/// there is no base URL.
fn encode(bound: &BoundSecret) -> Zeroizing<Vec<u8>> {
    // The secret leaves for a buffer that is sealed next, and wiped. One that grew would leave copies behind.
    let (secret, base_url) =
        (bound.secret.expose().as_bytes(), bound.base_url.as_deref().unwrap_or_default());
    let mut buffer = Zeroizing::new(Vec::with_capacity(1 + 4 + base_url.len() + secret.len()));
    buffer.push(PAYLOAD_VERSION);
    buffer.extend_from_slice(&(base_url.len() as u32).to_le_bytes());
    buffer.extend_from_slice(base_url.as_bytes());
    buffer.extend_from_slice(secret);
    buffer
}

/// `None` for a payload of a later version.
fn decode(plaintext: &[u8]) -> Option<BoundSecret> {
    let (length, rest) = plaintext.strip_prefix(&[PAYLOAD_VERSION])?.split_first_chunk()?;
    let (base_url, secret) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let base_url = std::str::from_utf8(base_url).ok()?;
    Some(BoundSecret {
        secret: Secret::new(std::str::from_utf8(secret).ok()?),
        base_url: (!base_url.is_empty()).then(|| base_url.to_owned()),
    })
}

impl fmt::Debug for StoredCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredential")
            .field("account", &self.account.to_string())
            .field("kind", &self.kind)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

const PAYLOAD_VERSION: u8 = 1;
