//! Files that only their owner can read: made so from the start, and refused when they are not.
//!
//! Nothing is mended silently: a file that others could read has perhaps been read, and its owner should know.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};

/// Opens the file at `path` for reading, and checks it; `what` is its name in sentences.
///
/// # Errors
///
/// `store_failed` when it is not there, or as [`check_file`].
pub(super) fn open_private(path: &Path, what: &str) -> Result<File> {
    let before = check_file(path, what)?.ok_or_else(|| {
        Error::new(ErrorCode::StoreFailed, format!("{what} is not there"))
            .with_advice(format!("Restore {}.", quoted(path)))
    })?;
    let file = File::open(path).map_err(|error| failed(what, "opened", path, &error))?;
    let after = file.metadata().map_err(|error| failed(what, "opened", path, &error))?;
    if !same_file(&before, &after) {
        return Err(Error::new(ErrorCode::StoreFailed, format!("{what} was replaced while it was opened")));
    }
    Ok(file)
}

/// Checks that `path` is a file of ours that nobody else can read; `None` when nothing is there.
///
/// # Errors
///
/// `store_failed` when it is a link or a directory, belongs to somebody else, or is open to others.
pub(super) fn check_file(path: &Path, what: &str) -> Result<Option<Metadata>> {
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(what, "looked at", path, &error)),
    };
    let refuse = |fault: &str, advice: String| {
        Err(Error::new(ErrorCode::StoreFailed, format!("{what} {fault}")).with_advice(advice))
    };
    let path = quoted(path);
    if found.is_symlink() {
        return refuse("is a link", format!("Name the file itself, or remove the link: rm {path}"));
    }
    if !found.is_file() {
        return refuse("is not a file", format!("Name a file instead of {path}."));
    }
    match intruders(&found) {
        None => Ok(Some(found)),
        Some(Intruders::Owner) => {
            refuse("belongs to another user", format!("Run: sudo chown \"$USER\" {path}"))
        }
        Some(Intruders::Mode) => refuse("is open to other users", format!("Run: chmod 600 {path}")),
    }
}

/// Makes the directory at `path` and its parents, or checks the one that is there. A link to a directory is taken
/// for the directory: whoever may not write beside it cannot turn it.
///
/// # Errors
///
/// `store_failed` when it is no directory, belongs to somebody else, is open to others or cannot be made.
pub(super) fn private_directory(path: &Path) -> Result<()> {
    if check_directory(path)? {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| failed(DIRECTORY, "made", path, &error))?;
    check_directory(path).map(drop)
}

/// Checks the directory at `path` as [`private_directory`] does; `false` when nothing is there.
///
/// # Errors
///
/// As there.
pub(super) fn check_directory(path: &Path) -> Result<bool> {
    let found = match path.metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(DIRECTORY, "looked at", path, &error)),
    };
    let refuse = |fault: &str, advice: String| {
        Err(Error::new(ErrorCode::StoreFailed, format!("{DIRECTORY} {fault}")).with_advice(advice))
    };
    let path = quoted(path);
    if !found.is_dir() {
        return refuse("is not a directory", format!("Name a directory instead of {path}."));
    }
    match intruders(&found) {
        None => Ok(true),
        Some(Intruders::Owner) => {
            refuse("belongs to another user", format!("Run: sudo chown \"$USER\" {path}"))
        }
        Some(Intruders::Mode) => refuse(
            "is open to other users",
            format!("Run: chmod 700 {path} (or give the store a directory of its own)"),
        ),
    }
}

/// Opens `path` for reading and writing, made empty and private where it is not there.
///
/// # Errors
///
/// `store_failed` when it cannot be opened, or as [`check_file`].
pub(super) fn open_or_make_private(path: &Path, what: &str) -> Result<File> {
    check_file(path, what)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options).open(path).map_err(|error| failed(what, "opened", path, &error))
}

/// Makes the file at `path` with what `write` writes, durably, and only as a whole: it is written under another name
/// first. A file that is there already stays as it is.
///
/// # Errors
///
/// `store_failed` when it cannot be made.
pub(super) fn make_private(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let draft = with_suffix(path, ".new");
    let make = || {
        remove_if_there(&draft)?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&draft)?;
        write(&mut file)?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked?,
        }
        fs::remove_file(&draft)?;
        sync_directory_of(path)
    };
    make().map_err(|error| failed("a file of the store", "made", path, &error))
}

/// `path` with `suffix` appended to its last part.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// `path` as a POSIX shell reads it back.
pub(super) fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Removes the file at `path`; that there is none is no error.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes a new name in the directory of `path` survive a power cut, where the system can.
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Makes `options` create files as 0600, where files have modes.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The error for an operation that the system refused.
pub(super) fn failed(what: &str, done: &str, path: &Path, error: &io::Error) -> Error {
    let (reason, advice) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ("the disk is full", format!("Free some space on the disk that holds {}.", quoted(path)))
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            ("it is on a read-only file system", format!("Make the place of {} writable.", quoted(path)))
        }
        io::ErrorKind::PermissionDenied => {
            ("the system does not allow it", format!("Make {} yours and writable.", quoted(path)))
        }
        _ => ("the system reported an error", format!("Check the disk that holds {}.", quoted(path))),
    };
    Error::new(ErrorCode::StoreFailed, format!("{what} cannot be {done}: {reason}")).with_advice(advice)
}

const DIRECTORY: &str = "the store's directory";

enum Intruders {
    Mode,
    Owner,
}

/// Who else could get at it.
#[cfg(unix)]
fn intruders(found: &Metadata) -> Option<Intruders> {
    use std::os::unix::fs::MetadataExt;

    if found.uid() != rustix::process::geteuid().as_raw() {
        return Some(Intruders::Owner);
    }
    (found.mode() & 0o077 != 0).then_some(Intruders::Mode)
}

#[cfg(not(unix))]
fn intruders(_: &Metadata) -> Option<Intruders> {
    None
}

/// Whether both are of one file.
#[cfg(unix)]
pub(super) fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
pub(super) fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}
