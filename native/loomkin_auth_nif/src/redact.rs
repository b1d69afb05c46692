//! Masking of secrets in texts that others print.

use std::io::Write as _;

use loomkin_auth::redact::{RedactingWriter, Redactor};
use once_cell::sync::Lazy;
use rustler::{Binary, Env, NewBinary};

/// Masks a short text, on the scheduler of its caller.
#[rustler::nif]
fn redact<'a>(env: Env<'a>, text: Binary<'a>) -> Binary<'a> {
    masked(env, text)
}

/// Masks a text of any length.
#[rustler::nif(schedule = "DirtyCpu")]
fn redact_long<'a>(env: Env<'a>, text: Binary<'a>) -> Binary<'a> {
    masked(env, text)
}

/// What is not UTF-8 passes through, and what stands beside it is masked.
fn masked<'a>(env: Env<'a>, text: Binary<'a>) -> Binary<'a> {
    let mut clean = Vec::with_capacity(text.len());
    let mut writer = RedactingWriter::new(REDACTOR.clone(), &mut clean);
    // A `Vec` takes everything.
    let _ = writer.write_all(&text).and_then(|()| writer.finish());
    drop(writer);
    if clean == *text { text } else { NewBinary::from_slice(env, &clean).into() }
}

static REDACTOR: Lazy<Redactor> = Lazy::new(Redactor::default);
