//! Masking of secrets in texts that others print.

use loomkin_auth::redact::Redactor;
use once_cell::sync::Lazy;
use rustler::{Encoder as _, Env, Term};

/// Masks a short text, on the scheduler of its caller.
#[rustler::nif]
fn redact<'a>(env: Env<'a>, text: &str) -> Term<'a> {
    REDACTOR.redact(text).encode(env)
}

/// Masks a text of any length.
#[rustler::nif(schedule = "DirtyCpu")]
fn redact_long<'a>(env: Env<'a>, text: &str) -> Term<'a> {
    REDACTOR.redact(text).encode(env)
}

static REDACTOR: Lazy<Redactor> = Lazy::new(Redactor::default);
