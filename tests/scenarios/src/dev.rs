//! A dev-provider and a home that is configured for it.

use std::time::Duration;

use loomkin_auth::clock::Clock as _;
use loomkin_auth::error::Result;
use loomkin_auth::flow::device::DeviceProgress;
use loomkin_auth_dev_provider::{Client, DevProvider, Redirects, Settings};
use tokio::sync::watch;

use crate::app::App;
use crate::canary::Canary;
use crate::clock::MovedClock;
use crate::home::Home;
use crate::postgres::Postgres;

/// The stage of a scenario: an authorization server that this process owns, and the home of its clients.
#[derive(Debug)]
pub struct Dev {
    /// The server.
    pub provider: DevProvider,
    /// The home; its configuration calls the server `dev`.
    pub home: Home,
}

impl Dev {
    /// A server that punishes reuse, and a home with a confidential client of it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// As [`Dev::start`], with other settings; their clients and their prefix are replaced.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn start_with(settings: Settings) -> Self {
        let secret = Some(Home::CLIENT_SECRET.to_owned());
        let client = Client { id: CLIENT.to_owned(), redirects: Redirects::Any, secret };
        let prefix = Canary::PREFIX.to_owned();
        let settings = Settings { clients: vec![client], token_prefix: prefix, ..settings };
        let provider = DevProvider::start(settings).await.unwrap();
        let home = Home::new(&table(provider.issuer(), ""));
        Self { provider, home }
    }

    /// Adds `lines` to the provider's table in the configuration.
    pub fn configure(&self, lines: &str) {
        self.home.write_providers(&table(self.provider.issuer(), lines));
    }

    /// Keeps the store of every process that starts from now on in the database at `url`.
    pub fn share_store(&self, url: &str) {
        self.home.canary().hide(Postgres::PASSWORD);
        self.home.set_variable("DATABASE_URL", url);
        let store =
            "[auth.store]\nbackend = \"postgres\"\nurl = \"${DATABASE_URL}\"\nkey = \"env:STORE_KEY\"\n\n";
        self.home.write_config(&format!("{store}{}", table(self.provider.issuer(), "")));
    }

    /// Another host: a home of its own with the present configuration. It has nothing of the first but what the
    /// configuration lets them share.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn another_host(&self) -> Home {
        let host = Home::new("");
        host.write_config(&std::fs::read_to_string(self.home.path(".loomkin.toml")).unwrap());
        for (name, value) in self.home.variables().into_iter().filter(|(name, _)| name == "DATABASE_URL") {
            host.canary().hide(Postgres::PASSWORD);
            host.set_variable(&name, &value);
        }
        host
    }

    /// An app in the home.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn app(&self) -> App {
        App::open(&self.home).await.unwrap()
    }

    /// An app whose account `dev` is connected, and whose access token has ended.
    ///
    /// # Panics
    ///
    /// When the login fails.
    pub async fn expired(&self) -> App {
        let app = self.app().await;
        self.connect_expired(&app, "dev").await.unwrap();
        app
    }

    /// Connects `account` with an access token that has ended when it comes.
    ///
    /// # Errors
    ///
    /// As [`App::connect`].
    pub async fn connect_expired(&self, app: &App, account: &str) -> Result<()> {
        self.provider.next_access_token_lifetimes([Duration::ZERO]);
        app.connect(account, "ada").await.map(drop)
    }

    /// Puts the server's clock and the `app`'s forward together, as time does.
    pub fn advance(&self, app: &MovedClock, by: Duration) {
        self.provider.advance(by);
        app.advance(by);
    }

    /// Lets time pass for a device login, on both sides: whenever it waits for its next poll, that moment comes at once.
    /// Goes on until it is dropped.
    pub async fn pass_time(&self, app: &MovedClock, mut progress: watch::Receiver<DeviceProgress>) {
        loop {
            // While a poll is under way no time passes.
            app.has_sleepers().await;
            let next_poll_at = progress.borrow_and_update().next_poll_at;
            // The app counts milliseconds and the server counts finer: a poll must not come a part of one too early.
            self.advance(app, next_poll_at.time_left(app.now()) + Duration::from_millis(1));
            if progress.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// How many refresh requests have arrived.
    pub fn refreshes(&self) -> usize {
        self.provider.count_token_requests("refresh_token")
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // The home is dropped next, and asks the canary.
        for secret in self.provider.issued_secrets() {
            self.home.canary().hide(secret);
        }
    }
}

fn table(issuer: &str, lines: &str) -> String {
    format!(
        "[auth]\n\
         callback_base_url = \"{}\"\n\n\
         [auth.dev]\n\
         issuer = \"{issuer}\"\n\
         client_id = \"{CLIENT}\"\n\
         client_secret = \"${{CLIENT_SECRET}}\"\n\
         scopes = [\"openid\", \"profile\"]\n\
         {lines}\n",
        Home::BASE_URL,
    )
}

const CLIENT: &str = "scenario-client";
