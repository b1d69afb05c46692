//! The change mark: eight bytes beside the database that every reader on the host can look at with one system call.
//!
//! A writer sets the mark to [`WRITING`] before it commits and to a fresh even number afterwards. A reader that finds
//! `WRITING` takes everything for changed. So a change shows before its writer returns, and a writer that is killed
//! between its commit and its mark makes readers slow until the next write, and never blind.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::random::Random;
use crate::store::ChangeMark;
use crate::store::files::{failed, open_or_make_private, with_suffix};

#[derive(Debug)]
pub(super) struct Changes {
    file: File,
    path: PathBuf,
    /// Odd numbers, each given out once: marks that equal no other.
    unequal: AtomicU64,
}

impl Changes {
    /// The mark of the store at `store`.
    pub(super) fn open(store: &Path) -> Result<Self> {
        let path = with_suffix(store, ".changes");
        let file = open_or_make_private(&path, WHAT)?;
        // One that is new, or cut short, says "writing" until the next write: readers look twice, and that is all.
        let length = file.metadata().map_err(|error| failed(WHAT, "read", &path, &error))?.len();
        if length < 8 {
            write_at_start(&file, WRITING).map_err(|error| failed(WHAT, "written", &path, &error))?;
        }
        Ok(Self { file, path, unequal: AtomicU64::new(1) })
    }

    /// The present mark.
    pub(super) fn mark(&self) -> Result<ChangeMark> {
        let mark = read_at_start(&self.file).map_err(|error| failed(WHAT, "read", &self.path, &error))?;
        if mark % 2 == 0 {
            return Ok(ChangeMark(mark));
        }
        Ok(ChangeMark(self.unequal.fetch_add(2, Ordering::Relaxed)))
    }

    /// Says that a commit follows.
    pub(super) fn begin(&self) -> Result<()> {
        write_at_start(&self.file, WRITING).map_err(|error| failed(WHAT, "written", &self.path, &error))
    }

    /// Says that the commit is done. When that fails the mark stays at `WRITING`, which is safe.
    pub(super) fn finish(&self, random: &dyn Random) {
        if let Ok(bytes) = random.make_bytes() {
            let _ = write_at_start(&self.file, u64::from_le_bytes(bytes) & !1);
        }
    }
}

#[cfg(unix)]
fn read_at_start(file: &File) -> io::Result<u64> {
    let mut bytes = [0; 8];
    std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(unix)]
fn write_at_start(file: &File, mark: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, &mark.to_le_bytes(), 0)
}

#[cfg(windows)]
fn read_at_start(file: &File) -> io::Result<u64> {
    let mut bytes = [0; 8];
    let read = std::os::windows::fs::FileExt::seek_read(file, &mut bytes, 0)?;
    if read < bytes.len() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(u64::from_le_bytes(bytes)) }
}

#[cfg(windows)]
fn write_at_start(file: &File, mark: u64) -> io::Result<()> {
    let written = std::os::windows::fs::FileExt::seek_write(file, &mark.to_le_bytes(), 0)?;
    if written < 8 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
}

const WHAT: &str = "the store's change mark";
const WRITING: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_mark_stays_until_somebody_writes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("auth.db");
        let (writer, reader) = (Changes::open(&path).unwrap(), Changes::open(&path).unwrap());
        writer.finish(&SystemRandom);
        let before = reader.mark().unwrap();
        assert_eq!(reader.mark().unwrap(), before);
        writer.begin().unwrap();
        writer.finish(&SystemRandom);
        assert_ne!(reader.mark().unwrap(), before);
    }

    #[test]
    fn after_a_writer_that_died_no_two_marks_are_equal() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("auth.db");
        Changes::open(&path).unwrap().begin().unwrap();
        let reader = Changes::open(&path).unwrap();
        assert_ne!(reader.mark().unwrap(), reader.mark().unwrap());
    }
}
