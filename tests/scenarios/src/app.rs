//! An app that uses the library, in this process: each value is one "process" with a memory of its own.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::{Auth, ConnectOptions, PendingLogin, Ports};
use loomkin_auth::browser::NoBrowser;
use loomkin_auth::clock::{Clock, SystemClock};
use loomkin_auth::error::{Error, Result};
use loomkin_auth::flow::choice;
use loomkin_auth::flow::device::DeviceProgress;
use loomkin_auth::http::{HttpSettings, ReqwestClient};
use loomkin_auth::lifecycle::{AccessToken, Connected, DisconnectScope, Disconnected, Schedule};
use loomkin_auth::protocol::device::DeviceAuthorization;
use loomkin_auth::secret::Secret;
use loomkin_auth::status::{ConnectionStatus, Me};
use loomkin_auth::store::key::OsKeychain;
use tokio::sync::watch;

use crate::browser::{Browser, Choice, Page};
use crate::canary::Canary;
use crate::command::{hide_answer, redirect_uri};
use crate::home::Home;
use crate::listener::Listener;
use crate::patience::within;
use crate::random::OverheardRandom;

/// The library's handle. Whatever it answers is shown to the canary on its way to the scenario.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) auth: Auth,
    pub(crate) canary: Canary,
    owner: Owner,
}

impl App {
    /// Starts in `home`, by the system's clock.
    ///
    /// # Errors
    ///
    /// As [`Auth::open`].
    pub async fn open(home: &Home) -> Result<Self> {
        Self::open_at(home, Arc::new(SystemClock)).await
    }

    /// Starts in `home`, by `clock`.
    ///
    /// # Errors
    ///
    /// As [`Auth::open`].
    pub async fn open_at(home: &Home, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_with(home, clock, HttpSettings::default().timeout).await
    }

    /// Starts in `home`, by `clock`, and with no more than `timeout` for each request.
    ///
    /// # Errors
    ///
    /// As [`Auth::open`].
    pub async fn open_with(home: &Home, clock: Arc<dyn Clock>, timeout: Duration) -> Result<Self> {
        let canary = home.canary().clone();
        let ports = Ports {
            browser: Arc::new(NoBrowser),
            clock,
            http: Arc::new(ReqwestClient::new(HttpSettings { timeout, ..HttpSettings::default() })?),
            keychain: Arc::new(OsKeychain),
            random: Arc::new(OverheardRandom(canary.clone())),
        };
        let opened = Auth::open_with(home.config(), &home.environment(), ports).await;
        let auth = look(&canary, opened)?;
        canary.see_debug("the configuration", auth.config());
        Ok(Self { auth, canary, owner: Owner::default() })
    }

    /// The same app, for another of its users.
    ///
    /// # Panics
    ///
    /// When nobody can have that name.
    #[must_use]
    pub fn for_owner(&self, owner: &str) -> Self {
        Self { owner: Owner::new(owner).unwrap(), ..self.clone() }
    }

    /// As [`Auth::connect`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn begin(&self, account: &str, options: ConnectOptions) -> Result<Login> {
        let pending = look(&self.canary, self.auth.connect(&self.key(account), options).await)?;
        Ok(Login { canary: self.canary.clone(), pending })
    }

    /// A whole login by the loopback flow, with `user` in front of the browser.
    ///
    /// # Errors
    ///
    /// As [`PendingLogin::wait`].
    pub async fn connect(&self, account: &str, user: &str) -> Result<Connected> {
        self.connect_with(account, &mut Browser::new(user, Choice::Allow).unwrap()).await.0
    }

    /// As [`App::connect`], in a browser that may be known to the server, and with the page that the person sees last.
    pub async fn connect_with(
        &self,
        account: &str,
        browser: &mut Browser,
    ) -> (Result<Connected>, Option<Page>) {
        let mut login = match self.begin(account, ConnectOptions::default()).await {
            Ok(login) => login,
            Err(error) => return (Err(error), None),
        };
        let (url, stop) = (login.url(), login.redirect_uri());
        let (connected, page) =
            within("a login", async { tokio::join!(login.wait(), browser.walk_into(&url, &stop)) }).await;
        let page = page.unwrap();
        self.canary.see("the page after a login", &page.text);
        hide_answer(&self.canary, &page.url);
        (connected, Some(page))
    }

    /// As [`Auth::access_token`]; the token is a secret from then on.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn token(&self, account: &str) -> Result<String> {
        let account = self.key(account);
        let token = within("a token", self.auth.access_token(&account)).await;
        look(&self.canary, token).map(|token| self.keep(&token))
    }

    /// As [`Auth::fresh_token`]; the token is a secret from then on.
    pub fn fresh_token(&self, account: &str) -> Option<String> {
        self.auth.fresh_token(&self.key(account)).map(|token| self.keep(&token))
    }

    /// As [`Auth::renew_ahead`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn renew_ahead(&self) -> Result<Schedule> {
        look(&self.canary, self.auth.renew_ahead())
    }

    /// As [`Auth::disconnect`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn disconnect(&self, account: &str) -> Result<Disconnected> {
        let ended = self.auth.disconnect(&self.key(account), DisconnectScope::Everywhere).await;
        look(&self.canary, ended)
    }

    /// As [`Auth::retry_revocations`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn retry_revocations(&self) -> Result<()> {
        look(&self.canary, within("the revocations", self.auth.retry_revocations()).await)
    }

    /// The status of one account.
    ///
    /// # Panics
    ///
    /// When it has none.
    pub async fn status(&self, account: &str) -> ConnectionStatus {
        let rows = look(&self.canary, self.auth.status(&self.owner).await).unwrap();
        rows.into_iter().find(|row| row.account == self.key(account)).unwrap()
    }

    /// As [`Auth::me`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn me(&self) -> Result<Me> {
        look(&self.canary, self.auth.me(&self.owner).await)
    }

    /// As [`Auth::subscribe`], for everybody.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn listen(&self) -> Result<Listener> {
        Ok(Listener::new(self.canary.clone(), self.auth.subscribe(None).await?))
    }

    /// As [`Auth::close`].
    pub async fn close(&self) {
        self.auth.close().await;
    }

    fn key(&self, account: &str) -> AccountKey {
        account.parse::<AccountKey>().unwrap().for_owner(self.owner.clone())
    }

    pub(crate) fn keep(&self, token: &AccessToken) -> String {
        // A scenario compares tokens, and the canary searches for them.
        let text = token.secret().expose().to_owned();
        self.canary.hide(&text);
        text
    }
}

/// A login that waits for the person.
#[derive(Debug)]
pub struct Login {
    canary: Canary,
    pending: PendingLogin,
}

impl Login {
    /// Where the person goes.
    pub fn url(&self) -> String {
        self.pending.authorization_url().to_owned()
    }

    /// How it was decided what they have to do.
    pub fn choice(&self) -> &choice::Choice {
        self.pending.choice()
    }

    /// As [`PendingLogin::open_browser`]; no app here has a browser.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn open_browser(&mut self) -> Result<()> {
        look(&self.canary, self.pending.open_browser().await)
    }

    /// What they need in the device flow.
    ///
    /// # Panics
    ///
    /// When this is another flow, or over.
    pub fn device(&self) -> &DeviceAuthorization {
        self.pending.device().unwrap()
    }

    /// How far the device flow is.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn progress(&self) -> watch::Receiver<DeviceProgress> {
        self.pending.device_progress().unwrap()
    }

    /// Where they come back to.
    ///
    /// # Panics
    ///
    /// When the URL does not say.
    pub fn redirect_uri(&self) -> String {
        redirect_uri(self.pending.authorization_url())
    }

    /// Whether an answer is still accepted.
    pub fn is_open(&self) -> bool {
        self.pending.deadline().is_some()
    }

    /// As [`PendingLogin::wait`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn wait(&mut self) -> Result<Connected> {
        look(&self.canary, self.pending.wait().await)
    }

    /// As [`PendingLogin::wait_or_paste`], with a person who pastes these texts one after the other.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn wait_or_paste(&mut self, pasted: &[&str]) -> Result<Connected> {
        let mut pasted = pasted.iter().copied();
        let ended = self.pending.wait_or_paste(|rejected| {
            rejected.iter().for_each(|error| self.canary.see_error(error));
            std::future::ready(pasted.next().map(Secret::new))
        });
        let ended = ended.await;
        look(&self.canary, ended)
    }

    /// As [`PendingLogin::finish`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn finish(&mut self, pasted: &str) -> Result<Connected> {
        look(&self.canary, self.pending.finish(&Secret::new(pasted)).await)
    }
}

pub(crate) fn key(account: &str) -> AccountKey {
    account.parse().unwrap()
}

pub(crate) fn look<T: Debug>(canary: &Canary, result: Result<T, Error>) -> Result<T, Error> {
    match &result {
        Ok(value) => canary.see_debug("a result", value),
        Err(error) => canary.see_error(error),
    }
    result
}
