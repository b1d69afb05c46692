//! What the witness is shown of the store, unsealed, and the names of things.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::account::AccountKey;
use loomkin_auth::clock::{Clock, Timestamp};
use loomkin_auth::error::Result;
use loomkin_auth::lifecycle::Lifecycle;
use loomkin_auth::protocol::identity::Identity;
use loomkin_auth::protocol::token_set::TokenSet;
use loomkin_auth::secret::Secret;
use loomkin_auth::store::vault::Entry;
use loomkin_auth::store::{AttemptId, ClaimOutcome, CommitOutcome, Failure, Revocation, TokenStore};
use tokio::time::Instant;

use super::World;
use crate::invariant::Invariant;
use crate::network::{access_text, refresh_text};
use crate::process::{EPOCH_MILLIS, Process};
use crate::server::SentAt;
use crate::witness::Row;

impl World {
    /// A login has been stored.
    pub(crate) async fn saw_connect(&self, process: &Process, account: &AccountKey) {
        if let Some((connection, row)) = self.look(account).await {
            self.write(
                Some(process.number),
                Some(account_number(account)),
                "stores a login with access token",
                Some(row.access),
                "",
            );
            self.witness().connected(process, account_number(account), connection, row);
        }
    }

    /// The claim has been asked for.
    pub(crate) fn saw_claim(
        &self,
        process: &Process,
        account: &AccountKey,
        attempt: AttemptId,
        lease: Duration,
        outcome: &ClaimOutcome,
    ) {
        let (account, result) = (
            account_number(account),
            match outcome {
                ClaimOutcome::Claimed { orphaned: false, .. } => "granted",
                ClaimOutcome::Claimed { orphaned: true, .. } => "granted, orphaned",
                ClaimOutcome::Gone => "gone",
                ClaimOutcome::Held { .. } => "held",
                ClaimOutcome::Moved(_) => "moved",
            },
        );
        self.write(Some(process.number), Some(account), "claims", None, result);
        self.witness().claimed(process, account, attempt, lease, outcome);
    }

    /// An answer has been judged by the store.
    pub(crate) async fn saw_commit(&self, process: &Process, account: &AccountKey, outcome: &CommitOutcome) {
        let number = account_number(account);
        match outcome {
            CommitOutcome::Committed => {
                let Some((_, row)) = self.look(account).await else { return };
                self.write(Some(process.number), Some(number), "stores access token", Some(row.access), "");
                self.witness().committed(process, number, row);
            }
            CommitOutcome::Disconnected => {
                self.write(Some(process.number), Some(number), "commits", None, "disconnected");
            }
            CommitOutcome::Retired => {
                self.write(Some(process.number), Some(number), "commits", None, "retired");
            }
            CommitOutcome::Superseded(_) => {
                self.write(Some(process.number), Some(number), "commits", None, "superseded");
            }
        }
    }

    /// A claim has been given back.
    pub(crate) async fn saw_abandon(
        &self,
        process: &Process,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) {
        let stored = self.rows.load(account).await.ok().flatten().and_then(|record| record.failure);
        let kind = match failure.map(|failure| failure.kind) {
            None => "without a failure",
            Some(loomkin_auth::store::FailureKind::Refused) => "refused",
            Some(loomkin_auth::store::FailureKind::Unknown) => "unknown",
            Some(_) => "permanent",
        };
        let number = account_number(account);
        self.write(Some(process.number), Some(number), "gives its claim back", None, kind);
        self.witness().abandoned(process, number, attempt, failure, stored);
    }

    /// What is stored for `account`.
    async fn look(&self, account: &AccountKey) -> Option<([u8; 16], Row)> {
        match self.vault.get()?.load(account).await {
            Ok(entry) => entry.map(|entry| (entry.record.connection.0, self.read(&entry))),
            Err(_) => {
                let what = format!("what is stored for {account} cannot be unsealed");
                self.breach(Invariant::Fenced, what);
                None
            }
        }
    }

    /// The grant that a revocation is to end.
    pub(crate) async fn grant_to_revoke(&self, revocation: &Revocation) -> Option<usize> {
        let entry = self.vault.get()?.open_revocation(revocation).await.ok()?;
        Some(self.read(&entry).grant)
    }

    fn read(&self, entry: &Entry) -> Row {
        // Only the numbers of the tokens are looked at.
        let access = token_number(entry.tokens.access_token.expose());
        let refresh = entry.tokens.refresh_token.as_ref().map(|token| token_number(token.expose()));
        let (columns, failure) = (entry.record.columns.clone(), entry.record.failure);
        Row { grant: self.server().grant_of_access(access), access, refresh, columns, failure }
    }
}

impl Process {
    /// A person logs in at the server, and the process keeps what that yields.
    pub(crate) async fn log_in(&self, lifecycle: &Arc<Lifecycle>, account: usize) -> Result<()> {
        let (world, key) = (&self.world, account_key(account));
        let begun = lifecycle.begin_login(&key, &[]).await?;
        if world.is_troubled() {
            // The person takes their time.
            tokio::time::sleep(world.dice.millis(0..=5_000)).await;
        }
        let sent = SentAt { at: world.now(), ahead: self.ahead_millis() };
        let issued = world.server().log_in(account, world.plan.accounts[account], world.now(), sent);
        world.write(Some(self.number), Some(account), "logs in with access token", Some(issued.access), "");
        let mut tokens = TokenSet::new(Secret::new(access_text(issued.access)), self.wall());
        tokens.refresh_token = issued.refresh.map(|token| Secret::new(refresh_text(token)));
        tokens.expires_at = issued.lifetime.map(|lifetime| self.wall().plus(lifetime));
        let identity = Identity { account_id: format!("person-{account}"), account_login: None };
        lifecycle.keep_login(&begun, lifecycle.server(&key)?, tokens, Some(identity)).await.map(drop)
    }
}

/// The run's own clock, by which the store measures its leases.
#[derive(Debug)]
pub(super) struct RunClock(pub(super) Instant);

impl Clock for RunClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(EPOCH_MILLIS).plus(self.0.elapsed())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The account of this number. Each has a provider of its own.
#[expect(clippy::expect_used, reason = "the name is made here, and is one")]
pub(crate) fn account_key(number: usize) -> AccountKey {
    format!("idp-{number}").parse().expect("a provider's name")
}

/// The number of an account.
pub(crate) fn account_number(account: &AccountKey) -> usize {
    token_number(account.provider.as_str()) as usize
}

/// The number at the end of a name or a token.
#[expect(clippy::expect_used, reason = "a text from elsewhere is an error of the simulation")]
pub(crate) fn token_number(text: &str) -> u32 {
    text.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a text of the simulation's own")
}
