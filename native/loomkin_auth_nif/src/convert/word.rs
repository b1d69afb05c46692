//! Names and moments.

use loomkin_auth::clock::Timestamp;
use loomkin_auth::secret::Secret;
use rustler::types::atom::Atom;
use rustler::{Encoder, Env, Term};

/// A name out of one of the core's fixed lists, as an atom. What comes from outside never becomes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word(pub(crate) &'static str);

impl Encoder for Word {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        match Atom::from_str(env, self.0) {
            Ok(atom) => atom.encode(env),
            // The BEAM has no atom longer than 255 characters, and no name is.
            Err(_) => self.0.encode(env),
        }
    }
}

/// A secret on its way to Elixir, which puts it into a `LoomkinAuth.Secret` at once.
#[derive(Clone, Debug)]
pub(crate) struct Exposed(pub(crate) Secret);

impl Encoder for Exposed {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        // The app that asked for it needs it.
        self.0.expose().encode(env)
    }
}

pub(crate) fn millis(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::unix_millis)
}
