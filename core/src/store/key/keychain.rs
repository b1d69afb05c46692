//! A key in the operating system's keychain: Keychain Services, Credential Manager, Secret Service.
//!
//! One random secret per store is kept there and nothing else: no size limit is met, one prompt is enough, and no
//! pair of entries can be torn.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::source::SourceSecret;
use super::wrap::{MIN_SECRET, check_length};
use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::random::Random;
use crate::store::StoreId;

/// A keychain. Its methods may block: they are called on a thread of their own, and given up after five seconds.
pub trait Keychain: fmt::Debug + Send + Sync {
    /// The secret under `name`, or `None` where there is none.
    ///
    /// # Errors
    ///
    /// A [`KeychainError`] when the keychain cannot tell.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError>;

    /// Keeps `secret` under `name`.
    ///
    /// # Errors
    ///
    /// A [`KeychainError`] when it is not kept.
    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeychainError>;
}

/// Why a keychain does not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeychainError {
    /// This machine or session has none.
    Absent,
    /// It answers with an error.
    Failed,
    /// It does not answer in time; it may be asking the person something.
    Hanging,
    /// It is locked, and cannot be unlocked from here.
    Locked,
}

/// The keychain of the operating system, under the service name `loomkin-auth`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsKeychain;

impl Keychain for OsKeychain {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
        match keyring::Entry::new(SERVICE, name).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeychainError> {
        Ok(keyring::Entry::new(SERVICE, name).and_then(|entry| entry.set_secret(secret))?)
    }
}

/// The library's own error is left behind here: some of its variants carry the secret.
impl From<keyring::Error> for KeychainError {
    fn from(error: keyring::Error) -> Self {
        match error {
            keyring::Error::NoStorageAccess(_) => Self::Locked,
            keyring::Error::NoDefaultStore => Self::Absent,
            _ => Self::Failed,
        }
    }
}

impl From<KeychainError> for Error {
    fn from(error: KeychainError) -> Self {
        let (message, advice) = match error {
            KeychainError::Absent => (
                "there is no keychain here",
                "Start the session's keychain, or run where the store was made.",
            ),
            KeychainError::Failed => ("the keychain failed", "Check that the session's keychain works."),
            KeychainError::Hanging => {
                ("the keychain did not answer within 5 s", "Answer the keychain's prompt, then try again.")
            }
            KeychainError::Locked => ("the keychain is locked", "Unlock the keychain, then try again."),
        };
        Self::new(ErrorCode::KeyUnavailable, message).with_advice(advice)
    }
}

/// The secret of `store`, or `None`.
pub(super) async fn read(
    keychain: &Arc<dyn Keychain>,
    store: StoreId,
    clock: &dyn Clock,
) -> Result<Option<SourceSecret>> {
    let secret = bounded(keychain, clock, move |keychain| keychain.read(&store.to_string())).await?;
    if let Some(secret) = &secret {
        check_length("the key in the keychain", secret.len())?;
    }
    Ok(secret)
}

/// Makes sure that the keychain has a secret of `store`, and gives it back when asked. A secret that is there is
/// kept: somebody may have died between writing it and making the data key.
pub(super) async fn read_or_make(
    keychain: &Arc<dyn Keychain>,
    store: StoreId,
    random: &dyn Random,
    clock: &dyn Clock,
) -> Result<()> {
    if read(keychain, store, clock).await?.is_some() {
        return Ok(());
    }
    let mut secret = Zeroizing::new(vec![0; MIN_SECRET]);
    random.fill(&mut secret)?;
    let copy = secret.clone();
    bounded(keychain, clock, move |keychain| keychain.write(&store.to_string(), &copy)).await?;
    match read(keychain, store, clock).await? {
        Some(kept) if kept == secret => Ok(()),
        _ => Err(Error::new(ErrorCode::KeyUnavailable, "the keychain does not give back what it was given")),
    }
}

/// Runs `work` on a thread of its own, which is left behind when it takes longer than five seconds. It is not one
/// of the runtime's blocking threads, because a runtime waits for those when it ends.
async fn bounded<T: Send + 'static>(
    keychain: &Arc<dyn Keychain>,
    clock: &dyn Clock,
    work: impl FnOnce(&dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    let keychain = Arc::clone(keychain);
    let run = move || {
        // Nobody receives when the time is over.
        let _ = sender.send(work(&*keychain));
    };
    std::thread::Builder::new().name("keychain".to_owned()).spawn(run).map_err(|_| KeychainError::Failed)?;
    let answer = tokio::select! {
        answer = receiver => answer.unwrap_or(Err(KeychainError::Failed)),
        () = clock.sleep(PATIENCE) => Err(KeychainError::Hanging),
    };
    Ok(answer?)
}

const SERVICE: &str = "loomkin-auth";
const PATIENCE: Duration = Duration::from_secs(5);
