//! The life of a connection between login and disconnect: the only place that joins the store and the network.
//!
//! A refresh is a transaction: *claim → re-read → adopt or spend → commit → publish*.
//!
//! - The **claim** is taken in the store, so that of all tasks, processes and hosts one presents the refresh token.
//!   It is also the write-ahead mark "presented, not yet acknowledged": if its holder dies, the next one knows that
//!   the server may have rotated.
//! - Under the claim the connection is **read again**; if somebody has renewed it, that is adopted.
//! - The answer is **committed** durably before anybody sees it, and only past a **fence**: the connection and the
//!   refresh token that was presented must still be the current ones.
//! - All this runs in a task of its own; a caller that goes away cannot stop it halfway.

mod access;
mod due;
mod expiry;
mod feed;
mod flight;
mod import;
mod lease;
mod login;
mod owned;
mod refresh;
mod revocations;
mod revoke;
mod schedule;
mod snapshot;
mod token;
mod unsaved;
mod verdict;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use access::Answer;
pub use expiry::{Freshness, Margins};
pub use feed::Subscription;
pub use import::ImportOutcome;
pub use login::{BegunLogin, Connected};
pub use revoke::{DisconnectScope, Disconnected};
pub use schedule::Schedule;
pub use token::AccessToken;

use crate::account::{AccountKey, Owner, ProviderId};
use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::random::Random;
use crate::server::AuthorizationServer;
use crate::store::vault::{Entry, Vault};

/// Everything that keeps connections alive. One for each store in a process.
#[derive(Debug)]
pub struct Lifecycle {
    vault: Vault,
    servers: BTreeMap<ProviderId, Arc<AuthorizationServer>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    margins: Margins,
    snapshots: snapshot::Snapshots,
    flights: flight::Flights,
    unsaved: unsaved::Unsaved,
    owned: owned::Owned,
    rejected_registrations: verdict::RejectedRegistrations,
    schedules: schedule::Schedules,
    feed: feed::Feed,
}

impl Lifecycle {
    /// Over `vault`, for the providers in `servers`. `margins` say when a token is
    /// renewed, and when it is not given any more.
    pub fn new(
        vault: Vault,
        servers: BTreeMap<ProviderId, Arc<AuthorizationServer>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        margins: Margins,
    ) -> Arc<Self> {
        Arc::new(Self {
            vault,
            servers,
            clock,
            random,
            margins,
            snapshots: snapshot::Snapshots::default(),
            flights: flight::Flights::default(),
            unsaved: unsaved::Unsaved::default(),
            owned: owned::Owned::default(),
            rejected_registrations: verdict::RejectedRegistrations::default(),
            schedules: schedule::Schedules::default(),
            feed: feed::Feed::default(),
        })
    }

    /// The sealed store.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The authorization server of a configured provider.
    ///
    /// # Errors
    ///
    /// `not_connected` for a provider that the configuration does not have, or has without OAuth.
    pub fn server(&self, account: &AccountKey) -> Result<&Arc<AuthorizationServer>> {
        self.servers.get(&account.provider).ok_or_else(|| {
            Error::new(
                ErrorCode::NotConnected,
                format!("{} has no login in this configuration", account.provider),
            )
            .with_advice("Configure client_id and the endpoints of the provider, or use another provider.")
            .with_account(account)
        })
    }

    /// The providers that have a login, sorted.
    pub fn configured(&self) -> impl Iterator<Item = &ProviderId> {
        self.servers.keys()
    }

    /// Listens to what happens to the connections of `owner`, or of all the app's users, whoever does it: a task of this
    /// process, another process, another host.
    ///
    /// Every change that returns after this has returned is told, within a tenth of a second on one host and a second
    /// across hosts, while the store answers. When an event comes, the status shows at least its change.
    ///
    /// That an access token ends for which the provider gave no refresh token is no event: nothing changes but the time.
    ///
    /// # Errors
    ///
    /// `store_failed` when the store cannot be read.
    pub async fn subscribe(&self, owner: Option<&Owner>) -> Result<Subscription> {
        self.feed.subscribe(&self.vault, &self.clock, owner).await
    }

    /// Checks that `account` is connected, can be unsealed, and was connected with this configuration.
    ///
    /// # Errors
    ///
    /// `not_connected`, `store_failed`.
    pub async fn check(&self, account: &AccountKey) -> Result<()> {
        self.load(account).await.map(drop)
    }

    /// Runs `work` to its end in a task of its own: dropping the returned future stops the waiting, never the work, and
    /// [`close`](Self::close) waits for it.
    pub(crate) fn run_to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        self.owned.run(work)
    }

    /// Ends the schedules, and waits until no refresh and no exchange of a code is in flight and nothing waits to be
    /// stored, for at most `bound`.
    ///
    /// A process that ends earlier than this may lose a refresh token that the server has already rotated.
    pub async fn close(self: &Arc<Self>, bound: Duration) {
        let settled = async {
            // They would go on starting flights.
            self.schedules.end().await;
            self.unsaved.all().into_iter().for_each(|answer| self.look_after(answer.renewed));
            self.flights.settled().await;
            self.owned.settled().await;
        };
        tokio::select! {
            () = settled => {}
            () = self.clock.sleep(bound) => tracing::warn!("gave up waiting for new tokens to be stored"),
        }
    }

    /// Reads the connection, checks that it was made with this configuration, and remembers it for the fast path.
    async fn load(&self, account: &AccountKey) -> Result<Arc<Entry>> {
        // The mark comes first: a change between the two reads then shows as a change. Without one, because the process
        // was stopped for longer than the grace, what is read is as true as ever; only it cannot be remembered.
        let mark = self.vault.change_mark().ok();
        let entry = self.read(account).await.inspect_err(|error| {
            if error.code() == ErrorCode::NotConnected {
                self.snapshots.remove(account);
            }
        })?;
        // What waits to be stored is looked after by every caller.
        if let Some(mark) = mark
            && !self.unsaved.holds(entry.record.connection)
        {
            self.snapshots.put(mark, entry.clone());
        }
        Ok(entry)
    }

    /// As [`load`](Self::load), or what the store did not take: such a store can seldom be read. That is served as long as
    /// nobody else is known to have changed anything, and how long that is, is for the store to say: its marks fail in the end.
    async fn load_or_unsaved(&self, account: &AccountKey) -> Result<Arc<Entry>> {
        let others = self.vault.others_mark().ok();
        match others.and_then(|others| self.unsaved.served_under(account, others)) {
            Some(unsaved) => Ok(unsaved),
            None => self.load(account).await,
        }
    }

    /// `account` was disconnected here, or connected anew.
    fn forget(&self, account: &AccountKey) {
        self.snapshots.remove(account);
        self.unsaved.withhold(account);
    }

    /// Reads the connection, and checks that it was made with this configuration.
    async fn read(&self, account: &AccountKey) -> Result<Arc<Entry>> {
        let stored = self.vault.load(account).await?.ok_or_else(|| not_connected(account))?;
        Ok(self.unsaved.newest(self.recognise(stored)?))
    }

    /// A checkout must not steal tokens: a connection made with other endpoints is none of ours.
    fn recognise(&self, mut entry: Entry) -> Result<Arc<Entry>> {
        let account = &entry.record.account;
        let server = self.server(account)?;
        match server.differs_from(&entry.binding) {
            None => {
                // Thousands of connections have the same one; it need not be in memory as often.
                if entry.binding == *server.binding() {
                    entry.binding = server.binding().clone();
                }
                Ok(Arc::new(entry))
            }
            Some(field) => Err(Error::new(
                ErrorCode::NotConnected,
                format!("{account} was connected with another {field} than the configuration has now; nothing was sent"),
            )
            .with_advice("Check where this configuration file comes from; if it is right, connect again.")
            .with_account(account)),
        }
    }
}

/// Nothing is stored for `account`.
pub(crate) fn not_connected(account: &AccountKey) -> Error {
    Error::new(ErrorCode::NotConnected, format!("{account} is not connected"))
        .with_advice(format!("Run `loomkin-auth connect {account}`."))
        .with_account(account)
}
