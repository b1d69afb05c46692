//! The refresh transaction: claim, read again, adopt or spend, commit, publish.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::flight::Flight;
use super::lease::{LEASE, Lease};
use super::verdict::{
    Purpose, REGISTRATION_MEMORY, RejectedRegistration, may_be_risked, reconnect_required, too_risky,
};
use super::{Lifecycle, not_connected};
use crate::account::AccountKey;
use crate::backoff;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::id_token::names_another_subject;
use crate::protocol::refresh::RefreshAnswer;
use crate::protocol::token_set::TokenSet;
use crate::server::AuthorizationServer;
use crate::store::vault::{Claimed, Committed, Entry};
use crate::store::{AttemptId, ChangeMark, Failure, FailureKind, ReconnectReason};

/// One run of the transaction.
#[derive(Debug)]
pub(super) struct Refresh {
    lifecycle: Arc<Lifecycle>,
    flight: Arc<Flight>,
    purpose: Purpose,
}

/// The claim of one run, once it is held.
struct Held {
    attempt: AttemptId,
    lease: Lease,
    /// The mark of what others do, of the moment in which it was claimed.
    others: Option<ChangeMark>,
}

impl Refresh {
    pub(super) fn new(lifecycle: Arc<Lifecycle>, flight: Arc<Flight>, purpose: Purpose) -> Self {
        Self { lifecycle, flight, purpose }
    }

    /// Renews what the caller has `seen`, or finds that nobody needs to.
    pub(super) async fn run(self, seen: Arc<Entry>) -> Result<Arc<Entry>> {
        let account = seen.record.account.clone();
        let server = self.lifecycle.server(&account)?.clone();
        let result = self.claim_and_spend(&server, seen).await;
        if let Ok(renewed) = &result {
            tracing::debug!(%account, expires_at = ?renewed.record.columns.expires_at, "renewed or adopted");
            // Nobody has to wait for what follows.
            self.flight.end(result.clone());
            if self.lifecycle.snapshots.holds(&account) && self.lifecycle.load(&account).await.is_err() {
                // For the fast path of those who ask for it. What was committed stays true if this read fails; what was
                // remembered before does not.
                self.lifecycle.snapshots.remove(&account);
            }
        }
        result
    }

    async fn claim_and_spend(
        &self,
        server: &AuthorizationServer,
        mut seen: Arc<Entry>,
    ) -> Result<Arc<Entry>> {
        let vault = &self.lifecycle.vault;
        let account = seen.record.account.clone();
        if let Some(answer) = self.lifecycle.unsaved.find(seen.record.connection) {
            // An earlier flight was broken off with it. What it presented is spent, and its claim ends with this.
            seen = self.store(&answer.presented, answer.renewed).await?;
        }
        // Discovery may take as long as a refresh: it must not eat into the lease.
        server.provider().await?;
        let mut watched = None;
        loop {
            if let Some(verdict) = self.lifecycle.verdict(&self.purpose, &seen) {
                return verdict.map(|()| seen);
            }
            let attempt = AttemptId(self.lifecycle.random.make_bytes()?);
            let before = vault.change_mark().ok();
            let mut lease = Lease::begin(&self.lifecycle.clock);
            tracing::trace!(%account, ?attempt, "asks for the claim");
            match vault.claim(&seen, attempt, LEASE).await? {
                Claimed::Claimed { entry, orphaned, others } => {
                    let entry = self.lifecycle.recognise(*entry)?;
                    let now = self.lifecycle.clock.now();
                    let uncertain = if orphaned { Failure::unknown(&entry.record, now) } else { None };
                    if let Some(verdict) = self.lifecycle.verdict(&self.purpose, &entry) {
                        self.give_back(&account, attempt, uncertain).await;
                        return verdict.map(|()| entry);
                    }
                    if orphaned && !may_be_risked(&self.purpose, &entry, now) {
                        self.give_back(&account, attempt, uncertain).await;
                        return Err(too_risky(&account));
                    }
                    if !lease.has_room().await {
                        // The store kept it waiting for so long that the claim might end under the request.
                        self.give_back(&account, attempt, uncertain).await;
                        seen = entry;
                        continue;
                    }
                    return self.spend(server, entry, Held { attempt, lease, others }, orphaned).await;
                }
                Claimed::Gone => return Err(not_connected(&account)),
                Claimed::Held { remaining } => {
                    tracing::debug!(%account, "waits for the refresh of another process");
                    let waited = self.wait_for_change(before, remaining).await?;
                    if remaining > LEASE {
                        self.outlast(&account, waited, &mut watched).await?;
                    }
                    seen = self.lifecycle.load(&account).await?;
                }
                Claimed::Moved(entry) => seen = self.lifecycle.recognise(*entry)?,
            }
        }
    }

    /// Presents the refresh token, under the claim `attempt`.
    async fn spend(
        &self,
        server: &AuthorizationServer,
        entry: Arc<Entry>,
        Held { attempt, mut lease, others }: Held,
        orphaned: bool,
    ) -> Result<Arc<Entry>> {
        let account = &entry.record.account;
        let (Some(refresh_token), Some(presented)) =
            (&entry.tokens.refresh_token, entry.record.refresh_digest)
        else {
            return Err(reconnect_required(account, ReconnectReason::Expired));
        };
        let earlier = entry.record.failure.filter(|failure| failure.presented == presented);
        // Somebody presented this token before, and nobody knows what the server made of it.
        let mut uncertain = orphaned || earlier.is_some_and(|failure| failure.kind == FailureKind::Unknown);
        tracing::debug!(%account, ?attempt, ?presented, "presents the refresh token");
        let mut answer = server.refresh(refresh_token).await;
        if matches!(answer, RefreshAnswer::Unknown { .. })
            && server.forgives_repeat()
            && lease.has_room().await
        {
            uncertain = true;
            answer = server.refresh(refresh_token).await;
        }
        let (kind, retry_after, error) = match answer {
            // Whoever they belong to, they are not served as this account's; what was presented may be spent.
            RefreshAnswer::Tokens(tokens)
                if names_another_subject(entry.tokens.id_token.as_ref(), tokens.id_token.as_ref()) =>
            {
                (FailureKind::Unknown, None, tokens_of_another(account))
            }
            RefreshAnswer::Tokens(tokens) => {
                return self.keep(entry, server.drop_bad_id_token(*tokens), others).await;
            }
            RefreshAnswer::Permanent(error) => {
                return self.refused_for_good(entry, attempt, uncertain, error).await;
            }
            RefreshAnswer::Client(error) => {
                let now = self.lifecycle.clock.now();
                let uncertain = if uncertain { Failure::unknown(&entry.record, now) } else { None };
                self.give_back(account, attempt, uncertain).await;
                let mut registrations =
                    self.lifecycle.rejected_registrations.lock().unwrap_or_else(PoisonError::into_inner);
                let until = now.plus(REGISTRATION_MEMORY);
                let rejected = RejectedRegistration { presented, error: error.clone(), until };
                registrations.retain(|_, rejected| now < rejected.until);
                registrations.insert(account.clone(), rejected);
                return Err(error);
            }
            // What is uncertain stays so until the server gives a clear answer.
            RefreshAnswer::Refused { retry_after, error } if !uncertain => {
                (FailureKind::Refused, retry_after, error)
            }
            RefreshAnswer::Refused { retry_after, error } | RefreshAnswer::Unknown { retry_after, error } => {
                (FailureKind::Unknown, retry_after, error)
            }
        };
        let in_a_row = earlier.map_or(0, |failure| failure.in_a_row).saturating_add(1);
        let wait = backoff::wait_after(in_a_row, retry_after, &*self.lifecycle.random)?;
        let now = self.lifecycle.clock.now();
        let next_attempt_at = Some(now.plus(wait));
        self.give_back(
            account,
            attempt,
            Some(Failure { kind, presented, in_a_row, at: now, next_attempt_at }),
        )
        .await;
        Err(error.with_retry_after(wait))
    }

    /// Keeps the answer, and stores it before anybody sees it.
    async fn keep(
        &self,
        presented: Arc<Entry>,
        tokens: TokenSet,
        others: Option<ChangeMark>,
    ) -> Result<Arc<Entry>> {
        let renewed = Arc::new(self.lifecycle.vault.renewed(&presented, &tokens));
        // From here on it is known that the refresh token is spent, whatever becomes of this task.
        self.lifecycle.unsaved.put(presented.clone(), renewed.clone(), others);
        self.store(&presented, renewed).await
    }

    /// Stores what `presented` has become.
    async fn store(&self, presented: &Entry, renewed: Arc<Entry>) -> Result<Arc<Entry>> {
        let Lifecycle { vault, unsaved, snapshots, random, clock, .. } = &*self.lifecycle;
        let (account, connection) = (&presented.record.account, presented.record.connection);
        let mut failures = 0;
        loop {
            let committed = match vault.seal_renewal(presented, &renewed.tokens) {
                Ok(renewal) => vault.commit(&renewal).await.map(|outcome| (outcome, renewal.entry)),
                Err(error) => Err(error),
            };
            match committed {
                Ok((outcome, stored)) => {
                    unsaved.remove(connection);
                    return match outcome {
                        Committed::Committed => Ok(Arc::new(stored.unsealed())),
                        Committed::Superseded(newer) => self.lifecycle.recognise(*newer?),
                        Committed::Disconnected => {
                            // The person has left; what the server gave meanwhile must not outlive that.
                            self.lifecycle.revoke_late(&stored).await;
                            Err(not_connected(account))
                        }
                    };
                }
                Err(error) => {
                    // The old token is spent: these are the only ones that work. They serve this process, and the
                    // flight goes on trying to store them.
                    failures += 1;
                    tracing::warn!(%account, failures, code = %error.code(), "a refreshed token could not be stored");
                    if failures == 1 {
                        unsaved.serve(connection);
                        snapshots.remove(account);
                        self.flight.announce(Ok(renewed.clone()));
                    }
                    let wait = backoff::wait_after(failures, None, &**random).unwrap_or(LONGEST_COMMIT_WAIT);
                    clock.sleep(wait.min(LONGEST_COMMIT_WAIT)).await;
                }
            }
        }
    }

    /// The server says that the grant is invalid. Unless somebody has meanwhile stored another, that is remembered for
    /// exactly this token; nothing is deleted.
    async fn refused_for_good(
        &self,
        entry: Arc<Entry>,
        attempt: AttemptId,
        uncertain: bool,
        error: Error,
    ) -> Result<Arc<Entry>> {
        let account = &entry.record.account;
        let Some(presented) = entry.record.refresh_digest else { return Err(error) };
        let stored = match self.lifecycle.vault.load(account).await {
            Ok(stored) => stored.ok_or_else(|| not_connected(account))?,
            Err(error) => {
                let now = self.lifecycle.clock.now();
                let uncertain = if uncertain { Failure::unknown(&entry.record, now) } else { None };
                self.give_back(account, attempt, uncertain).await;
                return Err(error);
            }
        };
        if stored.record.connection != entry.record.connection
            || stored.record.refresh_digest != Some(presented)
        {
            return self.lifecycle.recognise(stored);
        }
        let reason = if uncertain { ReconnectReason::Interrupted } else { ReconnectReason::Revoked };
        let failure = Failure {
            kind: FailureKind::Permanent(reason),
            presented,
            in_a_row: 1,
            at: self.lifecycle.clock.now(),
            next_attempt_at: None,
        };
        self.give_back(account, attempt, Some(failure)).await;
        Err(reconnect_required(account, reason))
    }

    /// Ends the claim. If the store does not take that, the lease ends it.
    async fn give_back(&self, account: &AccountKey, attempt: AttemptId, failure: Option<Failure>) {
        if let Err(error) = self.lifecycle.vault.abandon(account, attempt, failure).await {
            tracing::warn!(%account, code = %error.code(), "a claim could not be given back; its lease will end it");
        }
    }

    /// Waits until the store has changed since `before`, or it is time to ask again: a holder that died changes
    /// nothing, and only another claim finds out.
    async fn wait_for_change(&self, before: Option<ChangeMark>, remaining: Duration) -> Result<Duration> {
        let mut waited = Duration::ZERO;
        loop {
            // Before the first look: a store whose writer died says that it changes all the time.
            self.lifecycle.clock.sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
            if waited >= remaining.min(LONGEST_WAIT_FOR_CHANGE)
                || self.lifecycle.vault.change_mark().ok() != before
            {
                return Ok(waited);
            }
        }
    }

    /// Watches a claim that seems to run for longer than any can: the clock was put back since it was made, and nobody
    /// knows its end. Whoever has seen the same one for a whole lease knows that it is over.
    async fn outlast(
        &self,
        account: &AccountKey,
        waited: Duration,
        watched: &mut Option<(AttemptId, Duration)>,
    ) -> Result<()> {
        let vault = &self.lifecycle.vault;
        let Some(record) = vault.record(account).await? else { return Ok(()) };
        let Some(claim) = record.claim else { return Ok(()) };
        let so_far =
            watched.filter(|(attempt, _)| *attempt == claim.attempt).map_or(Duration::ZERO, |seen| seen.1);
        *watched = Some((claim.attempt, so_far + waited));
        if so_far + waited <= LEASE {
            return Ok(());
        }
        tracing::warn!(%account, "ends a claim whose lease has no end, because the clock was put back");
        vault.abandon(account, claim.attempt, Failure::unknown(&record, self.lifecycle.clock.now())).await
    }
}

fn tokens_of_another(account: &AccountKey) -> Error {
    Error::new(
        ErrorCode::ServerMisbehaved,
        format!("the provider refreshed {account} with another account's tokens"),
    )
    .with_advice("Report this to the provider.")
    .with_account(account)
}

const LOOK_EVERY: Duration = Duration::from_millis(10);
const LONGEST_WAIT_FOR_CHANGE: Duration = Duration::from_millis(200);
const LONGEST_COMMIT_WAIT: Duration = Duration::from_secs(5);
