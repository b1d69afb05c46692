//! A login between its begin and its end.

mod device;
mod redirect;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::Auth;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::config;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::device::{DeviceLogin, DeviceProgress};
use crate::lifecycle::{BegunLogin, Connected};
use crate::protocol::device::DeviceAuthorization;
use crate::provider::{Flow, Provider};
use crate::secret::Secret;
use crate::server::AuthorizationServer;
use redirect::RedirectLogin;

/// How to log in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The flow; `None` means the configuration's, and where that says `auto`, the provider's best.
    pub flow: Option<Flow>,
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
    flow: Flow,
    way: Way,
}

/// How the person's decision comes back.
#[derive(Debug)]
enum Way {
    /// The server tells us when we ask it. The address may hold the user code. `None` once the login is over.
    Device { url: Secret, open: Option<Box<DeviceLogin>> },
    /// The person brings it, in a redirect or by hand.
    Redirect(Box<RedirectLogin>),
}

impl Auth {
    /// Begins a login of `account`. Show [`PendingLogin::authorization_url`] to the person, or let
    /// [`PendingLogin::open_browser`] do so, and then [`PendingLogin::wait`] or [`PendingLogin::finish`]. In the device
    /// flow show what [`PendingLogin::device`] holds.
    ///
    /// # Errors
    ///
    /// `usage` for a provider that is not configured or a flow it does not offer; `config_invalid` for one that cannot
    /// be connected; `unavailable` when its metadata cannot be read, the port of its redirect URI is taken, or its device
    /// authorization endpoint does not answer; `client_rejected` and `server_misbehaved` where that endpoint refuses, or
    /// answers with something else; `store_failed`.
    pub async fn connect(&self, account: &AccountKey, options: ConnectOptions) -> Result<PendingLogin> {
        let configured = self.config.provider(&account.provider)?;
        let server = self.lifecycle.server(account).map_err(|refused| self.mended(account, refused))?.clone();
        let begun = self.lifecycle.begin_login(account).await?;
        let provider = server.provider().await?;
        let flow = choose_flow(provider, options.flow.or(flow_of(configured.flow.value)))?;
        let way = match flow {
            Flow::Device => device::begin(self, &server, options.timeout).await,
            _ => RedirectLogin::begin(self, provider, account, flow, options.timeout).await,
        };
        let way = way.map_err(|error| error.with_account(account))?;
        Ok(PendingLogin { auth: self.clone(), server, account: account.clone(), begun, flow, way })
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

    /// Waits for the person's decision, and finishes the login: for the browser to come back, or in the device flow for
    /// the server to say so when it is asked. Redirects that do not answer this login are told so and otherwise ignored.
    /// Dropping the returned future before a decision came leaves the login open.
    ///
    /// # Errors
    ///
    /// `login_closed` after the deadline, or when the login is over; `usage` when this flow has no redirect to wait
    /// for; else as [`finish`](Self::finish), but for `callback_rejected`.
    pub async fn wait(&mut self) -> Result<Connected> {
        let result = match self.flow {
            Flow::Device => self.poll_until_decided().await,
            _ => self.wait_for_redirect().await,
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

/// The `wanted` flow, or the best of those that the provider offers and that end here. The device flow and pasting need
/// no word of the preset's: the first has an endpoint or has not, and any redirect can be brought back by hand.
fn choose_flow(provider: &Provider, wanted: Option<Flow>) -> Result<Flow> {
    let offered = |flow: &Flow| *flow != Flow::Hosted && provider.flows.contains(flow);
    let chosen = match wanted {
        Some(Flow::Device) => provider.device_authorization_endpoint().map(|_| wanted)?,
        Some(Flow::Paste) => wanted,
        Some(flow) => offered(&flow).then_some(flow),
        None => provider.flows.iter().copied().find(offered),
    };
    chosen.ok_or_else(|| {
        let wanted = wanted.map_or_else(|| "any".to_owned(), |flow| flow.to_string());
        Error::new(ErrorCode::Usage, format!("{} cannot be connected by the {wanted} flow here", provider.id))
            .with_advice("Choose `loopback`, `device` or `paste`.")
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

const BROWSER_DEADLINE: Duration = Duration::from_secs(3);
