//! A login between its begin and its end.

mod device;
mod redirect;

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::Auth;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::config;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::choice::{Choice, Plan};
use crate::flow::device::{DeviceLogin, DeviceProgress};
use crate::flow::place::Place;
use crate::lifecycle::{BegunLogin, Connected};
use crate::protocol::device::DeviceAuthorization;
use crate::provider::{Flow, asks_for_id_token};
use crate::secret::Secret;
use crate::server::AuthorizationServer;
use device::RunningPoll;
use redirect::RedirectLogin;

/// How to log in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The flow; `None` means the configuration's, and where that says `auto`, the best that can succeed here; see
    /// [`Plan::make`].
    pub flow: Option<Flow>,
    /// Whether the best flow is taken although the configuration names one. A `flow` that is named here counts before it.
    pub best_flow: bool,
    /// Scopes to ask for beside those that are granted already and those that the configuration names (RFC 6749 §3.3).
    /// Without any, the configured ones are asked for and no others.
    pub scopes: Vec<String>,
    /// How long the person may take. `None` means as long as the server's code is good in the device flow, and ten
    /// minutes elsewhere; neither can be made longer. An exchange that has begun by then is not broken off.
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
    plan: Plan,
    until: Option<Timestamp>,
    way: Way,
}

/// How the person's decision comes back.
#[derive(Debug)]
enum Way {
    /// The server tells us when we ask it. The address may hold the user code. `None` once the login is over.
    Device { url: Secret, open: Option<Box<DeviceLogin>>, running: RunningPoll },
    /// The person brings it, in a redirect or by hand.
    Redirect(Box<RedirectLogin>),
}

impl Auth {
    /// Begins a login of `account`. Show [`PendingLogin::authorization_url`] to the person, or let
    /// [`PendingLogin::open_browser`] do so, and then [`PendingLogin::wait`] or [`PendingLogin::finish`]. In the device
    /// flow show what [`PendingLogin::device`] holds. Where no flow is named, one that cannot begin gives way to the next
    /// best; [`PendingLogin::choice`] tells why.
    ///
    /// # Errors
    ///
    /// `usage` for a provider that is neither configured nor a preset, a flow it does not offer, something that is no scope,
    /// or where nobody is there to log in; `not_connected` for a provider that nobody can log in to with this
    /// configuration; `config_invalid` for one that cannot be connected; `unavailable` when its metadata or its
    /// keys cannot be read, the port of its redirect URI is taken, or its device authorization endpoint does not answer;
    /// `client_rejected` and `server_misbehaved` where that endpoint refuses, or answers with something else;
    /// `store_failed`.
    pub async fn connect(&self, account: &AccountKey, options: ConnectOptions) -> Result<PendingLogin> {
        self.config.check_known(&account.provider)?;
        let server = self.lifecycle.server(account).map_err(|_| self.without_login(account))?.clone();
        let configured = self.config.provider(&account.provider)?;
        let begun = self.lifecycle.begin_login(account, &options.scopes).await?;
        let provider = server.prepare_login(asks_for_id_token(&begun.scopes)).await?;
        let of_config = flow_of(configured.flow.value).filter(|_| !options.best_flow);
        let wanted = options.flow.or(of_config);
        let place = self.place(wanted).await;
        let until = options.timeout.map(|timeout| self.ports.clock.now().plus(timeout));
        let begin = async {
            let mut plan = Plan::make(wanted, &provider, place)?;
            loop {
                let begun = match plan.choice().flow {
                    Flow::Device => device::begin(self, &server, &begun.scopes, until).await,
                    flow => RedirectLogin::begin(self, &provider, &begun, flow, until).await,
                };
                match begun {
                    Ok(way) => return Ok((plan, way)),
                    Err(error) => plan.fall_forward(error)?,
                }
            }
        };
        let (plan, way) = begin.await.map_err(|error: Error| error.with_account(account))?;
        Ok(PendingLogin { auth: self.clone(), server, account: account.clone(), begun, plan, until, way })
    }

    /// Where the person's browser is. Whether there is one to start matters only where nobody has `wanted` a flow.
    async fn place(&self, wanted: Option<Flow>) -> Place {
        let browser = self.ports.browser.clone();
        if wanted.is_some() || self.place != Place::Here {
            return self.place;
        }
        let looking = tokio::task::spawn_blocking(move || browser.is_there());
        let is_there = tokio::select! {
            found = looking => found.unwrap_or(true),
            () = self.ports.clock.sleep(BROWSER_DEADLINE) => true,
        };
        if is_there { Place::Here } else { Place::Elsewhere("there is no browser to start here") }
    }
}

impl PendingLogin {
    /// The account that is being connected.
    pub fn account(&self) -> &AccountKey {
        &self.account
    }

    /// The flow that was chosen.
    pub fn flow(&self) -> Flow {
        self.plan.choice().flow
    }

    /// The flow that was chosen, and why it is none better.
    pub fn choice(&self) -> &Choice {
        self.plan.choice()
    }

    /// Where the person logs in. For the person alone: it holds this login's `state`, or may hold the device flow's user
    /// code.
    pub fn authorization_url(&self) -> &str {
        match &self.way {
            // The person has to be sent there; the code in it is theirs to see.
            Way::Device { url, .. } => url.expose(),
            Way::Redirect(login) => login.url(),
        }
    }

    /// What the person needs in the device flow: the code, and where to enter it. `None` in other flows, and once the
    /// login is over.
    pub fn device(&self) -> Option<&DeviceAuthorization> {
        match &self.way {
            Way::Device { open: Some(login), .. } => Some(login.authorization()),
            _ => None,
        }
    }

    /// How far the device flow is, now and later. `None` in other flows, and once the login is over.
    pub fn device_progress(&self) -> Option<watch::Receiver<DeviceProgress>> {
        match &self.way {
            Way::Device { open: Some(login), .. } => Some(login.progress()),
            _ => None,
        }
    }

    /// Until when an answer is accepted; `None` once the login is over.
    pub fn deadline(&self) -> Option<Timestamp> {
        match &self.way {
            Way::Device { .. } => self.device().map(DeviceAuthorization::expires_at),
            Way::Redirect(login) => login.deadline(),
        }
    }

    /// Opens the authorization URL in the person's browser. Where that fails in a loopback login that nobody asked for by
    /// name, a code for another device takes its place if the provider has such codes: look at [`flow`](Self::flow) after
    /// this, and show what it needs.
    ///
    /// # Errors
    ///
    /// `unavailable` where there is no browser, and the flow is as before; the person can still open the address by hand.
    pub async fn open_browser(&mut self) -> Result<()> {
        let Err(error) = self.start_browser().await else { return Ok(()) };
        if !self.plan.lose_browser(&error) {
            return Err(error);
        }
        match device::begin(&self.auth, &self.server, &self.begun.scopes, self.until).await {
            Ok(way) => {
                self.way = way;
                self.plan.change_to_device();
                Ok(())
            }
            Err(refusal) => {
                tracing::info!(account = %self.account, reason = refusal.message(), "no device login either");
                Err(error)
            }
        }
    }

    async fn start_browser(&self) -> Result<()> {
        let browser = self.auth.ports.browser.clone();
        let Ok(url) = Url::parse(self.authorization_url()) else { return Ok(()) };
        let opening = tokio::task::spawn_blocking(move || browser.open(&url));
        tokio::select! {
            opened = opening => opened.unwrap_or(Ok(())),
            // A browser that starts slowly is not a browser that is missing.
            () = self.auth.ports.clock.sleep(BROWSER_DEADLINE) => Ok(()),
        }
    }

    /// Waits for the person's decision, and finishes the login: for the browser to come back, or in the device flow for
    /// the server to say so when it is asked. Redirects that do not answer this login are told so and otherwise ignored.
    /// Dropping the returned future before a decision came leaves the login open.
    ///
    /// # Errors
    ///
    /// `login_closed` after the deadline, or when the login is over; `usage` when this flow has no redirect to wait
    /// for; else as [`finish`](Self::finish), but for `callback_rejected`.
    pub async fn wait(&mut self) -> Result<Connected> {
        let result = match self.flow() {
            Flow::Device => self.poll_until_decided().await,
            _ => match self.check_listens() {
                Ok(()) => self.wait_for_redirect(|_| pending()).await,
                Err(error) => Err(error),
            },
        };
        result.map_err(|error| error.with_account(&self.account))
    }

    /// As [`wait`](Self::wait), and takes what the person brings back by hand as well, whichever comes first.
    ///
    /// `next` is asked for it, and again with the error when what it gave does not answer this login, which goes on
    /// waiting. `None` from it means that nothing more will be brought. It is not asked in the device flow.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait). Where no redirect can come and nothing more is brought, the error of what was brought last,
    /// or `login_closed`.
    pub async fn wait_or_paste<F>(&mut self, next: impl FnMut(Option<Error>) -> F) -> Result<Connected>
    where
        F: Future<Output = Option<Secret>>,
    {
        let result = match self.flow() {
            Flow::Device => self.poll_until_decided().await,
            _ => self.wait_for_redirect(next).await,
        };
        result.map_err(|error| error.with_account(&self.account))
    }

    /// Finishes the login with what the person brings back: `code#state`, or the whole address they ended up at.
    ///
    /// # Errors
    ///
    /// `callback_rejected` when that does not answer this login, which then goes on waiting; `login_closed`,
    /// `access_denied`, `client_rejected`, `account_mismatch`, `unavailable`, `server_misbehaved` and `store_failed`
    /// end it. `usage` in the device flow, where nothing is brought back.
    pub async fn finish(&mut self, pasted: &Secret) -> Result<Connected> {
        self.take_pasted(pasted).await.map_err(|error| error.with_account(&self.account))
    }
}

fn over() -> Error {
    Error::new(ErrorCode::LoginClosed, "this login is over")
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

const BROWSER_DEADLINE: Duration = Duration::from_secs(3);
