//! Errors: one struct, the same codes in every language.

use loomkin_auth::error::Error;
use rustler::{Encoder, Env, NifException, Term};

use super::word::Word;

/// An [`Error`] on its way to Elixir, where it is a `LoomkinAuth.Error`.
#[derive(Debug)]
pub(crate) struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl Encoder for Failure {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        Exception::from(&self.0).encode(env)
    }
}

#[derive(NifException)]
#[module = "LoomkinAuth.Error"]
#[rustler(encode)]
struct Exception {
    code: Word,
    message: String,
    advice: String,
    details: Vec<String>,
    provider: Option<String>,
    account: Option<String>,
    /// In milliseconds.
    retry_after: Option<u64>,
    http_status: u16,
}

impl From<&Error> for Exception {
    fn from(error: &Error) -> Self {
        Self {
            code: Word(error.code().as_str()),
            message: error.message().to_owned(),
            advice: error.advice().to_owned(),
            details: error.details().to_vec(),
            provider: error.provider().map(ToString::to_string),
            account: error.account().map(ToString::to_string),
            retry_after: error.retry_after().map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            http_status: error.code().http_status(),
        }
    }
}
