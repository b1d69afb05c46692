//! A user of a web app, whose browser carries what its nodes and the provider give it.

use loomkin_auth::account::{Owner, ProviderId};
use loomkin_auth::auth::{HostedCallback, HostedLogin, HostedOptions};
use loomkin_auth::error::Result;
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::protocol::state::StateDigest;
use loomkin_auth::secret::Secret;
use url::Url;

use crate::app::{App, look};
use crate::browser::Browser;
use crate::command::hide_answer;
use crate::patience::within;

/// Who is signed in to the app, and the browser in front of them.
#[derive(Debug)]
pub struct Visitor {
    owner: Owner,
    browser: Browser,
}

/// A hosted login that a visitor has begun.
#[derive(Debug)]
pub struct Visit {
    /// What the app cancels it by.
    pub id: StateDigest,
    url: String,
    redirect_uri: String,
}

impl Visit {
    pub(crate) fn new(id: StateDigest, url: String, redirect_uri: String) -> Self {
        Self { id, url, redirect_uri }
    }
}

impl Visitor {
    /// The app's user `owner` with `browser`.
    ///
    /// # Panics
    ///
    /// When that is no owner's id.
    pub fn new(owner: &str, browser: Browser) -> Self {
        Self { owner: Owner::new(owner).unwrap(), browser }
    }

    /// Their id in the app.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The same user at another browser.
    #[must_use]
    pub fn at(&self, browser: Browser) -> Self {
        Self { owner: self.owner.clone(), browser }
    }

    /// Keeps the cookie of the answer to a begin, as any browser does.
    pub(crate) fn take_cookie(&mut self, visit: &Visit, set_cookie: &str) {
        self.browser.take_cookie(&Url::parse(&visit.redirect_uri).unwrap(), set_cookie);
    }

    /// The `Cookie` header of a request for `address`.
    pub(crate) fn cookies_for(&self, address: &Url) -> String {
        self.browser.cookies_for(address).unwrap_or_default()
    }

    /// Goes to the provider, and to where that sends them; the app has not been asked for that address yet.
    ///
    /// # Panics
    ///
    /// When the provider's pages lead elsewhere.
    pub async fn decide(&mut self, visit: &Visit) -> Url {
        within("the provider", self.browser.walk(&visit.url, &visit.redirect_uri)).await.unwrap()
    }
}

impl App {
    /// Begins a login of `account` for `visitor`, whose browser gets its cookie.
    ///
    /// # Errors
    ///
    /// As [`Auth::begin_hosted`](loomkin_auth::auth::Auth::begin_hosted).
    pub async fn begin_hosted(&self, account: &str, visitor: &mut Visitor) -> Result<Visit> {
        let account = crate::app::key(account).for_owner(visitor.owner.clone());
        let login = self.auth.begin_hosted(&account, HostedOptions::default()).await;
        let login: HostedLogin = look(&self.canary, login)?;
        self.canary.see_debug("a cookie", login.cookie());
        let visit =
            Visit::new(login.id(), login.authorization_url().to_owned(), login.redirect_uri().to_owned());
        // To the browser it is no secret.
        visitor.take_cookie(&visit, login.cookie().set_cookie().expose());
        Ok(visit)
    }

    /// What the callback of this node answers to `visitor`, who was sent to `address`.
    ///
    /// # Errors
    ///
    /// As [`Auth::finish_hosted`](loomkin_auth::auth::Auth::finish_hosted).
    pub async fn finish_hosted(&self, visitor: &Visitor, address: &Url) -> Result<Connected> {
        hide_answer(&self.canary, address);
        let route: Vec<_> = address.path_segments().unwrap().collect();
        let ["auth", provider, "callback"] = route[..] else { panic!("no callback") };
        let query = Secret::new(address.query().unwrap_or_default());
        let callback = look(&self.canary, HostedCallback::read(ProviderId::new(provider)?, &query))?;
        let cookies = Secret::new(visitor.cookies_for(address));
        let finishing = self.auth.finish_hosted(&visitor.owner, callback.with_cookies(&cookies));
        look(&self.canary, within("a hosted login", finishing).await)
    }

    /// As [`Auth::cancel_hosted`](loomkin_auth::auth::Auth::cancel_hosted).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn cancel_hosted(&self, visitor: &Visitor, visit: &Visit) -> Result<bool> {
        look(&self.canary, self.auth.cancel_hosted(&visitor.owner, visit.id).await)
    }

    /// A token of `visitor`'s account; it is a secret from then on.
    ///
    /// # Errors
    ///
    /// As [`Auth::access_token`](loomkin_auth::auth::Auth::access_token).
    pub async fn token_of(&self, visitor: &Visitor, account: &str) -> Result<String> {
        let account = crate::app::key(account).for_owner(visitor.owner.clone());
        let token = within("a token", self.auth.access_token(&account)).await;
        look(&self.canary, token).map(|token| self.keep(&token))
    }
}
