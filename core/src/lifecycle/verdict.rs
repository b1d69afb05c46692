//! Whether a refresh is needed, and whether one may be asked for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::expiry::Freshness;
use super::{Lifecycle, expiry};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;
use crate::store::vault::Entry;
use crate::store::{FailureKind, ReconnectReason, TokenDigest};

/// Why a token is to be renewed.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// It will end soon. It still works, so that nothing is risked for it.
    Ahead,
    /// It is of no use to a caller any more.
    Needed,
    /// A resource server said no to this one.
    Rejected(Secret),
}

/// Refresh tokens for which the server refused our registration, with the refusal and until when it is believed.
///
/// The configuration of a process does not change, so asking again soon could only make matters worse; but a server may
/// be wrong for a while. Another process, with a corrected configuration, asks for itself.
pub(super) type RejectedRegistrations = Mutex<HashMap<AccountKey, RejectedRegistration>>;

#[derive(Clone, Debug)]
pub(super) struct RejectedRegistration {
    pub(super) presented: TokenDigest,
    pub(super) error: Error,
    pub(super) until: Timestamp,
}

impl Lifecycle {
    /// Whether `entry` settles the matter without a request: it is as good as a new one, or no request may be made.
    pub(super) fn verdict(&self, purpose: &Purpose, entry: &Entry) -> Option<Result<()>> {
        let (columns, now) = (&entry.record.columns, self.clock.now());
        let account = &entry.record.account;
        let freshness = self.margins.freshness(columns, now);
        let (rejected, will_do) = match purpose {
            Purpose::Ahead => (false, freshness == Freshness::Fresh),
            Purpose::Needed => (false, freshness != Freshness::Invalid),
            Purpose::Rejected(token) => {
                let rejected = token.matches(&entry.tokens.access_token);
                (rejected, !rejected && freshness != Freshness::Invalid)
            }
        };
        if will_do {
            return Some(Ok(()));
        }
        let Some(digest) = entry.record.refresh_digest else {
            let good = !rejected && expiry::is_good(columns, now);
            return Some(if good {
                Ok(())
            } else {
                Err(reconnect_required(account, ReconnectReason::Expired))
            });
        };
        let registrations = self.rejected_registrations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rejected) = registrations.get(account)
            && rejected.presented == digest
            && now < rejected.until
        {
            return Some(Err(rejected.error.clone()));
        }
        let failure = entry.record.failure.filter(|failure| failure.presented == digest)?;
        match (failure.kind, failure.next_attempt_at) {
            (FailureKind::Permanent(reason), _) => Some(Err(reconnect_required(account, reason))),
            (FailureKind::Unknown, _) if matches!(purpose, Purpose::Ahead) => Some(Err(too_risky(account))),
            // One that lies in the future was noted by a clock that has been put back since; when it ends, nobody knows.
            (_, Some(next)) if failure.at <= now && now < next => Some(Err(Error::new(
                ErrorCode::Unavailable,
                format!(
                    "{account} cannot be refreshed now; the latest attempt failed and the next is not due yet"
                ),
            )
            .with_retry_after(next.time_left(now))
            .with_account(account))),
            _ => None,
        }
    }
}

/// Whether a flight ahead of need could do anything for `entry` at `now`.
pub(super) fn is_worth_a_flight(entry: &Entry, now: Timestamp) -> bool {
    let failure =
        entry.record.failure.filter(|failure| Some(failure.presented) == entry.record.refresh_digest);
    entry.record.refresh_digest.is_some()
        && failure.is_none_or(|failure| {
            failure.kind == FailureKind::Refused && failure.next_attempt_at.is_some_and(|next| next <= now)
        })
}

/// The server may have rotated already, and a repeat may end the grant: not while the present token works.
pub(super) fn too_risky(account: &AccountKey) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        format!("{account} is not renewed ahead: nobody knows how the last refresh ended"),
    )
    .with_account(account)
}

pub(super) fn reconnect_required(account: &AccountKey, reason: ReconnectReason) -> Error {
    Error::new(
        ErrorCode::ReconnectRequired,
        format!("{account} must be connected again: {}", reason.explanation()),
    )
    .with_advice(format!("Run `loomkin-auth connect {account}`."))
    .with_account(account)
}
