//! The real command as processes of its own, against a server in this process.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod bad_luck;
mod choice;
mod credentials;
mod device;
mod disconnects;
mod doctor;
mod events;
mod hosted;
mod import;
mod interrupted;
mod keys;
mod killed;
mod kills;
mod life;
mod messages;
mod races;
mod rotation;
mod scopes;
mod stopped;
mod stores;
mod terminal;
