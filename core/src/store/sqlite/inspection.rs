//! What a store looks like from outside: before it is opened, and for whoever wants to know why it does not open.

use std::path::{Path, PathBuf};

use super::{SqliteStore, WHAT, lock};
use crate::error::{Error, Result};
use crate::store::blocking::blocking;
use crate::store::files::{check_directory, check_file, private_directory, with_suffix};

/// See [`SqliteStore::inspect`].
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// Whether there is a store.
    pub is_there: bool,
    /// What is wrong with its directory and its files, each with the command that mends it.
    pub faults: Vec<Error>,
    /// Why its file system cannot be relied on.
    pub locks: Option<Error>,
}

impl SqliteStore {
    /// Looks at the files of the store at `path` without opening it: all of their faults at once. Makes nothing.
    ///
    /// # Errors
    ///
    /// `store_failed` when the work is cut off.
    pub async fn inspect(path: impl Into<PathBuf>) -> Result<Inspection> {
        let path = path.into();
        blocking(move || {
            let mut inspection = Inspection::default();
            let mut is_there = |checked: Result<bool>| match checked {
                Ok(is_there) => is_there,
                Err(fault) => {
                    inspection.faults.push(fault);
                    true
                }
            };
            is_there(check_directory(directory_of(&path)));
            let found = is_there(check_file(&path, WHAT).map(|found| found.is_some()));
            let mut has_lock = false;
            for suffix in BESIDE {
                let file = check_file(&with_suffix(&path, suffix), "a file of the store");
                has_lock |= suffix == ".lock" && matches!(file, Ok(Some(_)));
                is_there(file.map(|file| file.is_some()));
            }
            inspection.is_there = found;
            // The proof would make the file of the lock; where there is none, the first command makes the proof.
            if has_lock && inspection.faults.is_empty() {
                inspection.locks = lock::prove(&path).err();
            }
            Ok(inspection)
        })
        .await
    }
}

/// Checks everything that can be checked before SQLite touches the file. Says whether there is one.
pub(super) fn prepare(path: &Path) -> Result<bool> {
    private_directory(directory_of(path))?;
    for suffix in BESIDE {
        check_file(&with_suffix(path, suffix), "a file of the store")?;
    }
    let is_there = check_file(path, WHAT)?.is_some();
    lock::prove(path)?;
    Ok(is_there)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What the files beside the store have behind its name.
const BESIDE: [&str; 4] = ["-wal", "-shm", ".lock", ".changes"];

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::random::SystemRandom;

    #[tokio::test]
    async fn a_store_that_is_not_there_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store/auth.db");
        let inspection = SqliteStore::inspect(&path).await.unwrap();
        assert!(!inspection.is_there && inspection.faults.is_empty() && inspection.locks.is_none());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn every_fault_is_found_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store/auth.db");
        SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
        let inspection = SqliteStore::inspect(&path).await.unwrap();
        assert!(inspection.is_there && inspection.faults.is_empty() && inspection.locks.is_none());
        for (name, mode) in [("store", 0o755), ("store/auth.db", 0o644), ("store/auth.db.lock", 0o640)] {
            fs::set_permissions(directory.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        let inspection = SqliteStore::inspect(&path).await.unwrap();
        let advice: Vec<_> = inspection.faults.iter().map(|fault| fault.advice().to_owned()).collect();
        assert_eq!(advice.len(), 3, "{advice:?}");
        assert!(
            advice[0].starts_with("Run: chmod 700 ") && advice[1].starts_with("Run: chmod 600 "),
            "{advice:?}"
        );
    }
}
