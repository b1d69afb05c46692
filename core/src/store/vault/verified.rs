//! When the store's change mark was last verified.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Timestamp;

/// Says once in [`EVERY`] that it is time again.
#[derive(Debug)]
pub(super) struct Verified(AtomicI64);

impl Default for Verified {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Verified {
    /// Whether the caller is the one who verifies now. A clock that has been put back is a reason as well.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let (last, now) = (self.0.load(Ordering::Relaxed), now.unix_millis());
        !is_recent(last, now)
            && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether nobody has to verify now.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        is_recent(self.0.load(Ordering::Relaxed), now.unix_millis())
    }

    /// Lets the next caller verify again: what failed for one must not pass for another.
    pub(super) fn forget(&self) {
        self.0.store(i64::MIN, Ordering::Relaxed);
    }
}

fn is_recent(last: i64, now: i64) -> bool {
    (0..EVERY).contains(&now.saturating_sub(last))
}

/// In milliseconds.
const EVERY: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_a_second_verifies_and_one_whose_clock_was_put_back() {
        let verified = Verified::default();
        let due = |millis| verified.is_due(Timestamp::from_unix_millis(millis));
        assert_eq!(
            [due(5000), due(5000), due(5999), due(6000), due(6001)],
            [true, false, false, true, false]
        );
        assert_eq!([due(100), due(101)], [true, false]);
        verified.forget();
        assert_eq!([due(102), due(103)], [true, false]);
    }
}
