//! What the vault's methods take and answer.

use std::fmt;
use std::time::Duration;

use super::Entry;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::{ChangeMark, Revocation};

/// Who logged in, as far as it is known. `Debug` shows nothing of it.
#[derive(Clone, Default)]
pub struct Identity {
    /// The account's name at the provider.
    pub login: Option<String>,
    /// The account's unchanging id at the provider.
    pub id: Option<String>,
    /// The resource server that the configuration named.
    pub base_url: Option<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(elided)")
    }
}

/// What [`Vault::claim`](super::Vault::claim) found; see [`ClaimOutcome`](crate::store::ClaimOutcome).
#[derive(Clone, Debug)]
pub enum Claimed {
    /// The claim is the caller's, and `entry` was read under it.
    Claimed {
        /// The connection.
        entry: Box<Entry>,
        /// Whether the same token was presented before, with an unknown outcome.
        orphaned: bool,
        /// The mark of what others do, of the moment in which it was claimed.
        others: Option<ChangeMark>,
    },
    /// Nothing is stored for the account.
    Gone,
    /// Somebody else holds it.
    Held {
        /// How long its lease still runs.
        remaining: Duration,
    },
    /// The connection or its refresh token is another than the caller thought; nothing was claimed.
    Moved(Box<Entry>),
}

/// What became of a [`Vault::commit`](super::Vault::commit); see [`CommitOutcome`](crate::store::CommitOutcome).
#[derive(Clone, Debug)]
pub enum Committed {
    /// It is stored.
    Committed,
    /// The account was disconnected meanwhile. The new tokens must be revoked.
    Disconnected,
    /// A newer login or another's answer is there. The new tokens must be dropped, and not revoked, even where what is
    /// there cannot be unsealed.
    Superseded(Result<Box<Entry>>),
}

/// What [`Vault::disconnect`](super::Vault::disconnect) deleted.
#[derive(Clone, Debug)]
pub enum Disconnected {
    /// This.
    Deleted {
        /// The connection.
        entry: Box<Entry>,
        /// Its revocation, if one waits.
        revocation: Option<Box<Revocation>>,
    },
    /// A record that could not be unsealed any more, so that its tokens cannot be revoked.
    DeletedUnreadable {
        /// Until when its revocation waits for a process that can unseal it.
        waits: Option<Timestamp>,
        /// Whether its revocation was given up, because nobody can unseal it.
        is_given_up: bool,
    },
    /// Nothing was stored.
    Nothing,
}
