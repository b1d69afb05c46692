//! Whether the file that is open is still the one that everybody else finds.
//!
//! Somebody may put back a backup or clean up a home directory under a running process. The process then has a file
//! without a name: what it writes there is gone with it, and what others store it never sees. A refresh token must not
//! be spent in such a place, nor its answer be kept there. So the name is looked up before every transaction that
//! writes, and after it and after every read, before its result is believed.
//!
//! The process does not turn to the other file by itself: that may be another store, with other keys, or an older state
//! of this one, whose refresh tokens are spent. Whoever put it there knows when everything is in its place.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::fault;
use crate::error::Result;
use crate::store::files::{check_file, failed, same_file};

/// The file at a path, as it was when the store was opened.
#[derive(Debug)]
pub(super) struct Presence {
    path: PathBuf,
    opened: Metadata,
}

impl Presence {
    /// Takes down which file is at `path`. It is opened after this, and [`check`](Self::check) comes after that.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let opened = check_file(path, super::WHAT)?.ok_or_else(|| fault::replaced(path))?;
        Ok(Self { path: path.to_owned(), opened })
    }

    /// Makes sure that the file is still there.
    ///
    /// # Errors
    ///
    /// `store_failed` when there is another in its place, or none.
    pub(super) fn check(&self) -> Result<()> {
        match self.path.symlink_metadata() {
            Ok(found) if same_file(&found, &self.opened) => Ok(()),
            Ok(_) => Err(fault::replaced(&self.path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(fault::replaced(&self.path)),
            Err(error) => Err(failed(super::WHAT, "looked at", &self.path, &error)),
        }
    }
}
