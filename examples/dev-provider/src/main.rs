//! The authorization server as a command.
fn main() {}
