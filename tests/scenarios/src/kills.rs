//! Processes that are killed without a warning, and what becomes of the accounts they were refreshing.
//!
//! An account may be lost to a kill in one case alone: the server had spent the refresh token for the killed process, and
//! its answer was in nobody else's hands. That is proved, not supposed: the store still holds a token that the server
//! says is spent, and the log of a process that was killed says that it presented exactly this one.

mod inspector;
mod moment;
mod stage;
mod storm;
mod tally;
mod trail;

use loomkin_auth::environment::Environment;

pub use moment::{Moment, Victim, kill_at};
pub use stage::Stage;
pub use storm::storm;
pub use tally::Tally;

/// How many kills a scenario makes that makes `percent` of all of them. How many those are is said by the variable
/// `LOOMKIN_KILLS`; without it they are as many as a test run has time for.
///
/// # Panics
///
/// When the variable is no number.
pub fn kills(percent: usize) -> usize {
    let all = Environment::from_process().variable("LOOMKIN_KILLS").map_or(USUAL, |all| all.parse().unwrap());
    all * percent / 100
}

const USUAL: usize = 120;
