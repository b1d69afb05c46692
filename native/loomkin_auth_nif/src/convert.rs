//! What the core says, as Elixir's structs. Moments are milliseconds since 1970; Elixir makes `DateTime` of them.

pub(crate) mod account;
pub(crate) mod credential;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod login;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod word;
