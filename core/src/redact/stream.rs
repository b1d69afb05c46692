//! Text in pieces of any size, masked as it comes.
//!
//! Everything up to the end of a line is decided at once. A line that does not end is decided a window at a time, and
//! what may still be the beginning of an opener or of a known secret is held back. Where the windows are cut depends on
//! the text alone and never on the pieces in which it arrives, so neither does the result.

use std::fmt;
use std::ops::{ControlFlow, Range};

use memchr::memrchr;
use regex_automata::Input;

use super::rest::{Body, Rest};
use super::shapes::{LONGEST_OPENER, SHAPES};
use super::{MASK, Redactor};

/// What is known of a text so far.
///
/// Every position counts from the beginning of `buffer`.
pub(super) struct Stream {
    redactor: Redactor,
    /// At most one byte that is decided, for what has to stand behind a word, and then what is undecided.
    buffer: Vec<u8>,
    decided: usize,
    /// Up to where openers have been looked for, or where the secret goes on that is being read.
    read: usize,
    body: Option<Body>,
    /// All before this is secret, although it is undecided otherwise.
    masked: usize,
    /// Whether the last byte that was decided is masked: a secret next to another needs no second mask.
    in_secret: bool,
}

impl Stream {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, buffer: Vec::new(), decided: 0, read: 0, body: None, masked: 0, in_secret: false }
    }

    /// Takes `bytes`, and appends to `out` what can be said now.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let room = self.largest() - (self.buffer.len() - self.decided);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            let before = self.buffer.len();
            self.buffer.extend_from_slice(now);
            bytes = later;
            if let Some(end) = memrchr(b'\n', now) {
                let end = before + end + 1;
                self.decide(end, end, out);
            } else if now.len() == room {
                self.decide(self.decided + WINDOW, self.buffer.len(), out);
            }
        }
    }

    /// Nothing more comes: appends the rest. What is pushed later is another text.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        // An end of line decides everything. It is taken back, unless it became part of a secret.
        self.push(b"\n", out);
        out.pop_if(|last| *last == b'\n');
        *self = Self::new(self.redactor.clone());
    }

    /// The most bytes that are ever undecided.
    fn largest(&self) -> usize {
        WINDOW + LONGEST_OPENER.max(self.redactor.0.longest())
    }

    /// Decides up to `until`, knowing the text up to `end`. They are the same at the end of a line: nothing beyond it can
    /// change anything.
    fn decide(&mut self, until: usize, end: usize, out: &mut Vec<u8>) {
        let mut secrets: Vec<_> = self.redactor.0.find(&self.buffer[..end], self.decided..until).collect();
        self.find_shapes(until, end, &mut secrets);
        secrets.sort_unstable_by_key(|secret| secret.start);
        self.write(until, &secrets, out);

        let gone = until.saturating_sub(1);
        self.buffer.drain(..gone);
        self.decided = until - gone;
        self.read = self.read.max(until) - gone;
        self.masked = self.masked.max(until) - gone;
    }

    fn find_shapes(&mut self, until: usize, end: usize, secrets: &mut Vec<Range<usize>>) {
        let text = &self.buffer[..end];
        while self.read < until {
            if let Some(body) = self.body.take() {
                let start = self.read;
                self.read = match body.end(text, start) {
                    ControlFlow::Break(end) => end,
                    ControlFlow::Continue(more) => {
                        self.body = Some(body);
                        more.max(until)
                    }
                };
                if start < self.read {
                    secrets.push(start..self.read);
                }
                continue;
            }
            let Some(found) = SHAPES.find(Input::new(text).range(self.read..)).filter(|it| it.start < until)
            else {
                return;
            };
            match found.rest {
                Rest::Nothing => self.read = found.kept,
                Rest::Opener => {
                    secrets.push(found.start..found.end);
                    self.read = found.end;
                }
                rest => {
                    self.read = found.kept;
                    self.body = Some(Body::new(rest, &text[found.start..found.kept]));
                }
            }
        }
    }

    fn write(&mut self, until: usize, secrets: &[Range<usize>], out: &mut Vec<u8>) {
        let mut at = self.decided;
        let carried = self.decided..self.masked;
        for secret in std::iter::once(&carried).chain(secrets) {
            if secret.end <= at {
                continue;
            }
            if secret.start > at {
                out.extend_from_slice(&self.buffer[at..secret.start]);
                self.in_secret = false;
            }
            if !self.in_secret {
                out.extend_from_slice(MASK.as_bytes());
                self.in_secret = true;
            }
            at = secret.end;
        }
        if at < until {
            out.extend_from_slice(&self.buffer[at..until]);
            self.in_secret = false;
        }
        self.masked = at;
    }
}

/// The text may hold what it is here to hide.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(elided)")
    }
}

/// How much of a line that does not end is decided at a time, in bytes.
const WINDOW: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes `piece` until it is 64 MiB, and gives what came out and the most that the buffer ever took.
    fn flood(beginning: &str, piece: &str) -> (Vec<u8>, usize) {
        let mut stream = Stream::new(Redactor::default());
        let (mut out, mut buffer) = (Vec::new(), 0);
        stream.push(beginning.as_bytes(), &mut out);
        let piece = piece.repeat(100_000 / piece.len());
        for _ in 0..64 * 1024 * 1024 / piece.len() {
            stream.push(piece.as_bytes(), &mut out);
            buffer = buffer.max(stream.buffer.capacity());
        }
        stream.finish(&mut out);
        (out, buffer)
    }

    #[test]
    fn a_line_that_never_ends_takes_no_more_memory_than_two_windows() {
        for (beginning, piece) in [("", "all is well "), ("", "A"), ("", "a.b-c+"), ("", "\u{fffd}\\")] {
            let (out, buffer) = flood(beginning, piece);
            assert!(out.len() > 60 * 1024 * 1024, "{piece}");
            assert!(buffer <= 2 * (WINDOW + LONGEST_OPENER), "{piece}: {buffer}");
        }
    }

    #[test]
    fn a_secret_that_never_ends_is_masked_wholly_and_not_kept() {
        for (beginning, piece) in [
            ("access_token=", "A"),
            ("sk-ant-", "A1"),
            ("{\"password\":\"", "\\\""),
            ("Authorization: Bearer ", "x.y"),
            ("Cookie: a=", "b; "),
            ("-----BEGIN PRIVATE KEY-----\n", "MIIE\n"),
        ] {
            let (out, buffer) = flood(beginning, piece);
            let out = String::from_utf8(out).unwrap();
            assert!(out.ends_with(MASK) && out.len() < 50, "{out:.100}");
            assert!(buffer <= 2 * (WINDOW + LONGEST_OPENER), "{beginning}: {buffer}");
        }
    }
}
