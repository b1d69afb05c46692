//! The event log.

use std::collections::VecDeque;

use crate::clock::Timestamp;
use crate::store::event::{EventCursor, NewEvent, Numbered};

/// The newest events, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Log {
    newest: i64,
    events: VecDeque<Numbered>,
}

impl Log {
    /// Adds what happened at `at`.
    pub(super) fn write(&mut self, events: impl IntoIterator<Item = NewEvent>, at: Timestamp) {
        for event in events {
            self.newest += 1;
            self.events.push_back((self.newest, Some(event.at(at))));
        }
        let oldest = self.newest - EventCursor::REACH;
        while self.events.front().is_some_and(|(number, _)| *number <= oldest) {
            self.events.pop_front();
        }
    }

    /// The number of the newest event; 0 where there has been none.
    pub(super) fn newest(&self) -> i64 {
        self.newest
    }

    /// The events above the number `last`.
    pub(super) fn above(&self, last: i64) -> Vec<Numbered> {
        let first = self.events.partition_point(|(number, _)| *number <= last);
        self.events.range(first..).cloned().collect()
    }
}
