//! Where kills happen: a server that punishes reuse, and hosts that share one store.

use std::time::Duration;

use super::trail::Trail;
use crate::app::App;
use crate::command::Ran;
use crate::dev::Dev;
use crate::home::Home;
use crate::oidc::Oidc;
use crate::peer::Peer as _;
use crate::postgres::Database;

/// The stage of a scenario of kills.
#[derive(Debug)]
pub struct Stage {
    pub(crate) server: Server,
    /// The hosts beside the server's own home; without a shared database there is none.
    other_hosts: Vec<Home>,
    /// Where it is not a file.
    database: Option<Database>,
}

#[derive(Debug)]
pub(crate) enum Server {
    Dev(Dev),
    Oidc(Oidc),
}

impl Stage {
    /// The processes of one host, and the dev-provider.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn with_dev_provider() -> Self {
        Self { server: Server::Dev(Dev::start().await), other_hosts: Vec::new(), database: None }
    }

    /// The processes of one host, and oidc-provider.
    ///
    /// # Panics
    ///
    /// When it is not installed.
    pub async fn with_oidc_provider() -> Self {
        Self { server: Server::Oidc(Oidc::start().await), other_hosts: Vec::new(), database: None }
    }

    /// Two hosts that share `database` and nothing else, and the dev-provider.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn with_two_hosts(database: Database) -> Self {
        let dev = Dev::start().await;
        dev.share_store(&database.url());
        let other_hosts = vec![dev.another_host()];
        Self { server: Server::Dev(dev), other_hosts, database: Some(database) }
    }

    /// The dev-provider.
    ///
    /// # Panics
    ///
    /// When it is another.
    pub fn dev(&self) -> &Dev {
        match &self.server {
            Server::Dev(dev) => dev,
            Server::Oidc(_) => panic!("this is a scenario for the dev-provider"),
        }
    }

    /// The database of the store, where it is not a file.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Every home in which processes may start.
    pub fn hosts(&self) -> Vec<&Home> {
        let own = match &self.server {
            Server::Dev(dev) => &dev.home,
            Server::Oidc(oidc) => &oidc.home,
        };
        std::iter::once(own).chain(&self.other_hosts).collect()
    }

    /// An app on the first host.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub(crate) async fn app(&self) -> App {
        App::open(self.hosts()[0]).await.unwrap()
    }

    /// The account called `name` at the server.
    pub(crate) fn account(&self, name: &str) -> String {
        match &self.server {
            Server::Dev(_) => format!("dev/{name}"),
            Server::Oidc(_) => format!("idp/{name}"),
        }
    }

    /// How long every access token works that is made from now on.
    pub(crate) async fn set_access_token_lifetime(&self, lifetime: Duration) {
        match &self.server {
            Server::Dev(dev) => dev.provider.set_access_token_lifetime(lifetime),
            Server::Oidc(oidc) => oidc.server.set_access_token_lifetime(lifetime).await.unwrap(),
        }
    }

    /// Whether the server has used and replaced `refresh_token`.
    pub(crate) async fn was_spent(&self, refresh_token: &str) -> bool {
        match &self.server {
            Server::Dev(dev) => dev.provider.was_spent(refresh_token),
            Server::Oidc(oidc) => oidc.server.was_spent(refresh_token).await.unwrap(),
        }
    }

    /// How many refresh requests the server was sent.
    pub(crate) async fn refreshes(&self) -> u64 {
        match &self.server {
            Server::Dev(dev) => u64::try_from(dev.refreshes()).unwrap(),
            Server::Oidc(oidc) => oidc.refreshes().await,
        }
    }

    /// What 45 seconds do where nobody can see that a holder is dead: they end the leases of `killed`, and no others.
    pub(crate) fn end_leases_of(&self, killed: &Ran) {
        let Some(database) = &self.database else { return };
        let attempts = Trail::read(&killed.stderr).attempts;
        let beginnings: Vec<_> = attempts
            .iter()
            .rev()
            .take(MOST_CLAIMS)
            .filter_map(|attempt| attempt.strip_prefix("AttemptId(")?.strip_suffix("…)"))
            .map(|beginning| format!("'{beginning}'"))
            .collect();
        if !beginnings.is_empty() {
            database.sql(&format!(
                "UPDATE loomkin_auth.claim SET deadline = 0
                 WHERE left(encode(attempt, 'hex'), 8) IN ({})",
                beginnings.join(", ")
            ));
        }
    }
}

/// More than any process can hold at once here.
const MOST_CLAIMS: usize = 50;
