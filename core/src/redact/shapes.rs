//! What a secret looks like: where it begins, and how it goes on.
//!
//! All openers are one automaton over bytes, and the leftmost match counts; of those that begin at one place, the first in
//! the table. So what is ordinary although it looks like a secret has a row of its own before it, with [`Rest::Nothing`].
//! No opener reaches beyond the end of a line.

mod address;
mod edge;
mod field;
mod header;
mod key;

use once_cell::sync::Lazy;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::rest::Rest;
use edge::{colour, escape};

/// Every shape, compiled when the first text comes.
pub(super) static SHAPES: Lazy<Shapes> = Lazy::new(|| Shapes::compile(table()));

fn table() -> Vec<Shape> {
    [header::shapes(), key::shapes(), address::shapes(), field::shapes()].concat()
}

/// One row of the table.
#[derive(Clone, Debug)]
struct Shape {
    /// A regular expression; it says what has to be there before it is certain that a secret is.
    opener: String,
    kept: Kept,
    rest: Rest,
}

/// What of an opener is no part of the secret.
#[derive(Clone, Copy, Debug)]
enum Kept {
    All,
    /// All but the last bytes, so many: they were needed to tell, and something else may begin with them.
    AllBut(usize),
    /// What is no part of a key although no boundary is behind it.
    Escape,
    /// All up to the last of these bytes and the colours behind it: there the secret begins, which was needed to tell.
    Through(&'static [u8]),
    /// All up to the first `=`: more is behind the secret.
    ThroughEquals,
}

#[derive(Debug)]
pub(super) struct Shapes {
    openers: Regex,
    /// What [`Kept::Escape`] keeps.
    escape: Regex,
    /// What [`Kept::Through`] keeps behind its bytes.
    colours: Regex,
    table: Vec<Shape>,
}

/// An opener in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the secret begins, or what is ordinary ends.
    pub(super) kept: usize,
    pub(super) rest: Rest,
}

impl Shapes {
    #[expect(clippy::expect_used, reason = "the table is a constant, and every test of it compiles it")]
    fn compile(table: Vec<Shape>) -> Self {
        let regex = |patterns: &[&str]| {
            Regex::builder()
                .configure(
                    Config::new()
                        .match_kind(MatchKind::LeftmostFirst)
                        .utf8_empty(false)
                        .hybrid_cache_capacity(MEMORY_OF_AUTOMATON)
                        .nfa_size_limit(None),
                )
                .syntax(bytes())
                .build_many(patterns)
                .expect("every opener is a regular expression")
        };
        let openers = regex(&table.iter().map(|shape| shape.opener.as_str()).collect::<Vec<_>>());
        let escape = regex(&[concat!("(?:", escape!(), "|_)?")]);
        let colours = regex(&[concat!("(?:", colour!(), "){0,3}")]);
        Self { openers, escape, colours, table }
    }

    /// The first opener in the range of `input`.
    pub(super) fn find(&self, input: Input<'_>) -> Option<Found> {
        let text = input.haystack();
        let found = self.openers.find(input)?;
        let shape = &self.table[found.pattern().as_usize()];
        let kept = match shape.kept {
            Kept::All => found.end(),
            Kept::AllBut(bytes) => found.end() - bytes,
            Kept::Escape => end_of(&self.escape, text, found.start()),
            Kept::ThroughEquals => {
                let first = text[found.range()].iter().position(|byte| *byte == b'=');
                found.start() + first.map_or(0, |first| first + 1)
            }
            Kept::Through(delimiters) => {
                let last = text[found.range()].iter().rposition(|byte| delimiters.contains(byte));
                end_of(&self.colours, text, found.start() + last.map_or(0, |last| last + 1))
            }
        };
        Some(Found { start: found.start(), end: found.end(), kept, rest: shape.rest })
    }
}

/// Where what `piece` matches at `start` ends; there if it matches nothing.
fn end_of(piece: &Regex, text: &[u8], start: usize) -> usize {
    piece.find(Input::new(text).range(start..).anchored(Anchored::Yes)).map_or(start, |found| found.end())
}

/// Openers are about bytes: `.` and `\b` know no other characters than ASCII.
fn bytes() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}

/// `opener` is kept, and `rest` follows.
fn after(opener: impl Into<String>, rest: Rest) -> Shape {
    Shape { opener: opener.into(), kept: Kept::All, rest }
}

/// The secret begins within `opener`, behind the last of `delimiters`.
fn behind(opener: impl Into<String>, delimiters: &'static [u8], rest: Rest) -> Shape {
    Shape { opener: opener.into(), kept: Kept::Through(delimiters), rest }
}

/// The secret begins with `key`, behind whatever is no part of it.
fn from(key: &str, rest: Rest) -> Shape {
    let opener = format!(r"(?:{}|_|\b)(?:{key})", escape!());
    Shape { opener, kept: Kept::Escape, rest }
}

/// The secret is `opener`.
fn whole(opener: impl Into<String>) -> Shape {
    after(opener, Rest::Opener)
}

/// What matches is ordinary.
fn ordinary(text: impl Into<String>) -> Shape {
    after(text, Rest::Nothing)
}

/// What matches is ordinary, where the last `bytes` of it follow.
fn ordinary_before(bytes: usize, text: impl Into<String>) -> Shape {
    Shape { opener: text.into(), kept: Kept::AllBut(bytes), rest: Rest::Nothing }
}

/// The most bytes of an opener. It bounds the text that is held back, and the time: each search for an opener may read so
/// far beyond the one that it finds, in vain.
pub(super) const LONGEST_OPENER: usize = 1024;

/// For the states that the text at hand needs, in bytes; they are made anew when it is full.
const MEMORY_OF_AUTOMATON: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opener_is_bounded() {
        for shape in table() {
            let parsed = syntax::parse_with(&shape.opener, &bytes()).unwrap();
            let longest = parsed.properties().maximum_len();
            assert!(longest.is_some_and(|bytes| bytes <= LONGEST_OPENER), "{longest:?}: {}", shape.opener);
        }
    }
}
