//! Who holds a claim, so that the claim of a process that died can be taken over at once.
//!
//! A store that makes claims keeps a lock on a file of its own for as long as it is open, and its claims name that
//! file. The system ends the lock with the process, however it ends. So a claim whose holder's file can be locked
//! by somebody else is the claim of the dead; one whose file is gone, or cannot be looked at, proves nothing and
//! lasts until its deadline. A child that was forked without exec shares the lock, and there too the deadline is
//! what counts.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::random::Random;
use crate::store::AttemptId;
use crate::store::files::{failed, private, private_directory, with_suffix};

/// Names a holder's file.
pub(super) type HolderId = [u8; 16];

/// One open store as a holder of claims.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: HolderId,
    path: PathBuf,
    /// Claims that were made and not ended yet, as far as this holder knows.
    pub(super) outstanding: BTreeSet<[u8; 16]>,
    /// Locked until it is closed.
    _file: File,
}

impl Holder {
    /// A new holder of claims in the store at `store`.
    pub(super) fn make(store: &Path, random: &dyn Random) -> Result<Self> {
        let directory = directory(store);
        private_directory(&directory)?;
        loop {
            let id: HolderId = random.make_bytes()?;
            let path = file_of(&directory, id);
            let unmade = |error| failed("a claim's file", "made", &path, &error);
            let file =
                private(OpenOptions::new().write(true).create_new(true)).open(&path).map_err(unmade)?;
            // Between its making and its locking a sweep may take the file for one that a dead process left.
            if file.try_lock().is_ok() && is_linked(&path, &file) {
                return Ok(Self { id, path, outstanding: BTreeSet::new(), _file: file });
            }
        }
    }

    /// Forgets a claim that has ended.
    pub(super) fn ended(&mut self, attempt: AttemptId) {
        self.outstanding.remove(&attempt.0);
    }
}

impl Drop for Holder {
    /// Removes the file, unless a claim may still name it: its lock ends here, and with that the claim.
    fn drop(&mut self) {
        if self.outstanding.is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether the holder `id` lives, or may live.
pub(super) fn may_live(store: &Path, id: HolderId) -> bool {
    let Ok(file) = File::open(file_of(&directory(store), id)) else { return true };
    file.try_lock().is_err()
}

/// Removes the files of holders that are dead, and that no claim names.
///
/// The caller is in a write transaction, so that neither another sweep nor a claimer looks at the same time: each
/// would take the other's lock for the holder's.
pub(super) fn sweep(store: &Path, named: &[HolderId]) {
    let Ok(entries) = fs::read_dir(directory(store)) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_named = named.iter().any(|id| path == file_of(&directory(store), *id));
        let Ok(file) = File::open(&path) else { continue };
        if !is_named && file.try_lock().is_ok() {
            // While it is locked here, its maker cannot believe that it holds it.
            let _ = fs::remove_file(&path);
        }
    }
}

fn directory(store: &Path) -> PathBuf {
    with_suffix(store, ".holders")
}

fn file_of(directory: &Path, id: HolderId) -> PathBuf {
    directory.join(id.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[cfg(unix)]
fn is_linked(_: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    file.metadata().is_ok_and(|found| found.nlink() > 0)
}

#[cfg(not(unix))]
fn is_linked(path: &Path, _: &File) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_holder_lives_as_long_as_it_is_open_and_may_live_when_its_file_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("auth.db");
        let mut holder = Holder::make(&store, &SystemRandom).unwrap();
        let id = holder.id;
        assert!(may_live(&store, id));
        holder.outstanding.insert([1; 16]);
        drop(holder);
        assert!(!may_live(&store, id), "its file stays for the claim that names it");
        assert!(may_live(&store, [9; 16]), "a file that is not there proves nothing");
    }

    #[test]
    fn a_sweep_leaves_the_living_and_the_named() {
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("auth.db");
        let make = || Holder::make(&store, &SystemRandom).unwrap();
        let (living, mut dead, mut named) = (make(), make(), make());
        dead.outstanding.insert([1; 16]);
        named.outstanding.insert([2; 16]);
        let paths = [living.path.clone(), named.path.clone(), dead.path.clone()];
        let named_id = named.id;
        drop((dead, named));

        sweep(&store, &[named_id]);

        assert_eq!(paths.map(|path| path.exists()), [true, true, false]);
    }

    #[test]
    fn a_holder_without_claims_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("auth.db");
        let holder = Holder::make(&store, &SystemRandom).unwrap();
        let path = holder.path.clone();
        drop(holder);
        assert!(!path.exists());
    }
}
