//! Whether a refresh is needed, and whether one may be asked for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::expiry::Freshness;
use super::{Lifecycle, expiry};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;
use crate::store::vault::Entry;
use crate::store::{Failure, FailureKind, ReconnectReason, TokenDigest};

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
            // The clock may have been put back since.
            && rejected.until <= now.plus(REGISTRATION_MEMORY)
        {
            return Some(Err(rejected.error.clone()));
        }
        let failure = entry.record.failure.filter(|failure| failure.presented == digest)?;
        match (failure.kind, due_again(&failure, now)) {
            (FailureKind::Permanent(reason), _) => Some(Err(reconnect_required(account, reason))),
            (FailureKind::Unknown, _) if !may_be_risked(purpose, entry, now) => Some(Err(too_risky(account))),
            (_, Some(next)) => Some(Err(Error::new(
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
            let is_allowed = match failure.kind {
                FailureKind::Later | FailureKind::Permanent(_) => false,
                FailureKind::Refused => true,
                FailureKind::Unknown => may_be_risked(&Purpose::Ahead, entry, now),
            };
            is_allowed && due_again(&failure, now).is_none()
        })
}

/// Until when no attempt is made after `failure`; `None` when one may be made at `now`.
pub(super) fn due_again(failure: &Failure, now: Timestamp) -> Option<Timestamp> {
    // One that lies in the future was noted by a clock that has been put back since; when it ends, nobody knows.
    failure.next_attempt_at.filter(|next| failure.at <= now && now < *next)
}

/// Whether a refresh token that the server may have rotated already is presented once more for `purpose`. A repeat may
/// end the grant, so it waits until the present token is of no use, or until nobody knows when that is.
pub(super) fn may_be_risked(purpose: &Purpose, entry: &Entry, now: Timestamp) -> bool {
    !matches!(purpose, Purpose::Ahead) || expiry::is_of_another_time(entry.record.columns.issued_at, now)
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

/// How long a refused registration is not asked about again.
pub(super) const REGISTRATION_MEMORY: Duration = Duration::from_secs(300);
