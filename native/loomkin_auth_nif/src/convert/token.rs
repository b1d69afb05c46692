//! Tokens: a tuple, because this is the path that every request of an app takes.

use loomkin_auth::credential::CredentialKind;
use loomkin_auth::lifecycle::AccessToken;
use rustler::{Encoder, Env, Term};

use super::word::{Word, millis};

/// `{account, token, token_type, kind, expires_at, scopes}`.
#[derive(Debug)]
pub(crate) struct Given(pub(crate) AccessToken);

impl Encoder for Given {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        let Self(token) = self;
        let kind = token.static_kind().map_or(CredentialKind::Oauth, CredentialKind::from);
        (
            token.account().to_string(),
            // To hand it out is what this is for.
            token.secret().expose(),
            token.token_type(),
            Word(kind.as_str()),
            millis(token.expires_at()),
            token.scopes(),
        )
            .encode(env)
    }
}
