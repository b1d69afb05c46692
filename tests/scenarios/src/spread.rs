//! Starts that are spread at random, by a seed that can be given again.

use std::fmt::Debug;
use std::io::Write as _;
use std::time::Duration;

use loomkin_auth::environment::Environment;
use loomkin_auth::random::{Random, SystemRandom};

/// A sequence of random pauses. When a test fails while it lives, it says its seed.
#[derive(Debug)]
pub struct Spread {
    seed: u64,
    state: u64,
}

impl Spread {
    /// By the seed in `LOOMKIN_SCENARIO_SEED`, or a new one.
    ///
    /// # Panics
    ///
    /// When the variable is no number, or the system gives no randomness.
    pub fn new() -> Self {
        let given = Environment::from_process().variable(VARIABLE).map(|seed| seed.parse().unwrap());
        let random: &dyn Random = &SystemRandom;
        let seed = given.unwrap_or_else(|| u64::from_le_bytes(random.make_bytes().unwrap()));
        Self { seed, state: seed }
    }

    /// The seed, to be told to whoever wants to see the same again.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A sequence of its own for something that runs beside this, by the same seed.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self { seed: self.seed, state: self.next() }
    }

    /// A pause of less than `most`.
    pub fn pause(&mut self, most: Duration) -> Duration {
        most.mul_f64((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    /// One of `choices`.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.next() % u64::try_from(choices.len()).unwrap();
        choices[usize::try_from(index).unwrap()]
    }

    /// What is true once in `count` times.
    pub fn once_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64: spread well enough, and the same everywhere.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Default for Spread {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Spread {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A test that fails already has nowhere better to say it.
            let _ = writeln!(std::io::stderr(), "to see this again: {VARIABLE}={}", self.seed);
        }
    }
}

const VARIABLE: &str = "LOOMKIN_SCENARIO_SEED";
