//! What callers are given.

use std::fmt;
use std::sync::Arc;

use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::store::StaticKind;
use crate::store::vault::Entry;

/// An access token and what goes with it, or the stored key of an account that has nothing else. Cheap to clone; its
/// `Debug` shows no token.
#[derive(Clone)]
pub struct AccessToken(Held);

#[derive(Clone)]
enum Held {
    Connection(Arc<Entry>),
    Static(Arc<Static>),
}

struct Static {
    account: AccountKey,
    kind: StaticKind,
    secret: Secret,
}

impl AccessToken {
    pub(super) fn of_connection(entry: Arc<Entry>) -> Self {
        Self(Held::Connection(entry))
    }

    pub(crate) fn of_static(account: AccountKey, kind: StaticKind, secret: Secret) -> Self {
        Self(Held::Static(Arc::new(Static { account, kind, secret })))
    }

    /// The token itself.
    pub fn secret(&self) -> &Secret {
        match &self.0 {
            Held::Connection(entry) => &entry.tokens.access_token,
            Held::Static(held) => &held.secret,
        }
    }

    /// What it is where it is no connection's: nobody refreshes it, and an API key may want a header of its own.
    pub fn static_kind(&self) -> Option<StaticKind> {
        match &self.0 {
            Held::Connection(_) => None,
            Held::Static(held) => Some(held.kind),
        }
    }

    /// `Bearer`, unless the server said otherwise (RFC 6749 §7.1).
    pub fn token_type(&self) -> &str {
        match &self.0 {
            Held::Connection(entry) => &entry.tokens.token_type,
            Held::Static(_) => "Bearer",
        }
    }

    /// When it ends; `None` means that it is good until a resource server says no.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match &self.0 {
            Held::Connection(entry) => entry.record.columns.expires_at,
            Held::Static(_) => None,
        }
    }

    /// The granted scopes.
    pub fn scopes(&self) -> &[String] {
        match &self.0 {
            Held::Connection(entry) => &entry.record.columns.scopes,
            Held::Static(_) => &[],
        }
    }

    /// Whose token it is.
    pub fn account(&self) -> &AccountKey {
        match &self.0 {
            Held::Connection(entry) => &entry.record.account,
            Held::Static(held) => &held.account,
        }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("account", &self.account().to_string())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}
