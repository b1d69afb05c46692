//! A writer that masks what passes through it.

use std::io::{self, Write};

use super::Redactor;
use super::stream::Stream;

/// Hands on what is written to it, with every secret masked.
///
/// A line is handed on as soon as its end is written. Of one that does not end, the latest part is held back until
/// [`RedactingWriter::finish`], because a secret may begin in it, and a flush cannot force it out: 65 KiB at most, or 64 KiB and
/// the longest known secret as it is encoded. Dropping the writer finishes it, without a word if that fails.
#[derive(Debug)]
pub struct RedactingWriter<W: Write> {
    inner: W,
    stream: Stream,
    masked: Vec<u8>,
}

impl<W: Write> RedactingWriter<W> {
    /// One that writes to `inner`.
    pub fn new(redactor: Redactor, inner: W) -> Self {
        Self { inner, stream: Stream::new(redactor), masked: Vec::new() }
    }

    /// Says that nothing more comes, and hands on what was held back. What is written later is another text.
    ///
    /// # Errors
    ///
    /// Those of the writer behind it. What it did not take is gone.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stream.finish(&mut self.masked);
        self.hand_on()?;
        self.inner.flush()
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let written = self.inner.write_all(&self.masked);
        self.masked.clear();
        written
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Larger than this, its answer would need a buffer of its own size.
        let bytes = &bytes[..bytes.len().min(LARGEST_PIECE)];
        self.stream.push(bytes, &mut self.masked);
        self.hand_on()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        let _best_effort = self.finish();
    }
}

const LARGEST_PIECE: usize = 64 * 1024;
