//! The store's lock: an advisory lock on a file beside the database, for the rare steps that must not be taken twice.
//!
//! `flock`, never `fcntl`: the latter is lost as soon as the process closes *any* handle of the file.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::store::files::{failed, open_or_make_private, with_suffix};

/// Takes the lock of the store at `store`, which ends when the file is dropped.
///
/// # Errors
///
/// `store_failed` when somebody keeps it for longer than 30 seconds.
pub(super) async fn acquire(store: &Path, clock: &dyn Clock) -> Result<File> {
    let file = open(store)?;
    let end = clock.now().plus(PATIENCE);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(WHAT, "taken", &path(store), &error)),
            Err(TryLockError::WouldBlock) if clock.now() >= end => {
                return Err(Error::new(ErrorCode::StoreFailed, "another process keeps the store's lock")
                    .with_advice("Answer its keychain prompt or end it, then try again."));
            }
            Err(TryLockError::WouldBlock) => clock.sleep(PAUSE).await,
        }
    }
}

/// Makes sure that a lock taken through one handle is seen through another.
///
/// # Errors
///
/// `store_failed` when it is not: on such a file system two processes would spend one refresh token.
pub(super) fn prove(store: &Path) -> Result<()> {
    let (one, other) = (open(store)?, open(store)?);
    judge(one.try_lock(), || other.try_lock())
}

fn judge(first: Result<(), TryLockError>, second: impl FnOnce() -> Result<(), TryLockError>) -> Result<()> {
    match first {
        // Somebody has it just now, and we see that they have.
        Err(TryLockError::WouldBlock) => return Ok(()),
        Ok(()) => {
            if let Err(TryLockError::WouldBlock) = second() {
                return Ok(());
            }
        }
        Err(TryLockError::Error(_)) => {}
    }
    Err(Error::new(ErrorCode::StoreFailed, "the store's file system does not keep file locks")
        .with_advice("Put the store on a local disk, under path in [auth.store]."))
}

fn open(store: &Path) -> Result<File> {
    open_or_make_private(&path(store), WHAT)
}

fn path(store: &Path) -> PathBuf {
    with_suffix(store, ".lock")
}

const WHAT: &str = "the store's lock";
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_file_system_whose_locks_lie_is_refused() {
        let lie = judge(Ok(()), || Ok(())).unwrap_err();
        assert_eq!(lie.message(), "the store's file system does not keep file locks");
        let unsupported = || Err(TryLockError::Error(io::ErrorKind::Unsupported.into()));
        assert!(judge(unsupported(), || Ok(())).is_err());
        assert!(judge(Ok(()), unsupported).is_err());
    }

    #[test]
    fn an_honest_file_system_is_not() {
        let directory = tempfile::tempdir().unwrap();
        prove(&directory.path().join("auth.db")).unwrap();
        assert!(judge(Err(TryLockError::WouldBlock), || Ok(())).is_ok());
    }
}
