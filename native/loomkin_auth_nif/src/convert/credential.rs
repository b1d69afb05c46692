//! Which credential is used, and what became of one that was to be kept.

use loomkin_auth::credential::Resolution;
use loomkin_auth::store::vault::KeyOutcome;
use rustler::{Encoder, Env, NifStruct, Term};

use super::word::{Exposed, Word};

/// `:stored`, `:replaced` or `{:kept, moment}`.
#[derive(Debug)]
pub(crate) struct Kept(pub(crate) KeyOutcome);

impl Encoder for Kept {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        match self.0 {
            KeyOutcome::Stored => Word("stored").encode(env),
            KeyOutcome::Replaced => Word("replaced").encode(env),
            KeyOutcome::Kept(since) => (Word("kept"), since.unix_millis()).encode(env),
        }
    }
}

/// A [`Resolution`] as `LoomkinAuth.Resolution`, whose `secret` is bare until Elixir wraps it.
#[derive(NifStruct)]
#[module = "LoomkinAuth.Resolution"]
#[rustler(encode)]
pub(crate) struct Resolved {
    tier: Option<String>,
    provider: String,
    account: String,
    auth_mode: Word,
    kind: Word,
    place: Word,
    source: String,
    passed_over: Vec<String>,
    limits: Vec<&'static str>,
    secret: Option<Exposed>,
}

impl From<Resolution> for Resolved {
    fn from(resolution: Resolution) -> Self {
        let secret = resolution.secret().cloned().map(Exposed);
        Self {
            tier: resolution.tier,
            provider: resolution.account.provider.to_string(),
            account: resolution.account.to_string(),
            auth_mode: Word(resolution.auth_mode.value.as_str()),
            kind: Word(resolution.kind.as_str()),
            place: Word(resolution.source.place()),
            source: resolution.source.to_string(),
            passed_over: resolution.passed_over.iter().map(ToString::to_string).collect(),
            limits: resolution.limits.to_vec(),
            secret,
        }
    }
}
