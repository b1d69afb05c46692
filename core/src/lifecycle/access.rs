//! A token that is good now: from memory where it is fresh, else from the one refresh that everybody waits for.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::expiry::Freshness;
use super::flight::Ticket;
use super::refresh::Refresh;
use super::token::AccessToken;
use super::verdict::{self, Purpose};
use super::{Lifecycle, expiry};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::store::vault::Entry;

/// What a resource server made of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer<T> {
    /// The token was accepted; whatever else the answer says is the caller's business.
    Accepted(T),
    /// The token was refused as expired or revoked;
    /// [`is_token_rejection`](crate::protocol::rejection::is_token_rejection) recognises it.
    TokenRejected(T),
}

impl<T> Answer<T> {
    /// The answer, whichever it is.
    pub fn into_inner(self) -> T {
        match self {
            Self::Accepted(answer) | Self::TokenRejected(answer) => answer,
        }
    }
}

impl Lifecycle {
    /// A token of `account` that is good for at least the margin, refreshed if need be.
    ///
    /// One that will end soon is returned at once, while one task renews it in the background. When a refresh that is
    /// needed cannot be had now, a token inside the margin is still given as long as it has not ended. Dropping the
    /// returned future stops the waiting, never a refresh in flight.
    ///
    /// # Errors
    ///
    /// `not_connected`, `reconnect_required`, `client_rejected`, `server_misbehaved`, `store_failed`; `unavailable`
    /// once the server could not be reached for about two seconds, or at once while a longer back-off is in force.
    pub async fn access_token(self: &Arc<Self>, account: &AccountKey) -> Result<AccessToken> {
        let now = self.clock.now();
        if let Ok(mark) = self.vault.change_mark_at(now)
            && let Some(entry) = self.snapshots.get(account, mark)
            && let Some(token) = self.offer(entry, now)
        {
            return Ok(token);
        }
        let entry = self.load_or_unsaved(account).await?;
        self.look_after(entry.clone());
        match self.offer(entry.clone(), self.clock.now()) {
            Some(token) => Ok(token),
            None => self.wait_for_another(entry, Purpose::Needed).await,
        }
    }

    /// The token of `account` where it is fresh and in memory: it touches no disk, waits for nobody and starts nothing, so
    /// that a thread that must not be held up can ask. `None` says to ask [`access_token`](Self::access_token), which has
    /// every other answer.
    pub fn fresh_token(&self, account: &AccountKey) -> Option<AccessToken> {
        let now = self.clock.now();
        let entry = self.snapshots.get(account, self.vault.change_mark_in_memory(now)?)?;
        let is_fresh = self.margins.freshness(&entry.record.columns, now) == Freshness::Fresh;
        is_fresh.then(|| AccessToken::of_connection(entry))
    }

    /// Another token than that of `entry`, with patience for a server that is away for a moment.
    async fn wait_for_another(
        self: &Arc<Self>,
        mut entry: Arc<Entry>,
        purpose: Purpose,
    ) -> Result<AccessToken> {
        let (account, began) = (entry.record.account.clone(), self.clock.now());
        let mut has_ended_before = false;
        loop {
            let result = self.renew(entry.clone(), purpose.clone()).await;
            let now = self.clock.now();
            let error = match result {
                Ok(renewed) if expiry::is_good(&renewed.record.columns, now) => {
                    return Ok(AccessToken::of_connection(renewed));
                }
                Ok(renewed) if self.unsaved.holds(renewed.record.connection) => {
                    return Err(ended_unsaved(&account));
                }
                Ok(renewed) if has_ended_before || expiry::is_born_dead(&renewed.record.columns) => {
                    return Err(ended_at_birth(&account));
                }
                Ok(renewed) => {
                    // It was good once: it has been adopted, or its request took the time of a suspended machine.
                    has_ended_before = true;
                    entry = renewed;
                    continue;
                }
                Err(error) => error,
            };
            if matches!(purpose, Purpose::Needed)
                && outlives_failure(&error)
                && expiry::is_good(&entry.record.columns, now)
            {
                tracing::debug!(%account, code = %error.code(), "serving a token inside its margin");
                return Ok(AccessToken::of_connection(entry));
            }
            match error.retry_after() {
                // A clock that was put back would make for endless patience.
                Some(wait) if began <= now && now.plus(wait) <= began.plus(PATIENCE) => {
                    self.clock.sleep(wait).await;
                }
                _ => return Err(error),
            }
            entry = self.load(&account).await?;
        }
    }

    /// Sees to it that there is a flight for what waits to be stored: the one that got it may have been broken off.
    pub(super) fn look_after(self: &Arc<Self>, entry: Arc<Entry>) {
        if self.unsaved.holds(entry.record.connection) {
            let _nobody_waits = self.board(entry, Purpose::Ahead);
        }
    }

    /// The token of `entry`, unless a caller has to wait for another. A stale one is renewed in the background.
    fn offer(self: &Arc<Self>, entry: Arc<Entry>, now: Timestamp) -> Option<AccessToken> {
        match self.margins.freshness(&entry.record.columns, now) {
            Freshness::Fresh => {}
            Freshness::Invalid => return None,
            Freshness::Stale if verdict::is_worth_a_flight(&entry, now) => {
                let _nobody_waits = self.board(entry.clone(), Purpose::Ahead);
            }
            Freshness::Stale => {}
        }
        Some(AccessToken::of_connection(entry))
    }

    /// Runs `call` with a good token of `account`. If the resource server rejects that token, renews it — unless
    /// somebody has done so already — and runs `call` exactly once more.
    ///
    /// A token younger than 30 seconds is not renewed by force: a server that rejects a new token would reject the
    /// next one too. The first answer is returned then.
    ///
    /// # Errors
    ///
    /// Those of `call`, and those of [`access_token`](Self::access_token).
    pub async fn with_token<T, E, F>(
        self: &Arc<Self>,
        account: &AccountKey,
        call: impl Fn(AccessToken) -> F,
    ) -> Result<T, E>
    where
        E: From<Error>,
        F: Future<Output = Result<Answer<T>, E>>,
    {
        let token = self.access_token(account).await?;
        match call(token.clone()).await? {
            Answer::Accepted(answer) => Ok(answer),
            Answer::TokenRejected(answer) => match self.replace_rejected(&token).await? {
                None => Ok(answer),
                Some(renewed) => call(renewed).await.map(Answer::into_inner),
            },
        }
    }

    /// Another token than `rejected`, or `None` where `rejected` is too young to be replaced.
    async fn replace_rejected(self: &Arc<Self>, rejected: &AccessToken) -> Result<Option<AccessToken>> {
        let current = self.load(rejected.account()).await?;
        if !current.tokens.access_token.matches(rejected.secret()) {
            // Somebody has renewed it; but perhaps long ago, as a call may take longer than a token lasts.
            return self.access_token(rejected.account()).await.map(Some);
        }
        let (issued_at, now) = (current.record.columns.issued_at, self.clock.now());
        // One from the future is as old as the clock was wrong.
        if issued_at <= now && now < issued_at.plus(YOUNGEST_TO_RENEW) {
            return Ok(None);
        }
        let another = self.wait_for_another(current, Purpose::Rejected(rejected.secret().clone())).await?;
        Ok((!another.secret().matches(rejected.secret())).then_some(another))
    }

    /// Waits for the flight that renews `seen`, and starts it if there is none.
    pub(super) async fn renew(self: &Arc<Self>, seen: Arc<Entry>, purpose: Purpose) -> Result<Arc<Entry>> {
        loop {
            let ticket = self.board(seen.clone(), purpose.clone());
            let gives_up_sooner = ticket.is_ahead && !matches!(purpose, Purpose::Ahead);
            match ticket.result().await {
                // It gave up because nobody needed the token yet. Now somebody does.
                Err(_) if gives_up_sooner => {}
                result => return result.map_err(|error| error.with_account(&seen.record.account)),
            }
        }
    }

    /// A ticket for the flight that renews `seen`.
    fn board(self: &Arc<Self>, seen: Arc<Entry>, purpose: Purpose) -> Ticket {
        let is_ahead = matches!(purpose, Purpose::Ahead);
        self.flights.board(seen.record.connection, is_ahead, |flight| {
            Refresh::new(self.clone(), flight, purpose).run(seen)
        })
    }
}

/// Failures that say nothing about the token that is stored: of the store, and of attempts that will be repeated.
fn outlives_failure(error: &Error) -> bool {
    error.code() == ErrorCode::StoreFailed || error.retry_after().is_some() || error.is_transient()
}

fn ended_at_birth(account: &AccountKey) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, "the authorization server gave a token that has ended already")
        .with_advice("Check this machine's clock; if it is right, report this to the provider.")
        .with_account(account)
}

fn ended_unsaved(account: &AccountKey) -> Error {
    Error::new(
        ErrorCode::StoreFailed,
        "the store has not taken the latest tokens, and the access token has ended",
    )
    .with_advice(
        "Make the store writable again (is its disk full?); the tokens are kept until this process ends.",
    )
    .with_account(account)
}

/// How long a caller waits for a server that does not answer, back-offs included, before being told so.
const PATIENCE: Duration = Duration::from_secs(2);
const YOUNGEST_TO_RENEW: Duration = Duration::from_secs(30);
