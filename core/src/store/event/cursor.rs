//! A reader's place in an event log.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Event, Numbered};
use crate::clock::Timestamp;

/// A place in an event log, behind the events that have been read.
///
/// A log numbers its events before their transactions end, so that where several write at once a lower number may
/// appear after a higher one. The numbers that are missing are therefore remembered and asked for again. One that
/// belongs to no event, because its transaction was undone, is given up after a minute, which no transaction lasts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventCursor {
    /// The highest number that has been read.
    last: i64,
    /// The missing ones below it that may still come, and when each was first missed.
    gaps: BTreeMap<i64, Timestamp>,
}

impl EventCursor {
    /// How far behind the newest event a place may be; a log keeps at least so many.
    pub const REACH: i64 = 4096;

    /// Behind the event `last`; 0 is before the first.
    pub fn behind(last: i64) -> Self {
        Self { last, gaps: BTreeMap::new() }
    }

    /// Everything above this is to be read.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// And these below it, in ascending order.
    pub fn gaps(&self) -> Vec<i64> {
        self.gaps.keys().copied().collect()
    }

    /// Moves behind what was read of the log at `now`, and returns what is to be told.
    ///
    /// `rows` are the events above [`last`](Self::last) and those of the [`gaps`](Self::gaps), in ascending order;
    /// the event is `None` where this version does not know it. `newest` is the highest number of the log. Where this
    /// place has been cut off since, or the log is an earlier one that was put back, all is [`Event::missed`].
    pub fn advance(&mut self, newest: i64, rows: Vec<Numbered>, now: Timestamp) -> Vec<Event> {
        let is_whole = (self.last..=self.last.saturating_add(Self::REACH)).contains(&newest);
        if !is_whole {
            // Of a log that has gone on, what its writers have not finished is still to come; of one that was put
            // back, the rows were not read.
            let is_behind = newest > self.last;
            *self = Self::behind(if is_behind { newest - Self::REACH } else { newest });
        }
        for (number, _) in &rows {
            if self.gaps.remove(number).is_none() {
                self.gaps.extend((self.last + 1..*number).map(|missing| (missing, now)));
                self.last = self.last.max(*number);
            }
        }
        let oldest = self.last - Self::REACH;
        self.gaps.retain(|number, since| *number > oldest && now < since.plus(GAPS_LAST));
        if is_whole {
            rows.into_iter().filter_map(|(_, event)| event).collect()
        } else {
            vec![Event::missed(now)]
        }
    }
}

const GAPS_LAST: Duration = Duration::from_secs(60);
