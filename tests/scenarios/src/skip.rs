//! Saying what could not be shown here, and why.

use std::io::Write as _;

/// Says on stderr that the scenario `name` was skipped for `reason`, past the runner that hides the output of what
/// passes.
pub fn say_skipped(name: &str, reason: &str) {
    // Where nobody can be told, nobody asks.
    let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {reason}");
}
