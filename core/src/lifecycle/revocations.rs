//! Sending what is to be revoked: at once, and again while the server cannot be reached.
//!
//! What is sent has been taken out of the store's queue a moment before, so that no two processes send it at the same
//! time, and so that a new login, which empties the queue of what could end its grant, has the last word.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Lifecycle;
use crate::account::AccountKey;
use crate::backoff;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::protocol::revocation::RevocationAnswer;
use crate::server::AuthorizationServer;
use crate::store::vault::Entry;
use crate::store::{EventKind, Record, Revocation, RevocationTerms};

/// What became of an attempt to revoke.
pub(super) struct Attempt {
    pub(super) answer: RevocationAnswer,
    /// Until when it is tried again, if it is.
    pub(super) queued_until: Option<Timestamp>,
}

impl Attempt {
    /// No attempt was made, nor will be.
    pub(super) fn none(reason: &str) -> Self {
        Self { answer: RevocationAnswer::in_vain(reason), queued_until: None }
    }
}

impl Lifecycle {
    /// Tries every revocation once that waits in the store and is due, whoever queued it. A schedule
    /// ([`renew_ahead`](Self::renew_ahead)) does so again and again.
    ///
    /// A server that cannot be reached for one is not asked for the others. What was connected with another
    /// configuration is left to whoever has that. Dropping the returned future breaks the attempt off, and it is made
    /// again a minute later.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn retry_revocations(&self) -> Result<()> {
        let now = self.vault.now().await?;
        let mut away = BTreeSet::new();
        let mut last = None;
        loop {
            let page = self.vault.revocations(last.as_ref(), PAGE).await?;
            for waiting in &page {
                let provider = &waiting.record.account.provider;
                if now < waiting.next_attempt_at {
                    return Ok(());
                }
                if waiting.until <= now {
                    self.give_up(waiting).await?;
                } else if !away.contains(provider) && self.is_away(waiting).await? {
                    away.insert(provider.clone());
                }
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(());
            }
        }
    }

    /// Tries `waiting`, which is of `entry` and has just been queued by this process.
    pub(super) async fn revoke_at_once(&self, waiting: &Revocation, entry: &Entry) -> Attempt {
        let server = match self.server_of(entry) {
            Ok(server) => server,
            Err(reason) => {
                // Whoever has that configuration need not wait for this process.
                let _best_effort = self.vault.postpone_revocation(waiting, Duration::ZERO).await;
                let queued_until = self.queued_until(waiting).await;
                return Attempt { answer: RevocationAnswer::for_now(reason), queued_until };
            }
        };
        let answer = match self.send(waiting, entry, server).await {
            Ok(Some(answer)) => answer,
            Ok(None) => RevocationAnswer::in_vain(
                "a new login has cancelled the revocation meanwhile, or another process has seen to it",
            ),
            Err(error) => RevocationAnswer::for_now(error.message()),
        };
        let queued_until = match answer {
            RevocationAnswer::Revoked => None,
            RevocationAnswer::NotRevoked { .. } => self.queued_until(waiting).await,
        };
        Attempt { answer, queued_until }
    }

    /// Revokes what came for a connection that was gone by then.
    pub(super) async fn revoke_late(&self, entry: &Entry) {
        let account = &entry.record.account;
        match self.vault.queue_revocation(entry, TERMS).await {
            Ok(Some(waiting)) => drop(self.revoke_at_once(&waiting, entry).await),
            Ok(None) => {
                tracing::debug!(%account, "tokens that came too late are dropped; their grant lives on")
            }
            // What was disconnected is in the queue, and servers end the whole grant with it. To revoke these without having
            // asked the queue could end a grant that is to live on.
            Err(error) => {
                tracing::warn!(%account, code = %error.code(), "tokens that came too late could not be queued");
            }
        }
    }

    /// Tries `waiting`, and says whether its server cannot be reached.
    async fn is_away(&self, waiting: &Revocation) -> Result<bool> {
        // Another process may have the key or the configuration that this one lacks.
        let Ok(entry) = self.vault.open_revocation(waiting).await else { return Ok(false) };
        let Ok(server) = self.server_of(&entry) else { return Ok(false) };
        let answer = self.send(waiting, &entry, server).await?;
        Ok(matches!(answer, Some(RevocationAnswer::NotRevoked { try_again: true, .. })))
    }

    /// Takes `waiting` and sends it. `None` where somebody else has taken, settled or cancelled it.
    async fn send(
        &self,
        waiting: &Revocation,
        entry: &Entry,
        server: &AuthorizationServer,
    ) -> Result<Option<RevocationAnswer>> {
        let account = &entry.record.account;
        // Discovery may take as long as a request, and a login may come meanwhile.
        let discovered = server.provider().await.map(drop);
        let Some(taken) = self.vault.take_revocation(waiting, TERMS.lease).await? else { return Ok(None) };
        let answer = match discovered {
            Ok(()) => server.revoke(&entry.tokens).await,
            Err(error) => error.into(),
        };
        let settled = match &answer {
            RevocationAnswer::NotRevoked { reason, try_again: true, retry_after } => {
                tracing::debug!(%account, reason, "a revocation is put off");
                let wait = backoff::wait_within(LONGEST_WAIT, taken.attempts, *retry_after, &*self.random)?;
                let time_left = taken.until.time_left(self.clock.now());
                self.vault.postpone_revocation(&taken, wait.min(time_left)).await
            }
            RevocationAnswer::NotRevoked { .. } | RevocationAnswer::Revoked => {
                let settled = self.vault.settle_revocation(&taken).await;
                // Where a login has cancelled it meanwhile, that is the latest news.
                if let Ok(true) = settled {
                    self.tell_revoked(account, answer == RevocationAnswer::Revoked).await;
                }
                settled.map(drop)
            }
        };
        if let Err(error) = settled {
            // The lease ends, and it is tried once more: to revoke twice does no harm.
            tracing::warn!(%account, code = %error.code(), "what became of a revocation could not be stored");
        }
        Ok(Some(answer))
    }

    async fn give_up(&self, waiting: &Revocation) -> Result<()> {
        if self.vault.settle_revocation(waiting).await? {
            let account = &waiting.record.account;
            tracing::warn!(%account, "a revocation is given up; the grant may live on at the provider");
            self.tell_revoked(account, false).await;
        }
        Ok(())
    }

    /// Tells whoever listens what became of the grant of a connection that was ended.
    pub(super) async fn tell_revoked(&self, account: &AccountKey, revoked: bool) {
        let answered = EventKind::Disconnected { revoked: Some(revoked) };
        if let Err(error) = self.vault.record_event(account, answered).await {
            tracing::warn!(%account, code = %error.code(), "the server's answer could not be told to others");
        }
    }

    /// The server that gave `entry` its tokens. Nobody else is sent any.
    fn server_of(&self, entry: &Entry) -> Result<&Arc<AuthorizationServer>, String> {
        let server = self
            .server(&entry.record.account)
            .map_err(|_| "it is no longer configured here, so its server is not known".to_owned())?;
        match server.differs_from(&entry.binding) {
            None => Ok(server),
            Some(field) => {
                Err(format!("it was connected with another {field} than the configuration has now"))
            }
        }
    }

    /// Until when the connection of `waiting` is in the queue, with these or with newer tokens.
    async fn queued_until(&self, waiting: &Revocation) -> Option<Timestamp> {
        let Record { account, connection, .. } = &waiting.record;
        match self.vault.revocations_of(&account.owner).await {
            Ok(queued) => queued
                .iter()
                .find(|queued| queued.record.connection == *connection)
                .map(|queued| queued.until),
            Err(_) => Some(waiting.until),
        }
    }
}

/// The lease is longer than the longest HTTP request.
pub(super) const TERMS: RevocationTerms =
    RevocationTerms { lease: Duration::from_secs(60), lasts: Duration::from_secs(24 * 60 * 60) };
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);
const PAGE: u32 = 100;
