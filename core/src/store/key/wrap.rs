//! Wrapping: the data key, sealed under a key that HKDF-SHA256 (RFC 5869) derives from the source's secret.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::random::Random;
use crate::secret::SecretKey;
use crate::store::WrappedKey;
use crate::store::seal::DataKey;

/// Makes a random data key, and wraps it under `secret`, which comes from `source`.
pub(super) fn make(
    secret: &[u8],
    source: String,
    created_at: Timestamp,
    random: &dyn Random,
) -> Result<WrappedKey> {
    let mut data = Zeroizing::new([0; 32]);
    random.fill(&mut *data)?;
    let (id, salt, nonce) = (random.make_bytes()?, random.make_bytes()?, random.make_bytes::<NONCE>()?);
    let mut wrapped = Vec::with_capacity(1 + NONCE + data.len() + TAG);
    wrapped.push(VERSION);
    wrapped.extend_from_slice(&nonce);
    wrapped.extend_from_slice(&*data);
    let tag = wrapping_cipher(secret, salt)
        .and_then(|cipher| {
            let place = associated_data(id);
            cipher
                .encrypt_inout_detached(&XNonce::from(nonce), &place, (&mut wrapped[1 + NONCE..]).into())
                .ok()
        })
        .ok_or_else(|| Error::new(ErrorCode::KeyUnavailable, "the data key could not be wrapped"))?;
    wrapped.extend_from_slice(&tag);
    Ok(WrappedKey { id, source, salt, wrapped, created_at })
}

/// The data key inside `key`; `None` when `secret` is not the one it was wrapped under, or it was changed.
pub(super) fn unwrap(key: &WrappedKey, secret: &[u8]) -> Option<DataKey> {
    let (version, rest) = key.wrapped.split_first()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
    let (data, tag) = rest.split_first_chunk::<32>()?;
    if *version != VERSION {
        return None;
    }
    let mut data = Zeroizing::new(*data);
    wrapping_cipher(secret, key.salt)?
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            &associated_data(key.id),
            data.as_mut_slice().into(),
            &Tag::from(<[u8; TAG]>::try_from(tag).ok()?),
        )
        .ok()?;
    Some(DataKey { id: key.id, secret: SecretKey::new(&data) })
}

fn wrapping_cipher(secret: &[u8], salt: [u8; 32]) -> Option<XChaCha20Poly1305> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(&salt), secret).expand(INFO, &mut *key).ok()?;
    Some(XChaCha20Poly1305::new((&*key).into()))
}

fn associated_data(id: [u8; 8]) -> Vec<u8> {
    [WRAPPED, &[VERSION], &id].concat()
}

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
const INFO: &[u8] = b"loomkin-auth wrapping key v1";
const WRAPPED: &[u8] = b"loomkin-auth data key";

/// The least length of a source's secret, in bytes.
pub(super) const MIN_SECRET: usize = 32;

/// Refuses a secret that is too short; the sentence says how long it is, and nothing else about it.
pub(super) fn check_length(what: &str, length: usize) -> Result<()> {
    if length >= MIN_SECRET {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::KeyUnavailable,
        format!("{what} is {length} bytes long; at least {MIN_SECRET} are needed"),
    ))
}
