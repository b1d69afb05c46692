//! A login whose redirect comes to a web app: begun by one of its nodes, finished by any.

mod callback;
mod cookie;

use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub use callback::HostedCallback;
pub use cookie::LoginCookie;

use super::Auth;
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::config::ProviderConfig;
use crate::error::{Error, ErrorCode, Result};
use crate::lifecycle::{BegunLogin, Connected};
use crate::protocol::authorization::{AuthorizationUrl, request_authorization};
use crate::protocol::redirect::{AuthorizationGrant, NotGranted};
use crate::protocol::state::StateDigest;
use crate::provider::{Flow, Provider, asks_for_id_token};
use crate::server::AuthorizationServer;
use crate::store::vault::{Waiting, WaitingLogin};

/// How to begin a hosted login.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HostedOptions {
    /// Scopes to ask for beside those of the configuration and those that are granted already.
    pub scopes: Vec<String>,
    /// How long the person may take. `None` means ten minutes, and it cannot be made longer.
    pub timeout: Option<Duration>,
}

/// A hosted login that has begun. The store keeps it, and this value is what the app needs to send the person on their
/// way: dropping it changes nothing.
#[derive(Debug)]
pub struct HostedLogin {
    account: AccountKey,
    id: StateDigest,
    url: AuthorizationUrl,
    redirect_uri: String,
    deadline: Timestamp,
    cookie: LoginCookie,
}

impl HostedLogin {
    /// The account that is being connected.
    pub fn account(&self) -> &AccountKey {
        &self.account
    }

    /// What [`Auth::cancel_hosted`] knows it by. No secret.
    pub fn id(&self) -> StateDigest {
        self.id
    }

    /// Where to send the person's browser. It holds this login's `state`: for them alone, and not for a log.
    pub fn authorization_url(&self) -> &str {
        // The person has to be sent there.
        self.url.expose()
    }

    /// Where they come back to; the app must have a route there.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Until when they may come back, by the store's clock.
    pub fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// What their browser must have when it comes back. Set it with the answer that sends them away.
    pub fn cookie(&self) -> &LoginCookie {
        &self.cookie
    }
}

impl Auth {
    /// Begins a login of `account` in a web app: the person's browser goes to the provider, and comes back to
    /// `<callback_base_url>/auth/<provider>/callback`, or to the `redirect_uri` that the configuration gives the provider.
    ///
    /// `account.owner` is the app's user, by the app's own session. Begin only on a POST that is protected against
    /// request forgery. The login is kept sealed in the store for ten minutes: any process that has the store and this
    /// configuration [finishes](Self::finish_hosted) it, also one that starts later. Of one owner 32 wait at most, and
    /// the oldest goes first.
    ///
    /// ```no_run
    /// use loomkin_auth::account::{AccountKey, Owner, ProviderId};
    /// use loomkin_auth::auth::{Auth, HostedCallback, HostedOptions};
    /// use loomkin_auth::error::Result;
    /// use loomkin_auth::secret::Secret;
    ///
    /// /// `POST /auth/github`: where to redirect to, and the `Set-Cookie` header that goes with it.
    /// async fn begin(auth: &Auth, user: Owner) -> Result<(String, Secret)> {
    ///     let account = "github".parse::<AccountKey>()?.for_owner(user);
    ///     let login = auth.begin_hosted(&account, HostedOptions::default()).await?;
    ///     Ok((login.authorization_url().to_owned(), login.cookie().set_cookie()))
    /// }
    ///
    /// /// `GET /auth/:provider/callback?…`, on whichever node: the query and the `Cookie` header as they came.
    /// async fn finish(auth: &Auth, user: Owner, provider: &str, query: &str, cookies: &str) -> Result<()> {
    ///     let provider = ProviderId::new(provider)?;
    ///     let callback = HostedCallback::read(provider, &Secret::new(query))?.with_cookies(&Secret::new(cookies));
    ///     let connected = auth.finish_hosted(&user, callback).await?;
    ///     println!("connected {}", connected.account);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// `usage` for a provider that is not configured or offers no such flow, and for something that is no scope; `config_invalid` for one that cannot be
    /// connected, and where neither `callback_base_url` nor `redirect_uri` says where to come back to; `unavailable` when
    /// its metadata or its keys cannot be read, or ten thousand logins wait in the store; `store_failed`, `key_unavailable`.
    pub async fn begin_hosted(&self, account: &AccountKey, options: HostedOptions) -> Result<HostedLogin> {
        let configured = self.config.provider(&account.provider)?;
        let server = self.lifecycle.server(account)?.clone();
        let (redirect_uri, callback) = self.hosted_redirect_uri(configured)?;
        let begun = self.lifecycle.begin_login(account, &options.scopes).await?;
        let provider = server
            .prepare_login(asks_for_id_token(&begun.scopes))
            .await
            .map_err(|error| error.with_account(account))?;
        check_flow(&provider)?;
        let (vault, random) = (self.lifecycle.vault(), &*self.ports.random);
        let now = vault.now().await?;
        let (url, authorization) =
            request_authorization(&provider, account.clone(), &begun.scopes, &redirect_uri, now, random)?;
        let authorization = match options.timeout {
            Some(timeout) => authorization.finish_by(now.plus(timeout)),
            None => authorization,
        };
        let (id, deadline, browser) =
            (authorization.state_digest(), authorization.deadline(), random.make_secret()?);
        let cookie = LoginCookie::new(id, browser.clone(), &callback, deadline.time_left(now));
        let binding = (**server.binding()).clone();
        let (begun_after, scopes) = (begun.after(), begun.scopes);
        let login = WaitingLogin { authorization, browser, begun_after, scopes, binding };
        vault.keep_pending_login(&login, now).await?;
        Ok(HostedLogin { account: account.clone(), id, url, redirect_uri, deadline, cookie })
    }

    /// Finishes the hosted login that `callback` answers, for the app's user `owner`, whichever process began it.
    ///
    /// Before anything else happens, it must be a login that was begun here, in the same browser, by the same owner, at
    /// the provider to whose callback it came, and the server must be the one that was asked. What fails there finishes
    /// nothing and cancels nothing: the person may still come back with the true answer. Of all who bring that, at the
    /// same moment or not, one finishes the login. The exchange of its code runs to its end even if the caller goes away.
    ///
    /// # Errors
    ///
    /// `callback_rejected` when it does not answer such a login, which then goes on waiting, and when nothing is known of
    /// the login any more: its owner has begun 32 others since, or it ended more than an hour ago. `login_closed` when it is
    /// finished, cancelled or older than its deadline, when its account was disconnected meanwhile, and when it was begun
    /// with another configuration; the last leaves it to a process that has that. `access_denied`, `client_rejected`,
    /// `account_mismatch`, `server_misbehaved`, `unavailable`, `store_failed` and `key_unavailable`: the first four end
    /// the login, the others do so once the code is on its way.
    pub async fn finish_hosted(&self, owner: &Owner, callback: HostedCallback) -> Result<Connected> {
        let (login, callback) = self.find(owner, callback).await?;
        let account = login.authorization.account().clone();
        self.answer(login, callback).await.map_err(|error| error.with_account(&account))
    }

    /// Cancels a hosted login of `owner` that nobody has finished, and says whether there was one.
    ///
    /// # Errors
    ///
    /// `store_failed`, `key_unavailable`.
    pub async fn cancel_hosted(&self, owner: &Owner, id: StateDigest) -> Result<bool> {
        let vault = self.lifecycle.vault();
        match vault.pending_login(id).await? {
            Waiting::Open(login) if login.authorization.account().owner == *owner => {
                vault.close_pending_login(id).await
            }
            _ => Ok(false),
        }
    }

    /// The login that `callback` claims to answer, if the state, the browser, the owner and the provider agree. Until
    /// they do, nobody is told whose it is.
    async fn find(
        &self,
        owner: &Owner,
        callback: HostedCallback,
    ) -> Result<(Box<WaitingLogin>, HostedCallback)> {
        let id = callback.response.state_digest().ok_or_else(|| rejected("the redirect has no state"))?;
        let login = match self.lifecycle.vault().pending_login(id).await? {
            Waiting::Open(login) => login,
            Waiting::Closed => return Err(over()),
            Waiting::Unknown => return Err(rejected("the redirect answers no login that waits here")),
        };
        let account = login.authorization.account();
        if !login.authorization.is_answered_by(&callback.response) {
            return Err(rejected("the redirect does not carry this login's state"));
        }
        if !callback.browser.as_ref().is_some_and(|browser| browser.matches(&login.browser)) {
            return Err(rejected("the redirect did not come to the browser that began this login"));
        }
        if account.owner != *owner {
            return Err(rejected("the redirect answers another user's login"));
        }
        if account.provider != callback.provider {
            return Err(rejected("the redirect came to the callback of another provider"));
        }
        Ok((login, callback))
    }

    async fn answer(&self, login: Box<WaitingLogin>, callback: HostedCallback) -> Result<Connected> {
        let WaitingLogin { authorization, begun_after, scopes, binding, .. } = *login;
        let begun = BegunLogin::resume(authorization.account().clone(), scopes, begun_after);
        let server = self.lifecycle.server(&begun.account)?.clone();
        if let Some(field) = server.differs_from(&binding) {
            return Err(begun_elsewhere(field));
        }
        let (id, now) = (authorization.state_digest(), self.lifecycle.vault().now().await?);
        let decision = match authorization.accept(callback.response, now) {
            Err(NotGranted::Rejected { error, .. }) => return Err(error),
            Err(NotGranted::Closed(error)) => Err(error),
            Ok(grant) => {
                // A server that cannot be asked now must not cost the login.
                server.prepare_login(grant.asked_for_id_token()).await?;
                Ok(grant)
            }
        };
        self.settle(begun, server, id, decision).await
    }

    /// Closes the login, and exchanges its code where there is one. From then on a caller that goes away does not stop
    /// that: the login is spent, and the server may have made a grant of which nobody would know.
    async fn settle(
        &self,
        begun: BegunLogin,
        server: Arc<AuthorizationServer>,
        id: StateDigest,
        decision: Result<AuthorizationGrant>,
    ) -> Result<Connected> {
        let lifecycle = self.lifecycle.clone();
        let login = self.lifecycle.run_to_its_end(async move {
            if !lifecycle.vault().close_pending_login(id).await? {
                return Err(over());
            }
            let (tokens, nonce) = server.exchange(decision?).await?;
            lifecycle.keep_checked(&begun, &server, tokens, nonce.as_ref()).await
        });
        login.await
    }

    /// Where a hosted login comes back to, as it is sent and as a browser understands it. A redirect URI of the preset's is
    /// for logins on the person's machine.
    fn hosted_redirect_uri(&self, configured: &ProviderConfig) -> Result<(String, Url)> {
        let uri = match (&configured.redirect_uri, self.config.callback_base_url()) {
            (Some(fixed), _) => Url::parse(fixed).ok().map(|url| (fixed.value.clone(), url)),
            (None, Some(base)) => {
                callback_below(base, configured.id.as_str()).map(|url| (url.to_string(), url))
            }
            (None, None) => None,
        };
        uri.filter(|(_, url)| matches!(url.scheme(), "https" | "http")).ok_or_else(|| {
            let id = &configured.id;
            Error::new(ErrorCode::ConfigInvalid, format!("{id} has no address that a browser could come back to"))
                .with_advice("Set callback_base_url = \"https://YOUR.APP\" in [auth], and register the callback there with the provider.")
                .with_provider(id)
        })
    }
}

/// `<base>/auth/<provider>/callback`.
fn callback_below(base: &Url, provider: &str) -> Option<Url> {
    let mut uri = base.clone();
    uri.set_query(None);
    uri.path_segments_mut().ok()?.pop_if_empty().extend(["auth", provider, "callback"]);
    Some(uri)
}

fn check_flow(provider: &Provider) -> Result<()> {
    if provider.flows.contains(&Flow::Hosted) {
        return Ok(());
    }
    let message = format!("{} does not redirect to web apps", provider.id);
    Err(Error::new(ErrorCode::Usage, message)
        .with_advice("Let the person paste the answer, or use another provider.")
        .with_provider(&provider.id))
}

fn begun_elsewhere(field: &str) -> Error {
    let message =
        format!("this login was begun with another {field} than the configuration has now; nothing was sent");
    Error::new(ErrorCode::LoginClosed, message)
}

fn rejected(message: &str) -> Error {
    Error::new(ErrorCode::CallbackRejected, message)
}

fn over() -> Error {
    Error::new(ErrorCode::LoginClosed, "this login is over")
}
