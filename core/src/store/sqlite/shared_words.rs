//! A few numbers in a file that every process has in its memory. The one file of this workspace with `unsafe` code.
//!
//! Why it is sound:
//!
//! - The map is [`LENGTH`] bytes of a file that was at least as long when it was mapped. It begins on a page, so that
//!   the words are aligned, lies in one page, and lasts as long as the value that owns it; the references that are given
//!   out borrow that value.
//! - Other processes write to the same bytes at any moment. All of them, and this one, do so through atomics of the
//!   same width and place, which processors that can run this code keep without locks, so that there is no data race.
//!   Somebody who writes to the file by other means can make the numbers wrong, and no more: every bit pattern is a
//!   number.
//! - A file that is cut to nothing while it is mapped ends the process that looks at it (SIGBUS), as it does for
//!   SQLite's own `-shm`, which every process maps as well. That is an end and no undefined behaviour. No code here cuts
//!   a file, and the file is 0600 in a 0700 directory. One that is cut to less than [`LENGTH`] reads as zeros there.
//! - The file's last byte is written before it is mapped, so that its block is there and a full disk cannot strike when
//!   a word is written. On file systems that write to another block each time (btrfs) it still can; again as for `-shm`.
#![allow(unsafe_code, reason = "memory that processes share cannot be had without; see above")]

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};

/// How many numbers there are.
pub(super) const WORDS: usize = 4;

/// The numbers, shared by all who have the same file.
#[derive(Debug)]
pub(super) struct SharedWords(MmapRaw);

impl SharedWords {
    /// Maps `file`, which is made long enough first; what is new in it is zero.
    pub(super) fn map(mut file: &File) -> io::Result<Self> {
        if file.metadata()?.len() < LENGTH as u64 {
            // In the last word, which nobody uses: another process may be writing the others already.
            file.seek(SeekFrom::Start(LENGTH as u64 - 1))?;
            file.write_all(&[0])?;
        }
        Ok(Self(MmapOptions::new().len(LENGTH).map_raw(file)?))
    }

    /// The numbers, as they are at each moment.
    pub(super) fn words(&self) -> &[AtomicU64; WORDS] {
        // SAFETY: see the head of this file. The array of atomics has the size of the map and needs the alignment of
        // eight bytes, which the beginning of a page has; the map is readable, writable and borrowed with `self`.
        unsafe { &*self.0.as_mut_ptr().cast::<[AtomicU64; WORDS]>() }
    }
}

const LENGTH: usize = size_of::<[AtomicU64; WORDS]>();
