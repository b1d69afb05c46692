//! Every draw of a run comes from its seed.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A sequence of draws that a seed determines.
#[derive(Debug)]
pub(crate) struct Dice(Mutex<fastrand::Rng>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// Dice of their own, so that what is drawn from one does not shift the draws from the other.
    pub(crate) fn fork(&self) -> Self {
        Self::new(self.draw(|rng| rng.u64(..)))
    }

    /// Whether something of this probability happens. What cannot happen draws nothing.
    pub(crate) fn chance(&self, probability: f64) -> bool {
        probability > 0.0 && self.draw(|rng| rng.f64() < probability)
    }

    pub(crate) fn number(&self, range: RangeInclusive<u64>) -> u64 {
        self.draw(|rng| rng.u64(range))
    }

    pub(crate) fn index(&self, length: usize) -> usize {
        self.draw(|rng| rng.usize(..length))
    }

    pub(crate) fn choose<T: Copy>(&self, among: &[T]) -> T {
        among[self.index(among.len())]
    }

    pub(crate) fn millis(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    /// A probability of at most `most`; nothing at all in all but `share` of the runs, so that every run has a few
    /// troubles of its own and not all of them.
    pub(crate) fn rate(&self, share: f64, most: f64) -> f64 {
        if self.chance(share) { self.draw(fastrand::Rng::f64) * most } else { 0.0 }
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.draw(|rng| rng.fill(bytes));
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
