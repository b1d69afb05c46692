//! Static credentials: what a person was given once, and what nobody refreshes.

use std::fmt;

use async_trait::async_trait;

use super::{ResealOutcome, SealedTokens};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;

/// The part of a [`TokenStore`](super::TokenStore) that keeps static credentials: at most one of each kind for an account.
///
/// They live beside the account's connection, and neither changes the other. Whether a credential is stored or removed
/// is told by the change mark; an event is written only where the owner's active account changes with it. Like tokens,
/// they are taken under the newest key alone.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// Those of `owner`, sorted by provider, account and kind.
    async fn credentials(&self, owner: &Owner) -> Result<Vec<SealedCredential>>;

    /// Stores `credential`. One that is there already stays, unless it is to be replaced; then its `created_at` stays.
    async fn store_credential(
        &self,
        credential: SealedCredential,
        replace: Replace,
    ) -> Result<CredentialOutcome>;

    /// Deletes it, and says whether it was there. Where nothing else is kept for the account, and it was its owner's
    /// active one, none is active then.
    async fn remove_credential(&self, account: &AccountKey, kind: StaticKind) -> Result<bool>;

    /// Of those of all owners that do not name the newest key, sorted by account and kind, the first behind `after`.
    async fn old_credential(
        &self,
        after: Option<(&AccountKey, StaticKind)>,
    ) -> Result<Option<SealedCredential>>;

    /// Puts `new` into the place of what `old` sealed, if that is still there, and changes nothing else.
    async fn reseal_credential(&self, old: &SealedCredential, new: SealedTokens) -> Result<ResealOutcome>;
}

/// The kinds of static credential, in the order in which they are looked for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum StaticKind {
    /// An API key.
    ApiKey,
    /// A bearer token (RFC 6750) that came from somewhere else, such as a continuous integration service.
    AuthToken,
}

impl StaticKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ApiKey, Self::AuthToken];

    /// The name that the configuration and every language use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::AuthToken => "auth_token",
        }
    }

    /// How a sentence names it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::AuthToken => "auth token",
        }
    }

    /// What names it behind `loomkin-auth key set ACCOUNT`, with a space before it.
    pub const fn option(self) -> &'static str {
        match self {
            Self::ApiKey => "",
            Self::AuthToken => " --token",
        }
    }

    /// Reads what backends keep; `None` for a kind that a later version made up.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for StaticKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether what is there may be overwritten.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Replace {
    /// What is there stays.
    #[default]
    No,
    /// What is there goes.
    Yes,
}

/// A static credential as the store has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedCredential {
    /// Whose it is.
    pub account: AccountKey,
    /// What it is.
    pub kind: StaticKind,
    /// The secret, sealed.
    pub sealed: SealedTokens,
    /// When the account got its first one of this kind.
    pub created_at: Timestamp,
    /// When this one was stored. It is associated data of the seal.
    pub updated_at: Timestamp,
}

/// What became of a credential that was to be stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialOutcome {
    /// There was none, and now there is one.
    Stored,
    /// It is in the place of another.
    Replaced,
    /// There is one already, stored at this moment. Nothing was written.
    Kept(Timestamp),
    /// It is sealed under another key than the store's newest. Nothing was written: seal it anew.
    Retired,
}
