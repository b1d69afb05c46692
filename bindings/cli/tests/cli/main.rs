//! The command as a person or a program meets it, as far as no authorization server is needed.

mod arguments;
mod configuration;
mod errors;
mod home;
mod store;
