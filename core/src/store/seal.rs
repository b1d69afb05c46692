//! Sealing: nobody without the data key can read a record's tokens, nor change or move them unnoticed.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2). A sealed value describes itself:
//!
//! | bytes | content |
//! | --- | --- |
//! | 1 | format version, 1 |
//! | 8 | id of the data key |
//! | 24 | nonce, random: at this length a repeat need not be feared |
//! | rest | ciphertext, then the 16-byte tag |
//!
//! The associated data are the version, the key id and the place: what stands in plain beside the sealed value, for
//! tokens a [`Place`], for a login that waits a [`LoginPlace`], for a static credential a [`CredentialPlace`]. What is
//! *not* noticed is a whole old record put back in its place.

use std::fmt;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::key::KeyRing;
use super::{
    Columns, ConnectionId, Record, SealedCredential, SealedLogin, SealedTokens, StaticKind, TokenDigest,
};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::state::StateDigest;
use crate::random::Random;
use crate::secret::SecretKey;

/// A key that seals records, with the id that they name it by.
#[derive(Clone)]
pub(crate) struct DataKey {
    pub(crate) id: [u8; 8],
    pub(crate) secret: SecretKey,
}

impl DataKey {
    /// Seals `plaintext` for `place` under a fresh nonce.
    pub(crate) fn seal(
        &self,
        place: &impl AssociatedData,
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<SealedTokens> {
        let nonce: [u8; NONCE] = random.make_bytes()?;
        let mut sealed = Vec::with_capacity(HEADER + plaintext.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .cipher()
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &place.encode(self.id),
                (&mut sealed[HEADER..]).into(),
            )
            .map_err(|_| Error::new(ErrorCode::StoreFailed, "the record is too long to be sealed"))?;
        sealed.extend_from_slice(&tag);
        Ok(SealedTokens(sealed))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        // The cipher needs the key; it wipes its own copy.
        XChaCha20Poly1305::new(self.secret.expose().into())
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(elided)")
    }
}

/// Opens `sealed`, which stands in `place`, with the key that it names, of those in `keys`.
///
/// # Errors
///
/// `store_failed`: one sentence for a later version, which whoever can read the store can see, and one for every other
/// cause: to tell a wrong key from an edited column would only help whoever edits columns.
pub(crate) fn open(
    keys: &KeyRing,
    place: &impl AssociatedData,
    sealed: &SealedTokens,
) -> Result<Zeroizing<Vec<u8>>> {
    if sealed.0.first().is_some_and(|version| *version > VERSION) {
        return Err(later(place.account()));
    }
    try_open(keys, place, &sealed.0).ok_or_else(|| {
        Error::new(ErrorCode::StoreFailed, format!("the record of {} cannot be unsealed", place.account()))
            .with_account(place.account())
            .with_advice(
                "Restore the store from a backup, or connect the account again; the record was changed or damaged.",
            )
    })
}

/// The error for a record that only a later version can read.
pub(crate) fn later(account: &AccountKey) -> Error {
    Error::new(ErrorCode::StoreFailed, format!("the record of {account} was written by a newer version"))
        .with_account(account)
        .with_advice("Update Loomkin Auth; this version leaves the record as it is.")
}

/// Opens the secret of a static credential.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn open_credential(
    keys: &KeyRing,
    place: &CredentialPlace<'_>,
    sealed: &SealedTokens,
) -> Result<Zeroizing<Vec<u8>>> {
    let (account, noun) = (place.account, place.kind.noun());
    if sealed.0.first().is_some_and(|version| *version > VERSION) {
        return Err(later(account));
    }
    try_open(keys, place, &sealed.0).ok_or_else(|| {
        let option = place.kind.option();
        Error::new(ErrorCode::StoreFailed, format!("the stored {noun} of {account} cannot be unsealed"))
            .with_account(account)
            .with_advice(format!(
                "Run `loomkin-auth key set {account}{option} --replace`, or restore the store from a backup; the record \
                 was changed or damaged."
            ))
    })
}

fn try_open(keys: &KeyRing, place: &impl AssociatedData, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (version, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_first_chunk::<8>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
    if *version != VERSION {
        return None;
    }
    let key = keys.find(*id)?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    key.cipher()
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            &place.encode(*id),
            plaintext.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(plaintext)
}

/// Where a sealed value stands, and what stands beside it.
pub(crate) trait AssociatedData {
    /// Whose it is.
    fn account(&self) -> &AccountKey;

    /// All of it, for a value under the key of this id. Every part has its length before it, so that no two places have
    /// the same encoding.
    fn encode(&self, key_id: [u8; 8]) -> Vec<u8>;
}

/// Where the tokens of a connection stand.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) account: &'a AccountKey,
    pub(crate) connection: ConnectionId,
    pub(crate) columns: &'a Columns,
    pub(crate) refresh_digest: Option<TokenDigest>,
    pub(crate) updated_at: Timestamp,
}

impl<'a> Place<'a> {
    /// Where the tokens of `record` are.
    pub(crate) fn of(record: &'a Record) -> Self {
        Self {
            account: &record.account,
            connection: record.connection,
            columns: &record.columns,
            refresh_digest: record.refresh_digest,
            updated_at: record.updated_at,
        }
    }
}

impl AssociatedData for Place<'_> {
    fn account(&self) -> &AccountKey {
        self.account
    }

    fn encode(&self, key_id: [u8; 8]) -> Vec<u8> {
        let Columns { issued_at, expires_at, scopes, account_login, account_id, base_url, created_at } =
            self.columns;
        let mut parts = Parts::begin(key_id, FIELD, self.account);
        parts.push(&self.connection.0);
        parts.push(&issued_at.unix_millis().to_le_bytes());
        parts.push_option(expires_at.map(|at| at.unix_millis().to_le_bytes()));
        parts.push(&(scopes.len() as u64).to_le_bytes());
        scopes.iter().for_each(|scope| parts.push(scope.as_bytes()));
        parts.push_option(account_login.as_ref());
        parts.push_option(account_id.as_ref());
        parts.push_option(base_url.as_ref());
        parts.push(&created_at.unix_millis().to_le_bytes());
        parts.push_option(self.refresh_digest.map(|digest| digest.0));
        parts.push(&self.updated_at.unix_millis().to_le_bytes());
        parts.0
    }
}

/// Where a login that waits stands.
#[derive(Clone, Copy)]
pub(crate) struct LoginPlace<'a> {
    pub(crate) account: &'a AccountKey,
    pub(crate) id: StateDigest,
    pub(crate) begun_at: Timestamp,
    pub(crate) deadline: Timestamp,
}

impl<'a> LoginPlace<'a> {
    /// Where `login` is.
    pub(crate) fn of(login: &'a SealedLogin) -> Self {
        let SealedLogin { id, account, begun_at, deadline, .. } = login;
        Self { account, id: *id, begun_at: *begun_at, deadline: *deadline }
    }
}

impl AssociatedData for LoginPlace<'_> {
    fn account(&self) -> &AccountKey {
        self.account
    }

    fn encode(&self, key_id: [u8; 8]) -> Vec<u8> {
        let mut parts = Parts::begin(key_id, LOGIN_FIELD, self.account);
        parts.push(&self.id.0);
        parts.push(&self.begun_at.unix_millis().to_le_bytes());
        parts.push(&self.deadline.unix_millis().to_le_bytes());
        parts.0
    }
}

/// Where the secret of a static credential stands.
#[derive(Clone, Copy)]
pub(crate) struct CredentialPlace<'a> {
    pub(crate) account: &'a AccountKey,
    pub(crate) kind: StaticKind,
    pub(crate) updated_at: Timestamp,
}

impl<'a> CredentialPlace<'a> {
    /// Where the secret of `credential` is.
    pub(crate) fn of(credential: &'a SealedCredential) -> Self {
        Self { account: &credential.account, kind: credential.kind, updated_at: credential.updated_at }
    }
}

impl AssociatedData for CredentialPlace<'_> {
    fn account(&self) -> &AccountKey {
        self.account
    }

    fn encode(&self, key_id: [u8; 8]) -> Vec<u8> {
        let mut parts = Parts::begin(key_id, CREDENTIAL_FIELD, self.account);
        parts.push(self.kind.as_str().as_bytes());
        parts.push(&self.updated_at.unix_millis().to_le_bytes());
        parts.0
    }
}

struct Parts(Vec<u8>);

impl Parts {
    /// What every encoding begins with.
    fn begin(key_id: [u8; 8], field: &str, account: &AccountKey) -> Self {
        let mut parts = Self(Vec::with_capacity(512));
        parts.push(&[VERSION]);
        parts.push(&key_id);
        parts.push(field.as_bytes());
        parts.push(account.owner.as_str().as_bytes());
        parts.push(account.provider.as_str().as_bytes());
        parts.push(account.account.as_str().as_bytes());
        parts
    }

    fn push(&mut self, part: &[u8]) {
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part);
    }

    /// One part that says whether there is a value, then the value: an absent text is not an empty one.
    fn push_option(&mut self, part: Option<impl AsRef<[u8]>>) {
        self.push(&[u8::from(part.is_some())]);
        if let Some(part) = part {
            self.push(part.as_ref());
        }
    }
}

const VERSION: u8 = 1;
const FIELD: &str = "tokens";
const LOGIN_FIELD: &str = "pending login";
const CREDENTIAL_FIELD: &str = "credential";
const NONCE: usize = 24;
const TAG: usize = 16;
const HEADER: usize = 1 + 8 + NONCE;
