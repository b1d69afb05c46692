//! What a store keeps for one account.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Claim, Failure};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// The identity of one login's outcome: random, never reused, not changed by a refresh.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ConnectionId(pub [u8; 16]);

/// The identity of a store: random, made with it. It names the store's entry in a keychain.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StoreId(pub [u8; 16]);

/// The SHA-256 that stands for a refresh token wherever the token itself must not be: in claims, failures, fences.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct TokenDigest(pub [u8; 32]);

impl TokenDigest {
    /// The digest of `token` in `connection`. Equal tokens of two connections have unequal digests.
    pub fn derive(connection: ConnectionId, token: &Secret) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"loomkin-auth token digest v1\0");
        hash.update(connection.0);
        // The token goes into the hash, and nowhere else.
        hash.update(token.expose());
        Self(hash.finalize().into())
    }
}

/// Tokens and the binding of their connection, sealed. Self-describing: it begins with a format version and a key id.
#[derive(Clone, Eq, PartialEq)]
pub struct SealedTokens(pub Vec<u8>);

/// The plain columns that are written together with the tokens. They are associated data of the seal, so that an
/// edited one is noticed. `Debug` leaves the identifiers out.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Columns {
    /// When the request for these tokens was sent.
    pub issued_at: Timestamp,
    /// When the access token ends; `None` where the server did not say.
    pub expires_at: Option<Timestamp>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// The account's name at the provider.
    pub account_login: Option<String>,
    /// The account's unchanging id at the provider.
    pub account_id: Option<String>,
    /// The resource server that the configuration named.
    pub base_url: Option<String>,
    /// When the login was stored.
    pub created_at: Timestamp,
}

impl Columns {
    /// Columns of tokens asked for at `issued_at` by a login stored at `created_at`, with nothing else known.
    pub fn new(issued_at: Timestamp, created_at: Timestamp) -> Self {
        Self {
            issued_at,
            expires_at: None,
            scopes: Vec::new(),
            account_login: None,
            account_id: None,
            base_url: None,
            created_at,
        }
    }
}

/// A login to store.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Whose it is.
    pub account: AccountKey,
    /// The new connection's id.
    pub connection: ConnectionId,
    /// The plain columns.
    pub columns: Columns,
    /// The sealed tokens.
    pub sealed: SealedTokens,
    /// The digest of the refresh token inside; `None` where the provider gave none.
    pub refresh_digest: Option<TokenDigest>,
}

/// A connection as the store has it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Whose it is.
    pub account: AccountKey,
    /// Which login it came from.
    pub connection: ConnectionId,
    /// The plain columns.
    pub columns: Columns,
    /// The sealed tokens.
    pub sealed: SealedTokens,
    /// The digest of the refresh token inside; `None` where the provider gave none.
    pub refresh_digest: Option<TokenDigest>,
    /// The refresh in flight, or one whose holder died.
    pub claim: Option<Claim>,
    /// How the latest refresh failed, unless one has succeeded since.
    pub failure: Option<Failure>,
    /// When the tokens were last written.
    pub updated_at: Timestamp,
}

impl Record {
    /// The record of a login just stored.
    pub fn from_login(login: NewConnection) -> Self {
        Self {
            updated_at: login.columns.created_at,
            account: login.account,
            connection: login.connection,
            columns: login.columns,
            sealed: login.sealed,
            refresh_digest: login.refresh_digest,
            claim: None,
            failure: None,
        }
    }

    /// The record without its sealed bytes, for whoever has what was in them.
    pub(super) fn unsealed(mut self) -> Self {
        self.sealed = SealedTokens(Vec::new());
        self
    }
}

/// A data key, sealed under the wrapping key of a key source. Safe to write anywhere.
#[derive(Clone, Eq, PartialEq)]
pub struct WrappedKey {
    /// Names the key in every record it seals.
    pub id: [u8; 8],
    /// Where the wrapping key comes from, as the configuration writes it: `keychain`, `file:PATH`, `env:NAME`.
    pub source: String,
    /// The salt of the wrapping key's derivation.
    pub salt: [u8; 32],
    /// The sealed data key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// 32 hexadecimal digits.
impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Columns")
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionId(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

impl fmt::Debug for SealedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedTokens({} bytes)", self.0.len())
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey")
            .field("source", &self.source)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}
