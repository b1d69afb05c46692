//! Which key a store takes tokens under, and how those under an older one are moved to it.

use super::{ConnectionId, Record, SealedTokens};
use crate::account::AccountKey;

/// Sealed tokens that do not name the store's newest key.
#[derive(Clone, Debug)]
pub struct OldSeal {
    /// Where they are.
    pub position: SealPosition,
    /// The columns beside them. A queued revocation has no claim, no failure and no revision.
    pub record: Record,
}

/// Where sealed tokens are kept, in the order of [`TokenStore::old_seals`](super::TokenStore::old_seals).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SealPosition {
    /// In the connection of this account.
    Connection(AccountKey),
    /// In the queued revocation of this connection, which was disconnected.
    Revocation(ConnectionId),
}

/// The same tokens, sealed once more.
#[derive(Clone, Debug)]
pub struct NewSeal {
    /// Whose they are.
    pub account: AccountKey,
    /// The connection they belong to.
    pub connection: ConnectionId,
    /// What they are to replace. No two seals are equal, so nothing else can be replaced by mistake.
    pub old: SealedTokens,
    /// What replaces it.
    pub new: SealedTokens,
}

/// What became of a batch of [`NewSeal`]s.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResealOutcome {
    /// So many were stored. In place of the others there is something else by now.
    Resealed(u64),
    /// One is sealed under another key than the store's newest. Nothing was written.
    Retired,
}

/// Whether a store whose newest key is `newest` must refuse `sealed`. Every backend asks this, inside its transaction.
///
/// A store without keys takes everything: where its keys were lost, a refusal would lose the tokens as well.
pub(super) fn is_retired(newest: Option<[u8; 8]>, sealed: &SealedTokens) -> bool {
    newest.is_some() && sealed.key_id() != newest
}
