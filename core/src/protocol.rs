//! RFC messages, built and read. Nothing here does I/O.

pub mod message;
pub mod token_set;
