//! Keeping what a login yielded.

use std::future::Future;
use std::sync::Arc;

use super::Lifecycle;
use crate::account::AccountKey;
use crate::backoff;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::identity::Whose;
use crate::protocol::token_set::TokenSet;
use crate::provider::{is_scope, join_scopes};
use crate::secret::Secret;
use crate::server::AuthorizationServer;
use crate::store::{ConnectionId, LatestDisconnect, vault};

/// A login that is stored. `Debug` leaves the identifiers out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Connected {
    /// Which connection it is.
    pub account: AccountKey,
    /// The account's name at the provider, where it says.
    pub account_login: Option<String>,
    /// The account's unchanging id at the provider, where it says.
    pub account_id: Option<String>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// What this login asked for and the provider did not grant.
    pub missing_scopes: Vec<String>,
    /// What is unusual, in one sentence that is safe to show.
    pub note: Option<String>,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected").field("account", &self.account.to_string()).finish_non_exhaustive()
    }
}

/// A login that has begun. A disconnect of its account closes it.
#[derive(Clone, Debug)]
pub struct BegunLogin {
    pub(crate) account: AccountKey,
    pub(crate) scopes: Vec<String>,
    after: LatestDisconnect,
}

impl BegunLogin {
    /// One that went on outside this process meanwhile.
    pub(crate) fn resume(account: AccountKey, scopes: Vec<String>, after: LatestDisconnect) -> Self {
        Self { account, scopes, after }
    }

    /// The account's latest disconnect when it began.
    pub(crate) fn after(&self) -> LatestDisconnect {
        self.after
    }
}

impl Lifecycle {
    /// Begins a login of `account`: what is disconnected from now on stays so.
    ///
    /// It asks for the configured scopes. With `more`, it asks for what is granted already and for those as well, so that
    /// nothing is lost by gaining something.
    ///
    /// # Errors
    ///
    /// `usage` when one of `more` is no scope (RFC 6749 §3.3); `not_connected` for a provider that has no login;
    /// `store_failed`.
    pub async fn begin_login(&self, account: &AccountKey, more: &[String]) -> Result<BegunLogin> {
        if !more.iter().all(|scope| is_scope(scope)) {
            return Err(not_a_scope(account));
        }
        let configured = self.server(account)?.scopes();
        let after = self.vault.latest_disconnect(account).await?;
        let granted = if more.is_empty() { Vec::new() } else { self.granted_scopes(account).await };
        let scopes = join_scopes([&configured[..], &granted, more]);
        Ok(BegunLogin { account: account.clone(), scopes, after })
    }

    /// What the stored connection may do. None where it is of no use with this configuration: a login may mend that.
    async fn granted_scopes(&self, account: &AccountKey) -> Vec<String> {
        let entry = self.read(account).await;
        entry.map_or_else(|_| Vec::new(), |entry| entry.record.columns.scopes.clone())
    }

    /// Finds out whose the `tokens` of a login are that sent `nonce`, and keeps them as [`keep_login`](Self::keep_login)
    /// does. Tokens whose ID token is refused, or cannot be checked, are revoked as well as that goes, unless they may be
    /// those of an account that is stored.
    ///
    /// # Errors
    ///
    /// As [`AuthorizationServer::identify`] and [`keep_login`](Self::keep_login).
    pub async fn keep_checked(
        self: &Arc<Self>,
        begun: &BegunLogin,
        server: &AuthorizationServer,
        tokens: TokenSet,
        nonce: Option<&Secret>,
    ) -> Result<Connected> {
        match server.identify(&tokens, nonce).await {
            Ok(whose) => self.keep_login(begun, server, tokens, whose).await,
            Err(error) => {
                if self.has_none_of(&begun.account).await {
                    let _best_effort = server.revoke(&tokens).await;
                }
                Err(error)
            }
        }
    }

    /// Whether it is known that the owner of `account` has no connection at its provider. Some servers end every grant of a
    /// person and a client with one token, so that nobody's tokens are harmless to revoke only then.
    async fn has_none_of(&self, account: &AccountKey) -> bool {
        let stored = self.vault.list(&account.owner).await;
        stored.is_ok_and(|stored| stored.iter().all(|record| record.account.provider != account.provider))
    }

    /// Stores the tokens of a login and makes it the owner's active connection, in one transaction. What was stored
    /// before is there until then.
    ///
    /// # Errors
    ///
    /// `account_mismatch` when another account came back than the one that is stored, whose new tokens are revoked then,
    /// or when the provider does not say which one came back; `unavailable` when it could not be asked. The old tokens are
    /// left alone. What was stored from another server or registration has ids that mean nothing here: the login replaces
    /// it, and says so. `login_closed` when the account was disconnected since the login began, here or in another
    /// process; then too the new tokens are revoked. `store_failed` when the store does not take them for some seconds.
    pub async fn keep_login(
        self: &Arc<Self>,
        begun: &BegunLogin,
        server: &AuthorizationServer,
        mut tokens: TokenSet,
        whose: impl Into<Whose>,
    ) -> Result<Connected> {
        let (account, whose) = (&begun.account, whose.into());
        // Silence means that what was asked for is granted (RFC 6749 §5.1).
        let granted = tokens.scopes.get_or_insert_with(|| begun.scopes.clone()).clone();
        let stored = self.insist(|| self.vault.record(account)).await?;
        // One that cannot be unsealed is judged by its plain columns, as if it were of this server.
        let is_of_another_server = match self.insist(|| self.vault.load(account)).await {
            Ok(Some(entry)) => !server.shares_account_ids_with(&entry.binding),
            _ => false,
        };
        let stored = stored.filter(|_| !is_of_another_server).map(|record| record.columns);
        if let Some(expected) = stored.as_ref().and_then(|columns| columns.account_id.as_ref())
            && whose.identity().map(|identity| &identity.account_id) != Some(expected)
        {
            // Another account's grant: nobody asked for it, and ending it ends nothing else. A grant of nobody knows
            // whom may be the stored account's, and some servers would end the stored tokens with it.
            if whose.identity().is_some() {
                let _best_effort = server.revoke(&tokens).await;
            }
            return Err(not_the_account(account, &whose));
        }
        let (id, login) =
            whose.identity().cloned().map(|found| (found.account_id, found.account_login)).unzip();
        let identity = vault::Identity { id, login: login.flatten(), base_url: server.base_url() };
        let entry = self.vault.seal_login(account, &tokens, identity, (**server.binding()).clone())?;
        let before = self.insist(|| self.vault.record(account)).await?.map(|stored| stored.connection);
        let kept = self.insist(|| self.keep_once(&entry, begun.after, before)).await;
        // Also where it failed: it may have happened all the same.
        self.forget(account);
        if !kept? {
            self.revoke_late(&entry).await;
            return Err(disconnected_meanwhile(account));
        }
        let missing_scopes = server.missing_scopes(&begun.scopes, &granted);
        let lost = stored.map_or_else(Vec::new, |earlier| server.missing_scopes(&earlier.scopes, &granted));
        let notes = [
            is_of_another_server.then(|| NOT_REVOKED.to_owned()),
            not_granted(&missing_scopes),
            no_longer_granted(lost.iter().filter(|scope| !missing_scopes.contains(scope))),
        ];
        let columns = &entry.record.columns;
        Ok(Connected {
            account: account.clone(),
            account_login: columns.account_login.clone(),
            account_id: columns.account_id.clone(),
            scopes: columns.scopes.clone(),
            expires_at: columns.expires_at,
            missing_scopes,
            note: notes.into_iter().flatten().reduce(|notes, note| format!("{notes}; {note}")),
        })
    }

    /// Stores `entry` unless the account was disconnected after `after`, which gives `false`. An attempt whose answer was lost
    /// may have stored it, and its tokens may have been renewed since, or another login may have come: so where there is
    /// another connection than `before` the first attempt, that is left as it is.
    async fn keep_once(
        &self,
        entry: &vault::Entry,
        after: LatestDisconnect,
        before: Option<ConnectionId>,
    ) -> Result<bool> {
        let stored = self.vault.record(&entry.record.account).await?.map(|stored| stored.connection);
        if stored.is_some() && stored != before {
            return Ok(true);
        }
        self.vault.keep(entry, Some(after)).await
    }

    /// Repeats `step` for some seconds while the store fails: the code is spent, and what it yielded is nowhere else.
    async fn insist<T, F>(&self, step: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for failures in 1..STORE_ATTEMPTS {
            match step().await {
                Err(error) if error.code() == ErrorCode::StoreFailed => {
                    tracing::warn!(failures, reason = error.message(), "a login could not be stored yet");
                    self.clock.sleep(backoff::wait_after(failures, None, &*self.random)?).await;
                }
                result => return result,
            }
        }
        step().await
    }
}

fn disconnected_meanwhile(account: &AccountKey) -> Error {
    Error::new(ErrorCode::LoginClosed, format!("{account} was disconnected while this login was open"))
        .with_advice(format!("Run `loomkin-auth connect {account}` again, if it is to be connected."))
        .with_account(account)
}

/// Why tokens of `whose` do not take the place of those of `account`, which is known to belong to somebody.
fn not_the_account(account: &AccountKey, whose: &Whose) -> Error {
    let (code, message) = match whose {
        Whose::Known(_) => (
            ErrorCode::AccountMismatch,
            format!("{account} belongs to another account at the provider than the one that just logged in"),
        ),
        Whose::NotNow(_) => (
            ErrorCode::Unavailable,
            format!(
                "the provider could not be asked which account logged in, and {account} is known to belong to one"
            ),
        ),
        Whose::Unknown => (
            ErrorCode::AccountMismatch,
            format!(
                "the provider did not say which account logged in, and {account} is known to belong to one"
            ),
        ),
    };
    let advice = match whose {
        Whose::NotNow(_) => {
            "Connect again in a few minutes; what was connected before is still there.".to_owned()
        }
        Whose::Known(_) | Whose::Unknown => format!(
            "Log in at the provider as the stored account, or run `loomkin-auth connect {}/NAME` to keep both.",
            account.provider
        ),
    };
    Error::new(code, message).with_advice(advice).with_account(account)
}

fn not_a_scope(account: &AccountKey) -> Error {
    Error::new(ErrorCode::Usage, "what was asked for is not a scope")
        .with_advice("Name one scope at a time, without white space or quotes.")
        .with_account(account)
}

fn not_granted(missing: &[String]) -> Option<String> {
    (!missing.is_empty()).then(|| format!("the provider did not grant {}", missing.join(", ")))
}

fn no_longer_granted<'a>(lost: impl Iterator<Item = &'a String>) -> Option<String> {
    let lost: Vec<_> = lost.map(String::as_str).collect();
    (!lost.is_empty())
        .then(|| format!("the connection that it replaces was also granted {}", lost.join(", ")))
}

const NOT_REVOKED: &str = "it replaces a connection that was made with another server or client_id; the tokens of \
    that one were not revoked, because this configuration does not reach its server";

/// How often the store is asked to take a login; with the waits between, that comes to a few seconds.
const STORE_ATTEMPTS: u32 = 5;
