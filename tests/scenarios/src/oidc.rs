//! A real OpenID provider and a home that is configured for it.

use std::time::Duration;

use loomkin_auth::clock::{Clock as _, SystemClock};
use loomkin_auth::error::Result;

use crate::app::App;
use crate::browser::Browser;
use crate::home::Home;
use crate::oidc_provider::OidcProvider;
use crate::peer::Peer;

/// The stage of a scenario: the server, and the home of its clients.
#[derive(Debug)]
pub struct Oidc<P = OidcProvider> {
    /// The server.
    pub server: P,
    /// The home; its configuration calls the server `idp`.
    pub home: Home,
}

impl<P: Peer> Oidc<P> {
    /// Starts both. Access tokens work for an hour unless the scenario says otherwise.
    ///
    /// # Panics
    ///
    /// When the server is not installed.
    pub async fn start() -> Self {
        let server = P::start(HOUR).await.unwrap();
        let lines = format!("client_id = \"{}\"\n{SCOPES}", P::CLIENT);
        let home = Home::new(&table(server.issuer(), &lines));
        Self { server, home }
    }

    /// Puts another configuration of the server into place: its issuer, and `lines`.
    pub fn configure(&self, lines: &str) {
        self.home.write_providers(&table(self.server.issuer(), lines));
    }

    /// As [`Oidc::configure`], for the client with a secret: `secret`, presented by `method`.
    pub fn configure_confidential(&self, secret: &str, method: &str) {
        let client = P::CONFIDENTIAL_CLIENT;
        self.configure(&format!(
            "client_id = \"{client}\"\nclient_secret = \"{secret}\"\nauth_method = \"{method}\"\n{SCOPES}"
        ));
    }

    /// Connects `accounts` with access tokens that have ended when this returns; those that come later last an hour.
    ///
    /// # Errors
    ///
    /// As [`App::connect`].
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    pub async fn connect_expired(&self, app: &App, accounts: &[String]) -> Result<()> {
        // Long enough for a busy machine to ask who the account is, with it.
        self.server.set_access_token_lifetime(Duration::from_secs(3)).await.unwrap();
        let mut browser = Browser::new("ada", crate::browser::Choice::Allow).unwrap();
        for account in accounts {
            app.connect_with(account, &mut browser).await.0?;
        }
        self.server.set_access_token_lifetime(HOUR).await.unwrap();
        if let Some(last) = accounts.last()
            && let Some(end) = app.status(last).await.expires_at
        {
            tokio::time::sleep(end.time_left(SystemClock.now())).await;
        }
        Ok(())
    }

    /// How many refresh requests the server has processed.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub async fn refreshes(&self) -> u64 {
        self.server.count_token_requests("refresh_token").await.unwrap()
    }
}

fn table(issuer: &str, lines: &str) -> String {
    let base_url = Home::BASE_URL;
    format!("[auth]\ncallback_base_url = \"{base_url}\"\n\n[auth.idp]\nissuer = \"{issuer}\"\n{lines}\n")
}

const HOUR: Duration = Duration::from_secs(3600);
const SCOPES: &str = "scopes = [\"openid\", \"offline_access\", \"email\"]";
