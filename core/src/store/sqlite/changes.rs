//! The change mark: what every reader on the host can look at for the price of a memory load.
//!
//! Beside the database lies a file with numbers that every process has in its memory
//! ([`shared_words`](super::shared_words)). `begun` counts writers, and `finished` is the number of the latest one that
//! came to its end. A writer adds two to `begun` before it commits, and afterwards sets `finished` to its own number
//! where that is higher. Where both are equal the store is quiet, and the number is the mark; as long as they differ,
//! no two marks are equal, and readers take everything for changed.
//!
//! Why a reader is never blind:
//!
//! - `begun` is written inside SQLite's write transaction, hence by one writer at a time, and each number is given out
//!   after the commit of the one before, or its end without one. So `finished = begun` says that *all* commits up to that
//!   number are done, whether or not their writers lived to say so.
//! - A change shows before its writer returns, because `begun` moves before the commit. A writer that dies after that
//!   leaves the numbers unequal, and what an earlier writer says late does not make them equal: its number is lower.
//!   Readers are slow then, and the next writer's end makes them quick again.
//! - A reader that sees its number in `finished` (acquire) sees everything that was written before it was put there
//!   (release). It looks at `begun` last: the mark holds for that moment. The commit itself is made of system calls and
//!   locks, which no earlier write passes; the fence in [`begin`](Changes::begin) says so to the compiler.
//! - The first word names this format. To an earlier version, which had eight bytes here, it is odd and reads as
//!   "somebody is writing", always; and what such a version writes there is not this format, which readers take for a
//!   change until a writer of this version puts it right.
//! - Numbers begin at random, so that a new file repeats no mark of an old one. Nothing is quiet at zero: a file that is
//!   new or was cut short is filled by its first writer.
//! - If the file is removed or replaced, processes look at different ones. Each writer compares the file at the path
//!   with its own before it commits, and each load does ([`look`](Changes::look)); whoever finds another maps that one,
//!   and spoils the old one for those who still look at it. So what is left is a reader that reads nothing, and for that
//!   there is [`TokenStore::verify_change_mark`](crate::store::TokenStore::verify_change_mark).

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU64, fence};

use super::shared_words::SharedWords;
use crate::error::Result;
use crate::random::Random;
use crate::store::ChangeMark;
use crate::store::files::{failed, open_or_make_private, same_file, with_suffix};

#[derive(Debug)]
pub(super) struct Changes {
    path: PathBuf,
    first: Mapped,
    /// Odd numbers, each given out once: marks that equal no other.
    unequal: AtomicU64,
}

/// The numbers of one file, and which file that is.
#[derive(Debug)]
struct Mapped {
    words: SharedWords,
    found: Metadata,
    /// What took its place. It stays behind until the store is closed: somebody may be looking at it.
    next: OnceLock<Box<Self>>,
}

/// A writer between its announcement and its end.
#[must_use]
pub(super) struct Begun<'a> {
    mapped: &'a Mapped,
    number: u64,
}

impl Changes {
    /// The mark of the store at `store`.
    pub(super) fn open(store: &Path) -> Result<Self> {
        let path = with_suffix(store, ".changes");
        Ok(Self { first: Mapped::open(&path)?, path, unequal: AtomicU64::new(1) })
    }

    /// The present mark.
    pub(super) fn mark(&self) -> ChangeMark {
        let quiet = self.latest().quiet();
        ChangeMark(quiet.unwrap_or_else(|| self.unequal.fetch_add(2, Relaxed)))
    }

    /// Makes sure that the file at the path is the one that is looked at.
    pub(super) fn look(&self) -> Result<()> {
        self.current().map(drop)
    }

    /// Says that a commit follows. The caller is in a write transaction.
    pub(super) fn begin(&self, random: &dyn Random) -> Result<Begun<'_>> {
        let mapped = self.current()?;
        let number = match mapped.begun().load(Relaxed) {
            0 => {
                let start = u64::from_le_bytes(random.make_bytes()?);
                mapped.finished().store(0, Relaxed);
                // Even, and so far from the end that counting does not reach it.
                (start >> 1) & !1 | 2
            }
            last => last.wrapping_add(2),
        };
        mapped.begun().store(number, Relaxed);
        mapped.format().store(FORMAT, Release);
        fence(SeqCst);
        Ok(Begun { mapped, number })
    }

    /// The file at the path, mapped anew if it is another than before.
    fn current(&self) -> Result<&Mapped> {
        let latest = self.latest();
        if self.path.symlink_metadata().is_ok_and(|found| same_file(&found, &latest.found)) {
            return Ok(latest);
        }
        latest.format().store(SPOILED, Release);
        let newer = Mapped::open(&self.path)?;
        Ok(latest.next.get_or_init(|| Box::new(newer)))
    }

    fn latest(&self) -> &Mapped {
        let mut mapped = &self.first;
        while let Some(next) = mapped.next.get() {
            mapped = next;
        }
        mapped
    }
}

impl Begun<'_> {
    /// Says that the commit is done, or that there was none.
    pub(super) fn finish(self) {
        self.mapped.finished().fetch_max(self.number, Release);
    }
}

impl Mapped {
    fn open(path: &Path) -> Result<Self> {
        let file = open_or_make_private(path, WHAT)?;
        let unusable = |error| failed(WHAT, "opened", path, &error);
        let words = SharedWords::map(&file).map_err(unusable)?;
        Ok(Self { words, found: file.metadata().map_err(unusable)?, next: OnceLock::new() })
    }

    /// The mark, unless a writer is at work, or was when it died.
    fn quiet(&self) -> Option<u64> {
        // In this order: a writer writes them in the other.
        let format = self.format().load(Acquire);
        let finished = self.finished().load(Acquire);
        let begun = self.begun().load(Acquire);
        (format == FORMAT && finished == begun && begun != 0).then_some(begun)
    }

    fn format(&self) -> &AtomicU64 {
        &self.words.words()[0]
    }

    fn begun(&self) -> &AtomicU64 {
        &self.words.words()[1]
    }

    fn finished(&self) -> &AtomicU64 {
        &self.words.words()[2]
    }
}

const WHAT: &str = "the store's change mark";
/// "LmAuChg" and an odd byte.
const FORMAT: u64 = 0x4c6d_4175_4368_6701;
/// Odd as well, and no format.
const SPOILED: u64 = 1;

#[cfg(test)]
mod tests;
