//! The port to the store: a store in memory, as a process with bad luck sees it.

mod credentials;
mod pending_logins;
mod revocations;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::clock::Timestamp;
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::store::{
    AttemptId, ChangeMark, ClaimOutcome, Commit, CommitOutcome, ConnectOutcome, ConnectionId, Deleted,
    Disconnect, Event, EventCursor, EventKind, Expiring, Failure, KeysGuard, LatestDisconnect, NewConnection,
    NewSeal, OldSeal, Reach, Record, ResealOutcome, SealPosition, StoreId, TokenDigest, TokenStore,
    WrappedKey,
};
use tokio::time::sleep;

use crate::happening::Happening;
use crate::process::Process;
use crate::world::account_number;

/// A process's way to the store that all processes share.
#[derive(Debug)]
pub(crate) struct Store(pub(crate) Arc<Process>);

/// What becomes of one call.
enum Luck {
    Fine,
    Down,
    FailsBefore,
    FailsAfter,
    StallsBefore(Duration),
    StallsAfter(Duration),
}

impl Store {
    /// Has `effect` on the store with what luck there is. The effect itself happens in one moment.
    async fn call<T>(
        &self,
        what: &'static str,
        account: Option<&AccountKey>,
        effect: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let (process, world) = (&self.0, &self.0.world);
        let account = account.map(account_number);
        process.reach(what).await;
        let luck = self.luck();
        if let Luck::StallsBefore(lasts) = luck {
            process.hold_up(lasts);
            sleep(lasts).await;
        }
        self.latency().await;
        process.gate().await;
        if matches!(luck, Luck::Down | Luck::FailsBefore) {
            process.store_failed();
            world.write(Some(process.number), account, what, None, "fails");
            return Err(out_of_order());
        }
        let result = effect.await;
        self.latency().await;
        if let Luck::StallsAfter(lasts) = luck {
            process.hold_up(lasts);
            sleep(lasts).await;
        }
        process.reach(what).await;
        if matches!(luck, Luck::FailsAfter) {
            process.store_failed();
            world.write(Some(process.number), account, what, None, "has happened, and fails");
            return Err(out_of_order());
        }
        result
    }

    fn luck(&self) -> Luck {
        let world = &self.0.world;
        if !world.is_troubled() {
            return Luck::Fine;
        }
        let (dice, rates) = (&world.dice, &world.plan.store);
        if world.store_is_down() {
            world.count(Happening::StoreDown);
            Luck::Down
        } else if dice.chance(rates.fails_before) {
            world.count(Happening::StoreFailedBeforeEffect);
            Luck::FailsBefore
        } else if dice.chance(rates.fails_after) {
            world.count(Happening::StoreFailedAfterEffect);
            Luck::FailsAfter
        } else if dice.chance(rates.stalls) {
            world.count(Happening::StoreStalled);
            let lasts = dice.millis(100..=dice.choose(&[2_000, 20_000, 50_000]));
            if dice.chance(0.5) { Luck::StallsBefore(lasts) } else { Luck::StallsAfter(lasts) }
        } else {
            Luck::Fine
        }
    }

    async fn latency(&self) {
        if self.0.world.dice.chance(0.3) {
            sleep(self.0.world.dice.millis(1..=5)).await;
        }
    }

    /// Another process's change is seen a little later on other hosts; one's own at once.
    fn changed(&self) {
        self.0.own_changes.fetch_add(1, Ordering::SeqCst);
        self.0.world.changed_by(&self.0);
    }
}

#[async_trait]
impl TokenStore for Store {
    async fn load(&self, account: &AccountKey) -> Result<Option<Record>> {
        self.call("load", Some(account), self.0.world.rows.load(account)).await
    }

    async fn list(&self, owner: &Owner) -> Result<Vec<Record>> {
        self.0.world.rows.list(owner).await
    }

    async fn expiring(
        &self,
        before: Timestamp,
        after: Option<&Expiring>,
        limit: u32,
    ) -> Result<Vec<Expiring>> {
        self.call("expiring", None, self.0.world.rows.expiring(before, after, limit)).await
    }

    async fn connect(&self, login: NewConnection) -> Result<ConnectOutcome> {
        let account = login.account.clone();
        let effect = async {
            let outcome = self.0.world.rows.connect(login).await?;
            if outcome == ConnectOutcome::Connected {
                self.changed();
                self.0.world.saw_connect(&self.0, &account).await;
            }
            Ok(outcome)
        };
        self.call("connect", Some(&account), effect).await
    }

    async fn latest_disconnect(&self, account: &AccountKey) -> Result<LatestDisconnect> {
        self.call("latest disconnect", Some(account), self.0.world.rows.latest_disconnect(account)).await
    }

    async fn claim(
        &self,
        account: &AccountKey,
        connection: ConnectionId,
        presented: TokenDigest,
        attempt: AttemptId,
        lease: Duration,
    ) -> Result<ClaimOutcome> {
        let world = &self.0.world;
        let effect = async {
            if world.witness().holder_is_known_to_be_dead(&self.0, account_number(account)) {
                world.rows.end_lease(account);
            }
            let outcome = world.rows.claim(account, connection, presented, attempt, lease).await?;
            if matches!(outcome, ClaimOutcome::Claimed { .. }) {
                self.changed();
            }
            world.saw_claim(&self.0, account, attempt, lease, &outcome);
            Ok(outcome)
        };
        self.call("claim", Some(account), effect).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        let world = &self.0.world;
        let (account, grant) = (commit.account.clone(), world.witness().grant_of(commit.connection));
        let effect = async {
            let outcome = world.rows.commit(commit).await?;
            if matches!(outcome, CommitOutcome::Committed) {
                self.changed();
            }
            world.saw_commit(&self.0, &account, &outcome).await;
            Ok(outcome)
        };
        let result = self.call("commit", Some(&account), effect).await;
        world.witness().commit_returned(&self.0, grant, &result);
        result
    }

    async fn abandon(
        &self,
        account: &AccountKey,
        attempt: AttemptId,
        failure: Option<Failure>,
    ) -> Result<()> {
        let world = &self.0.world;
        let effect = async {
            world.rows.abandon(account, attempt, failure).await?;
            self.changed();
            world.saw_abandon(&self.0, account, attempt, failure).await;
            Ok(())
        };
        self.call("abandon", Some(account), effect).await
    }

    async fn disconnect(&self, account: &AccountKey, disconnect: Disconnect) -> Result<Option<Deleted>> {
        let lives_on = disconnect.revocation.is_none();
        let effect = async {
            let deleted = self.0.world.rows.disconnect(account, disconnect).await?;
            self.changed();
            self.0.world.witness().disconnected(&self.0, account_number(account), lives_on);
            Ok(deleted)
        };
        self.call("disconnect", Some(account), effect).await
    }

    async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()> {
        let effect = async {
            self.0.world.rows.record_event(account, kind).await?;
            self.changed();
            Ok(())
        };
        self.call("record an event", Some(account), effect).await
    }

    async fn event_cursor(&self) -> Result<EventCursor> {
        self.0.world.rows.event_cursor().await
    }

    async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<Event>> {
        self.0.world.rows.events(cursor).await
    }

    async fn active(&self, owner: &Owner) -> Result<Option<AccountKey>> {
        self.0.world.rows.active(owner).await
    }

    async fn select(&self, owner: &Owner, account: Option<&AccountKey>) -> Result<bool> {
        self.0.world.rows.select(owner, account).await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.0.world.rows.is_empty().await
    }

    async fn id(&self) -> Result<StoreId> {
        self.0.world.rows.id().await
    }

    fn reach(&self) -> Reach {
        self.0.world.rows.reach()
    }

    async fn lock_keys(&self) -> Result<KeysGuard> {
        self.0.world.rows.lock_keys().await
    }

    async fn keys(&self) -> Result<Vec<WrappedKey>> {
        self.0.world.rows.keys().await
    }

    async fn add_key(&self, key: WrappedKey, first: bool) -> Result<bool> {
        self.0.world.rows.add_key(key, first).await
    }

    async fn old_seals(&self, after: Option<&SealPosition>, limit: usize) -> Result<Vec<OldSeal>> {
        self.0.world.rows.old_seals(after, limit).await
    }

    async fn reseal(&self, batch: Vec<NewSeal>) -> Result<ResealOutcome> {
        self.0.world.rows.reseal(batch).await
    }

    async fn remove_key(&self, id: [u8; 8]) -> Result<bool> {
        self.0.world.rows.remove_key(id).await
    }

    fn others_mark(&self) -> Result<ChangeMark> {
        Ok(ChangeMark(self.0.world.changes_seen_by(&self.0)))
    }

    fn change_mark(&self) -> Result<ChangeMark> {
        let others = self.0.world.changes_seen_by(&self.0);
        Ok(ChangeMark(others + self.0.own_changes.load(Ordering::SeqCst)))
    }

    async fn now(&self) -> Result<Timestamp> {
        self.0.world.rows.now().await
    }
}

fn out_of_order() -> Error {
    Error::new(ErrorCode::StoreFailed, "the store is out of order")
}
