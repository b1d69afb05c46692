//! The right to refresh: who has it, what became of it, and what a failure leaves behind.

use std::fmt;
use std::time::Duration;

use super::{Columns, ConnectionId, Record, SealedTokens, TokenDigest};
use crate::account::AccountKey;
use crate::clock::Timestamp;

/// One attempt to refresh: random, never reused.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct AttemptId(pub [u8; 16]);

/// "This refresh token has been presented, and nobody has acknowledged an answer yet."
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Claim {
    /// Whose it is.
    pub attempt: AttemptId,
    /// The refresh token that is presented.
    pub presented: TokenDigest,
    /// When it ends by the store's clock, whatever became of its holder.
    pub deadline: Timestamp,
}

/// What [`TokenStore::claim`](super::TokenStore::claim) found.
#[derive(Clone, Debug)]
pub enum ClaimOutcome {
    /// The claim is the caller's. `record` was read in the same transaction. `orphaned` says that an earlier holder
    /// died or overran its lease: its request may have been processed, and its answer lost.
    Claimed {
        /// The connection, as it is under the claim.
        record: Box<Record>,
        /// Whether the same token was presented before, with an unknown outcome.
        orphaned: bool,
    },
    /// Nothing is stored for the account.
    Gone,
    /// Somebody else holds it.
    Held {
        /// How long its lease still runs.
        remaining: Duration,
    },
    /// The connection or its refresh token is another than the caller thought; nothing was claimed.
    Moved(Box<Record>),
}

/// What is to be done about a request for the claim. Every backend asks this, inside its transaction.
pub(super) enum Verdict {
    Gone,
    Grant { orphaned: bool },
    Held { remaining: Duration },
    Moved,
}

/// Judges a request for the claim of `record` at `now`. `alive` is asked only about a claim whose lease still runs.
pub(super) fn judge(
    record: Option<&Record>,
    connection: ConnectionId,
    presented: TokenDigest,
    now: Timestamp,
    alive: impl FnOnce() -> bool,
) -> Verdict {
    let Some(record) = record else { return Verdict::Gone };
    if record.connection != connection || record.refresh_digest != Some(presented) {
        return Verdict::Moved;
    }
    match record.claim {
        None => Verdict::Grant { orphaned: false },
        Some(claim) => {
            let remaining = claim.deadline.time_left(now);
            if !remaining.is_zero() && alive() {
                return Verdict::Held { remaining };
            }
            Verdict::Grant { orphaned: claim.presented == presented }
        }
    }
}

/// The answer to a refresh, to be stored.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Whose it is.
    pub account: AccountKey,
    /// The connection that was refreshed.
    pub connection: ConnectionId,
    /// The revision that was read under the claim.
    pub revision: u32,
    /// The new plain columns.
    pub columns: Columns,
    /// The new tokens, sealed.
    pub sealed: SealedTokens,
    /// The digest of the refresh token that is current from now on.
    pub refresh_digest: TokenDigest,
    /// When the answer came.
    pub updated_at: Timestamp,
}

/// What became of a [`Commit`].
#[derive(Clone, Debug)]
pub enum CommitOutcome {
    /// It is stored.
    Committed,
    /// The account was disconnected meanwhile. The new tokens must be revoked.
    Disconnected,
    /// It would be stored, but is sealed under another key than the store's newest. Nothing was written, and the claim
    /// is as it was: seal the same tokens anew, and commit again.
    Retired,
    /// A newer login or another's answer is there. The new tokens must be dropped, and not revoked: some servers
    /// would end the newer grant with them.
    Superseded(Box<Record>),
}

/// How a refresh failed. It concerns exactly the refresh token that was presented.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What is known about the outcome.
    pub kind: FailureKind,
    /// The refresh token it concerns.
    pub presented: TokenDigest,
    /// How many in a row, this one included.
    pub in_a_row: u32,
    /// When it happened.
    pub at: Timestamp,
    /// When the next attempt is allowed; `None` for a permanent failure.
    pub next_attempt_at: Option<Timestamp>,
}

impl Failure {
    /// What is noted at `now` of `record`, where nobody knows what became of its refresh token: a later refusal has another
    /// name then. `None` where it has none.
    pub fn unknown(record: &Record, now: Timestamp) -> Option<Self> {
        let presented = record.refresh_digest?;
        let earlier = record.failure.filter(|failure| failure.presented == presented);
        let in_a_row = earlier.map_or(1, |failure| failure.in_a_row);
        Some(Self { kind: FailureKind::Unknown, presented, in_a_row, at: now, next_attempt_at: Some(now) })
    }
}

/// What a failed refresh means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FailureKind {
    /// Written by a later version, and only that knows what it means. A connection that has it is left alone.
    Later,
    /// The server says that the grant is gone. No attempt is made with this token again.
    Permanent(ReconnectReason),
    /// The request was never sent, or refused unread. It is safe to repeat.
    Refused,
    /// The server may have processed the request and rotated the token. A repeat may end the family.
    Unknown,
}

impl FailureKind {
    /// The form in which backends keep it.
    pub(super) fn to_text(self) -> String {
        match self {
            Self::Later => "later".to_owned(),
            Self::Permanent(reason) => format!("permanent:{}", reason.as_str()),
            Self::Refused => "refused".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }

    /// Reads what [`Self::to_text`] wrote, in this version or another.
    pub(super) fn from_text(text: &str) -> Self {
        match text.split_once(':') {
            None if text == "refused" => Self::Refused,
            None if text == "unknown" => Self::Unknown,
            Some(("permanent", reason)) => {
                ReconnectReason::from_text(reason).map_or(Self::Later, Self::Permanent)
            }
            _ => Self::Later,
        }
    }
}

/// Why only a new login helps.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReconnectReason {
    /// The access token has ended and the provider gave no refresh token.
    Expired,
    /// The answer to an earlier refresh was lost, and the server does not accept the old token again.
    Interrupted,
    /// The server says that the grant is invalid, expired or revoked; it does not say which (RFC 6749 §5.2).
    Revoked,
}

impl ReconnectReason {
    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Interrupted => "interrupted",
            Self::Revoked => "revoked",
        }
    }

    /// Reads a name; `None` for the word of a later version.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        [Self::Expired, Self::Interrupted, Self::Revoked].into_iter().find(|known| known.as_str() == text)
    }

    /// What happened, as part of a sentence.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Expired => "its access token has ended and the provider gave no refresh token",
            Self::Interrupted => "the answer to a refresh was lost and the old token is no longer accepted",
            Self::Revoked => "the provider no longer accepts its refresh token",
        }
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptId(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_failure_reads_back_and_that_of_a_later_version_is_known_as_such() {
        for kind in [
            FailureKind::Permanent(ReconnectReason::Expired),
            FailureKind::Permanent(ReconnectReason::Interrupted),
            FailureKind::Permanent(ReconnectReason::Revoked),
            FailureKind::Refused,
            FailureKind::Unknown,
        ] {
            assert_eq!(FailureKind::from_text(&kind.to_text()), kind);
        }
        for later in ["paused", "permanent:suspended", "refused:politely", ""] {
            assert_eq!(FailureKind::from_text(later), FailureKind::Later, "{later}");
        }
    }
}
