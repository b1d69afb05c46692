//! The command as a person or a program meets it, as far as no authorization server is needed.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what helps a test fails by panicking, too")]

mod arguments;
mod completion;
mod configuration;
mod connect;
#[cfg(target_os = "linux")]
mod core_files;
mod errors;
mod help;
mod home;
mod redact;
mod store;
