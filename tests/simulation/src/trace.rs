//! What a run did, line by line. Tokens appear by their numbers alone.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::happening::{Counts, Happening};
use crate::invariant::Invariant;

/// One line.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Line {
    /// Milliseconds since the run began.
    pub(crate) at: u64,
    pub(crate) process: Option<usize>,
    pub(crate) account: Option<usize>,
    pub(crate) what: &'static str,
    pub(crate) token: Option<u32>,
    pub(crate) result: &'static str,
}

/// The first broken invariant of a run.
#[derive(Clone, Debug)]
pub struct Breach {
    /// Which one.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
    /// How many lines of the trace had been written.
    lines: usize,
}

/// The lines of a run, and what they come to.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: Vec<Line>,
    hash: DefaultHasher,
    pub(crate) counts: Counts,
    pub(crate) breach: Option<Breach>,
}

impl Trace {
    pub(crate) fn write(&mut self, line: Line) {
        line.hash(&mut self.hash);
        self.lines.push(line);
    }

    pub(crate) fn count(&mut self, happening: Happening) {
        self.counts.count(happening);
    }

    /// Notes a breach; the first one is what matters.
    pub(crate) fn breach(&mut self, invariant: Invariant, what: String) {
        let lines = self.lines.len();
        self.breach.get_or_insert(Breach { invariant, what, lines });
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Two runs of one seed have the same digest, or something else than the seed had a say in one of them.
    pub(crate) fn digest(&self) -> u64 {
        self.hash.finish()
    }

    /// The last `count` lines before the breach, or before the end.
    pub(crate) fn last(&self, count: usize) -> Vec<String> {
        let end = self.breach.as_ref().map_or(self.lines.len(), |breach| breach.lines);
        self.lines[end.saturating_sub(count)..end].iter().map(Line::to_string).collect()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10}.{:03}", self.at / 1000, self.at % 1000)?;
        match self.process {
            Some(process) => write!(f, "  p{process:<3}")?,
            None => write!(f, "      ")?,
        }
        match self.account {
            Some(account) => write!(f, " a{account} ")?,
            None => write!(f, "    ")?,
        }
        write!(f, "{}", self.what)?;
        if let Some(token) = self.token {
            write!(f, " #{token}")?;
        }
        match self.result {
            "" => Ok(()),
            result => write!(f, ": {result}"),
        }
    }
}
