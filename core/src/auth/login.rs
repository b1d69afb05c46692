//! A login between its begin and its end.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::Auth;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::config;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::loopback::{LoopbackListener, Page};
use crate::lifecycle::{BegunLogin, Connected};
use crate::protocol::authorization::{self, AuthorizationUrl, PendingAuthorization};
use crate::protocol::redirect::{AuthorizationGrant, AuthorizationResponse, NotGranted};
use crate::provider::{Flow, Provider};
use crate::secret::Secret;
use crate::server::AuthorizationServer;

/// How to log in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The flow; `None` means the configuration's, and where that says `auto`, the provider's best.
    pub flow: Option<Flow>,
    /// How long the person may take; ten minutes at most, which is also what `None` means. An exchange that has begun
    /// by then is not broken off.
    pub timeout: Option<Duration>,
}

/// A login that waits for the person. Any number can be open at once, and none disturbs another; dropping one
/// cancels it, and so does disconnecting its account, in whichever process. Nothing that is stored changes before it
/// succeeds.
#[derive(Debug)]
pub struct PendingLogin {
    auth: Auth,
    server: Arc<AuthorizationServer>,
    account: AccountKey,
    begun: BegunLogin,
    flow: Flow,
    url: AuthorizationUrl,
    pending: Option<PendingAuthorization>,
    listener: Option<LoopbackListener>,
}

impl Auth {
    /// Begins a login of `account`. Show [`PendingLogin::authorization_url`] to the person, or let
    /// [`PendingLogin::open_browser`] do so, and then [`PendingLogin::wait`] or [`PendingLogin::finish`].
    ///
    /// # Errors
    ///
    /// `usage` for a provider that is not configured or a flow it does not offer; `config_invalid` for one that cannot
    /// be connected; `unavailable` when its metadata cannot be read or the port of its redirect URI is taken;
    /// `store_failed`.
    pub async fn connect(&self, account: &AccountKey, options: ConnectOptions) -> Result<PendingLogin> {
        let configured = self.config.provider(&account.provider)?;
        let server = self.lifecycle.server(account)?.clone();
        let begun = self.lifecycle.begin_login(account).await?;
        let provider = server.provider().await?;
        let flow = choose_flow(provider, options.flow.or(flow_of(configured.flow.value)))?;
        let fixed = provider.redirect_uri.as_deref();
        let listener = match flow {
            Flow::Loopback => {
                Some(LoopbackListener::bind(fixed.and_then(|uri| Url::parse(uri).ok()).as_ref()).await?)
            }
            _ => None,
        };
        let redirect_uri = match (&listener, fixed) {
            (Some(listener), _) => listener.redirect_uri().as_str(),
            (None, Some(fixed)) => fixed,
            (None, None) => return Err(no_redirect_uri(account)),
        };
        let now = self.ports.clock.now();
        let (url, pending) = authorization::request_authorization(
            provider,
            account.clone(),
            redirect_uri,
            now,
            &*self.ports.random,
        )?;
        let pending = match options.timeout {
            Some(timeout) => pending.finish_by(now.plus(timeout)),
            None => pending,
        };
        Ok(PendingLogin {
            auth: self.clone(),
            server,
            account: account.clone(),
            begun,
            flow,
            url,
            pending: Some(pending),
            listener,
        })
    }
}

impl PendingLogin {
    /// The account that is being connected.
    pub fn account(&self) -> &AccountKey {
        &self.account
    }

    /// The flow that was chosen.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Where the person logs in. For the person alone: it holds this login's `state`.
    pub fn authorization_url(&self) -> &str {
        // The person has to be sent there.
        self.url.expose()
    }

    /// Until when an answer is accepted; `None` once the login is over.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.pending.as_ref().map(PendingAuthorization::deadline)
    }

    /// Opens the authorization URL in the person's browser.
    ///
    /// # Errors
    ///
    /// `unavailable` where there is none; the person can still open the address by hand.
    pub async fn open_browser(&self) -> Result<()> {
        let browser = self.auth.ports.browser.clone();
        let Ok(url) = Url::parse(self.authorization_url()) else { return Ok(()) };
        let opening = tokio::task::spawn_blocking(move || browser.open(&url));
        tokio::select! {
            opened = opening => opened.unwrap_or(Ok(())),
            // A browser that starts slowly is not a browser that is missing.
            () = self.auth.ports.clock.sleep(BROWSER_DEADLINE) => Ok(()),
        }
    }

    /// Waits for the browser to come back, and finishes the login. Redirects that do not answer this login are told
    /// so and otherwise ignored. Dropping the returned future before one came leaves the login open.
    ///
    /// # Errors
    ///
    /// `login_closed` after the deadline, or when the login is over; `usage` when this flow has no redirect to wait
    /// for; else as [`finish`](Self::finish), but for `callback_rejected`.
    pub async fn wait(&mut self) -> Result<Connected> {
        let result = loop {
            let Some(deadline) = self.deadline() else { break Err(self.over()) };
            let Some(listener) = &mut self.listener else {
                let message = format!("the {} flow waits for a pasted answer", self.flow);
                break Err(Error::new(ErrorCode::Usage, message).with_account(&self.account));
            };
            let time_left = deadline.time_left(self.auth.ports.clock.now());
            let redirect = tokio::select! {
                redirect = listener.next() => redirect,
                () = self.auth.ports.clock.sleep(time_left) => None,
            };
            let Some(redirect) = redirect else {
                self.pending = None;
                break Err(Error::new(ErrorCode::LoginClosed, "nobody came back from the browser in time")
                    .with_account(&self.account));
            };
            // The query is read to find the answer in it.
            match self.accept(AuthorizationResponse::read(redirect.query.expose())) {
                Ok(grant) => {
                    let connected = self.complete(grant).await;
                    redirect.answer(match &connected {
                        Ok(connected) => Page::connected(&connected.account.to_string()),
                        Err(error) => Page::failed(error.message()),
                    });
                    break connected;
                }
                Err(error) if self.pending.is_some() => {
                    tracing::warn!(account = %self.account, reason = error.message(), "a redirect was rejected");
                    redirect.answer(Page::rejected());
                }
                Err(error) => {
                    redirect.answer(Page::failed(error.message()));
                    break Err(error);
                }
            }
        };
        if let Some(listener) = self.listener.take() {
            listener.close().await;
        }
        result
    }

    /// Finishes the login with what the person brings back: `code#state`, or the whole address they ended up at.
    ///
    /// # Errors
    ///
    /// `callback_rejected` when that does not answer this login, which then goes on waiting; `login_closed`,
    /// `access_denied`, `client_rejected`, `account_mismatch`, `unavailable`, `server_misbehaved` and `store_failed`
    /// end it.
    pub async fn finish(&mut self, pasted: &Secret) -> Result<Connected> {
        // The pasted text is read to find the answer in it.
        let grant = self.accept(AuthorizationResponse::read_pasted(pasted.expose()))?;
        self.complete(grant).await
    }

    fn accept(&mut self, response: Result<AuthorizationResponse>) -> Result<AuthorizationGrant> {
        let pending = self.pending.take().ok_or_else(|| self.over())?;
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                self.pending = Some(pending);
                return Err(error.with_account(&self.account));
            }
        };
        pending.accept(response, self.auth.ports.clock.now()).map_err(|refusal| match refusal {
            NotGranted::Closed(error) => error,
            NotGranted::Rejected { pending, error } => {
                self.pending = Some(*pending);
                error
            }
        })
    }

    /// Exchanges the code and stores what it yields. Once the code is on its way, a caller that goes away does not stop
    /// that: the server may have made a grant, and nobody would know of it.
    async fn complete(&self, grant: AuthorizationGrant) -> Result<Connected> {
        let (lifecycle, server, begun) =
            (self.auth.lifecycle.clone(), self.server.clone(), self.begun.clone());
        let login = self.auth.lifecycle.run_to_its_end(async move {
            let (tokens, identity) = server.log_in(grant).await?;
            lifecycle.keep_login(&begun, &server, tokens, identity).await
        });
        login.await.map_err(|error| error.with_account(&self.account))
    }

    fn over(&self) -> Error {
        Error::new(ErrorCode::LoginClosed, "this login is over").with_account(&self.account)
    }
}

fn choose_flow(provider: &Provider, wanted: Option<Flow>) -> Result<Flow> {
    let offered = |flow: &Flow| matches!(flow, Flow::Loopback | Flow::Paste) && provider.flows.contains(flow);
    let chosen = match wanted {
        // Any redirect can be brought back by hand where the provider fixes no address.
        Some(Flow::Paste) => Some(Flow::Paste),
        Some(flow) => offered(&flow).then_some(flow),
        None => provider.flows.iter().copied().find(offered),
    };
    chosen.ok_or_else(|| {
        let wanted = wanted.map_or_else(|| "any".to_owned(), |flow| flow.to_string());
        Error::new(ErrorCode::Usage, format!("{} cannot be connected by the {wanted} flow here", provider.id))
            .with_advice("Choose `loopback` or `paste`.")
            .with_provider(&provider.id)
    })
}

fn flow_of(configured: config::Flow) -> Option<Flow> {
    match configured {
        config::Flow::Auto => None,
        config::Flow::Device => Some(Flow::Device),
        config::Flow::Hosted => Some(Flow::Hosted),
        config::Flow::Loopback => Some(Flow::Loopback),
        config::Flow::Paste => Some(Flow::Paste),
    }
}

fn no_redirect_uri(account: &AccountKey) -> Error {
    Error::new(ErrorCode::ConfigInvalid, format!("{account} has no redirect_uri to paste an answer from"))
        .with_advice(
            "Set redirect_uri to the page that the provider shows the code on, or choose the loopback flow.",
        )
        .with_account(account)
}

const BROWSER_DEADLINE: Duration = Duration::from_secs(3);
