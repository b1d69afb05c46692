//! What a store keeps for one account.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Claim, Failure, FailureKind, Revocation, RevocationTerms};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// The identity of one login's outcome: random, never reused, not changed by a refresh.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ConnectionId(pub [u8; 16]);

/// The identity of a tombstone: random, never reused. It tells one disconnect of an account from the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TombstoneId(pub [u8; 16]);

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

/// Tokens and the binding of their connection, or a login that waits, sealed. Self-describing: it begins with a format version and a key id.
#[derive(Clone, Eq, PartialEq)]
pub struct SealedTokens(pub Vec<u8>);

impl SealedTokens {
    /// The id of the key that they name; `None` when they are too short to name one.
    pub fn key_id(&self) -> Option<[u8; 8]> {
        self.0.get(1..9)?.try_into().ok()
    }
}

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
    /// The account's latest disconnect when the login was begun, where it was begun before: another one closes it.
    pub begun_after: Option<LatestDisconnect>,
}

/// What became of a login that was to be stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConnectOutcome {
    /// It is stored.
    Connected,
    /// The account was disconnected after the login had begun. Nothing is stored, and the new tokens must be revoked.
    Disconnected,
    /// It is sealed under another key than the store's newest. Nothing was written: seal it anew.
    Retired,
}

/// The tombstone of an account; `None` where it is connected or never was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LatestDisconnect(pub Option<TombstoneId>);

/// What a disconnect leaves behind.
#[derive(Clone, Copy, Debug)]
pub struct Disconnect {
    /// The new tombstone's id.
    pub tombstone: TombstoneId,
    /// How the revocation waits; `None` where the grant is to live on at the server.
    pub revocation: Option<RevocationTerms>,
}

/// What a disconnect deleted.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// The connection as it was.
    pub record: Record,
    /// Its revocation, if one waits.
    pub revocation: Option<Revocation>,
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
    /// How often this connection has been refreshed. Claims, failures and back-off leave it alone.
    pub revision: u32,
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
            revision: 0,
        }
    }

    /// The record without its sealed bytes, for whoever has what was in them.
    pub(super) fn unsealed(mut self) -> Self {
        self.sealed = SealedTokens(Vec::new());
        self
    }
}

/// A connection whose access token will end, as far as it takes to plan its renewal; see
/// [`TokenStore::expiring`](super::TokenStore::expiring).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expiring {
    /// Whose it is.
    pub account: AccountKey,
    /// Which login it came from.
    pub connection: ConnectionId,
    /// How often it has been refreshed.
    pub revision: u32,
    /// When the request for its tokens was sent.
    pub issued_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// How the latest refresh failed, if it presented the present refresh token. Never a permanent failure.
    pub failure: Option<Failure>,
}

impl Expiring {
    /// What `record` is on that list; `None` when nothing can be renewed there, or nothing need ever be.
    pub fn of(record: &Record) -> Option<Self> {
        let presented = record.refresh_digest?;
        let failure = record.failure.filter(|failure| failure.presented == presented);
        if failure.is_some_and(|failure| matches!(failure.kind, FailureKind::Permanent(_))) {
            return None;
        }
        Some(Self {
            account: record.account.clone(),
            connection: record.connection,
            revision: record.revision,
            issued_at: record.columns.issued_at,
            expires_at: record.columns.expires_at?,
            failure,
        })
    }

    /// Its place on the list.
    pub fn place(&self) -> (Timestamp, &AccountKey) {
        (self.expires_at, &self.account)
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
