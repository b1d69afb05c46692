//! Which credential a tier or a provider uses, where it comes from, and why.
//!
//! [`resolve`] is a pure function of the [configuration](crate::config::Config), of a few
//! [facts of the environment](EnvironmentFacts) and of what the store [holds](Holdings). It goes along one chain:
//!
//! | | kind | place |
//! | --- | --- | --- |
//! | 1 | API key | configuration: `api_key` of `[auth.<provider>]`, `auth_key` of `[provider.endpoints.<provider>]` |
//! | 2 | API key | environment: the variable that `api_key_env` or `auth_key_env` names, else the preset's |
//! | 3 | API key | store |
//! | 4 | auth token | configuration: `auth_token` |
//! | 5 | auth token | environment: the variable that `auth_token_env` names, else the preset's |
//! | 6 | auth token | store |
//! | 7 | OAuth | store: the connection |
//!
//! `auth_mode = "api_key"` looks at 1 to 3, `"oauth"` at 4 to 7, `"auto"` at all of them. The first that is there is the
//! answer. One that is there and cannot be used is an error: whoever put it there meant it. A local provider that nobody
//! gave a key needs none.
//!
//! Configuration and environment speak of the provider's unnamed account; every other account has what is stored for it.

mod candidate;
mod facts;
mod held;
mod refusal;
mod resolve;
mod target;
mod way;

use std::fmt;

pub(crate) use candidate::{THE_STORE, has_oauth};
pub use candidate::{VariableUse, variables_in_use};
pub use facts::EnvironmentFacts;
pub use held::{Holdings, base_url, recognise};
pub(crate) use refusal::reconnect;
pub use resolve::{Present, present, resolve};
pub use target::Target;
pub use way::{Way, ways};

use crate::account::AccountKey;
use crate::config::{AuthMode, Origin, Sourced};
use crate::secret::Secret;
use crate::store::StaticKind;

/// The kinds of credential.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum CredentialKind {
    /// An API key.
    ApiKey,
    /// A bearer token that nobody refreshes.
    AuthToken,
    /// None: a local provider that nobody gave a key.
    None,
    /// The access token of a connection.
    Oauth,
}

impl CredentialKind {
    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => StaticKind::ApiKey.as_str(),
            Self::AuthToken => StaticKind::AuthToken.as_str(),
            Self::None => "none",
            Self::Oauth => "oauth",
        }
    }

    /// How a sentence names it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::ApiKey => StaticKind::ApiKey.noun(),
            Self::AuthToken => StaticKind::AuthToken.noun(),
            Self::None => "no credential",
            Self::Oauth => "OAuth connection",
        }
    }
}

impl From<StaticKind> for CredentialKind {
    fn from(kind: StaticKind) -> Self {
        match kind {
            StaticKind::ApiKey => Self::ApiKey,
            StaticKind::AuthToken => Self::AuthToken,
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a credential comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// The configuration file.
    Config(Origin),
    /// This environment variable.
    Environment(String),
    /// Nowhere: none is needed.
    Nowhere,
    /// The sealed store.
    Store,
}

impl Source {
    /// The place as one word, which every language uses.
    pub const fn place(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Environment(_) => "environment",
            Self::Nowhere => "nowhere",
            Self::Store => "store",
        }
    }
}

/// `.loomkin.toml:12`, `variable OPENAI_API_KEY`, `store` or `nowhere`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(origin) => origin.fmt(f),
            Self::Environment(name) => write!(f, "variable {name}"),
            Self::Nowhere | Self::Store => f.write_str(self.place()),
        }
    }
}

/// The answer: one credential. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Resolution {
    /// The tier that was asked for; `None` where a provider was.
    pub tier: Option<String>,
    /// Whose credential it is.
    pub account: AccountKey,
    /// Which kinds were to be looked for, and who said so.
    pub auth_mode: Sourced<AuthMode>,
    /// Its kind.
    pub kind: CredentialKind,
    /// Where it comes from.
    pub source: Source,
    /// What was looked at and is not the answer, in the order of the chain.
    pub passed_over: Vec<PassedOver>,
    /// What is to be known of this provider's credentials, in whole sentences.
    pub limits: &'static [&'static str],
    secret: Option<Secret>,
}

impl Resolution {
    /// The API key or the auth token. `None` for a connection, whose token `Auth::access_token` has, and where none is
    /// needed.
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }
}

/// A place that was looked at and did not give the answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PassedOver {
    /// The kind of credential that it would have given.
    pub kind: CredentialKind,
    /// The place, as part of a sentence: `OPENAI_API_KEY`, `the store`.
    pub place: String,
    /// Why it is not the answer, as part of a sentence.
    pub reason: String,
}

/// `API key in OPENAI_API_KEY: not set`.
impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {}", self.kind.noun(), self.place, self.reason)
    }
}
