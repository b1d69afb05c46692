//! The real OpenID provider and a home that is configured for it.

use std::time::Duration;

use loomkin_auth::clock::{Clock as _, SystemClock};
use loomkin_auth::error::Result;

use crate::app::App;
use crate::browser::Browser;
use crate::home::Home;
use crate::oidc_provider::OidcProvider;

/// The stage of a scenario: the server as a child process, and the home of its clients.
#[derive(Debug)]
pub struct Oidc {
    /// The server.
    pub server: OidcProvider,
    /// The home; its configuration calls the server `idp`.
    pub home: Home,
}

impl Oidc {
    /// Starts both. Access tokens work for an hour unless the scenario says otherwise.
    ///
    /// # Panics
    ///
    /// When the server is not installed.
    pub async fn start() -> Self {
        let server = OidcProvider::start(HOUR).await.unwrap();
        let home = Home::new(&format!(
            "[auth]\n\
             callback_base_url = \"{}\"\n\n\
             [auth.idp]\n\
             issuer = \"{}\"\n\
             client_id = \"{}\"\n\
             scopes = [\"openid\", \"offline_access\", \"email\"]\n",
            Home::BASE_URL,
            server.issuer(),
            OidcProvider::CLIENT,
        ));
        Self { server, home }
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
        // No shorter one can be had from this server.
        self.server.set_access_token_lifetime(Duration::from_secs(1)).await.unwrap();
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

const HOUR: Duration = Duration::from_secs(3600);
