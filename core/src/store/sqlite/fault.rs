//! What SQLite reports, as a sentence of ours. Nothing of SQLite's own text is kept: it may quote a row.

use std::path::Path;

use rusqlite::ErrorCode as Sqlite;

use crate::error::{Error, ErrorCode, Result};
use crate::store::files::quoted;

/// The error for what went wrong with the store at `path`.
pub(super) fn explain(error: &rusqlite::Error, path: &Path) -> Error {
    let path = quoted(path);
    let (message, advice) = match error.sqlite_error_code() {
        Some(Sqlite::DatabaseBusy | Sqlite::DatabaseLocked) => (
            "another process keeps the store busy",
            format!("Find what holds {path} open, and end it; then try again."),
        ),
        Some(Sqlite::DatabaseCorrupt) => {
            ("the store is damaged", format!("Restore {path} from a backup; nothing was overwritten."))
        }
        Some(Sqlite::DiskFull) => {
            ("the disk is full", format!("Free some space on the disk that holds {path}."))
        }
        Some(Sqlite::NotADatabase) => (NO_STORE, no_store_advice(&path)),
        Some(Sqlite::ReadOnly | Sqlite::PermissionDenied) => (READ_ONLY, read_only_advice(&path)),
        Some(Sqlite::CannotOpen | Sqlite::SystemIoFailure | Sqlite::NoLargeFileSupport) => (
            "the store cannot be read or written",
            format!("Check that {path} and its directory are there and writable, and that their disk works."),
        ),
        Some(_) => ("the store failed", format!("Check {path} and its disk; nothing was overwritten.")),
        // A row that does not have the form that this code writes.
        None => ("a record of the store is damaged", format!("Restore {path} from a backup.")),
    };
    Error::new(ErrorCode::StoreFailed, message).with_advice(advice)
}

/// The error for a file that SQLite reads, but that no version of this code wrote.
pub(super) fn no_store(path: &Path) -> Error {
    Error::new(ErrorCode::StoreFailed, NO_STORE).with_advice(no_store_advice(&quoted(path)))
}

/// The error for a store whose schema this code does not know yet.
pub(super) fn newer(path: &Path) -> Error {
    Error::new(ErrorCode::StoreFailed, "the store was written by a newer version of Loomkin Auth")
        .with_advice(format!("Update Loomkin Auth; this version leaves {} as it is.", quoted(path)))
}

/// The error for a store that SQLite could open for reading alone.
pub(super) fn read_only(path: &Path) -> Error {
    Error::new(ErrorCode::StoreFailed, READ_ONLY).with_advice(read_only_advice(&quoted(path)))
}

/// The error for a store whose file is not at its path any more.
pub(super) fn replaced(path: &Path) -> Error {
    Error::new(ErrorCode::StoreFailed, "the store's file was replaced or removed while it was in use").with_advice(
        format!(
            "Make sure that {} is the right one, then restart this process; stop every process before a store is put \
             back.",
            quoted(path)
        ),
    )
}

/// [`explain`] for results.
pub(super) trait Explain<T> {
    /// Turns SQLite's error into ours.
    fn explain(self, path: &Path) -> Result<T>;
}

impl<T> Explain<T> for rusqlite::Result<T> {
    fn explain(self, path: &Path) -> Result<T> {
        self.map_err(|error| explain(&error, path))
    }
}

fn no_store_advice(path: &str) -> String {
    format!("Restore {path} from a backup, or name another path under [auth.store]; nothing was overwritten.")
}

fn read_only_advice(path: &str) -> String {
    format!("Make {path} and its directory writable; nothing was overwritten.")
}

const READ_ONLY: &str = "the store is read-only";
const NO_STORE: &str = "the file is not a store of Loomkin Auth, or is damaged";
