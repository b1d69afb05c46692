//! Kills at chosen moments of a refresh: each is forced, and each has one right outcome.

use std::time::Duration;

use loomkin_auth_dev_provider::{Endpoint, Fault};
use rusqlite::Connection;

use super::inspector::{self, Inspector};
use super::stage::Stage;
use super::tally::{Loss, Tally};
use super::trail::{ASKS, STORED, Trail};
use crate::command::{Ran, Running};
use crate::patience::within;
use crate::postgres::Postgres;

/// A moment of a refresh.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// The server has acted, and its answer is on the way.
    Acted,
    /// The answer has come, and the store has not taken it yet.
    Answered,
    /// It asks for the claim, and the store is busy.
    Asking,
    /// The answer is stored, and the caller has not been told.
    Stored,
    /// The request has been sent, and the server will never act on it.
    Unread,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Asking, Self::Unread, Self::Acted, Self::Answered, Self::Stored];

    /// Whether the server has spent the token for the one who is killed, and nobody else has the answer.
    fn costs_the_account(self) -> bool {
        matches!(self, Self::Acted | Self::Answered)
    }
}

/// What is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Victim {
    /// `loomkin-auth token`.
    Command,
    /// An app that lives long.
    Resident,
}

/// Kills a `victim` at `moment`, on a `stage` with a dev-provider, and checks what the next process finds.
///
/// # Panics
///
/// When that is not what must come of it.
pub async fn kill_at(stage: &Stage, moment: Moment, victim: Victim, tally: &mut Tally) {
    let scene = Scene::set(stage).await;
    let host = stage.hosts()[0];
    let victim = match victim {
        Victim::Command if moment == Moment::Stored => host.call(&TOKEN).start_with_full_stdout(),
        Victim::Command => host.call(&TOKEN).start(),
        Victim::Resident => host.call_resident(&[ACCOUNT.to_owned()]).start(),
    };
    let (killed, next) = scene.kill(moment, victim).await;
    assert!(tally.count(&killed), "{moment:?}: it had ended before it was killed: {killed:?}");
    tally.refreshes += stage.refreshes().await;
    let inspector = Inspector::open(stage.hosts()[0]).await;
    tally.corrupt.extend(inspector.faults().await);
    if moment.costs_the_account() {
        assert_eq!(next.exits(77).error()["code"], "reconnect_required", "{moment:?}");
        let entry = inspector.entry(ACCOUNT).await;
        let was_spent = stage.was_spent(entry.tokens.refresh_token.as_ref().unwrap().expose()).await;
        let (digest, reason) = (inspector::digest(&entry), inspector::reason(&entry));
        tally.losses.push(Loss { account: ACCOUNT.to_owned(), digest, was_spent, reason });
    } else {
        let trail = Trail::read(&next.stderr);
        assert!(stage.dev().provider.is_active(&next.token()), "{moment:?}");
        assert_eq!(trail.presented.is_empty(), moment == Moment::Stored, "{moment:?}");
        tally.adopted += usize::from(trail.presented.is_empty());
    }
}

/// A stage on which one token has ended.
struct Scene<'a> {
    stage: &'a Stage,
}

impl<'a> Scene<'a> {
    async fn set(stage: &'a Stage) -> Self {
        let (dev, app) = (stage.dev(), stage.app().await);
        dev.connect_expired(&app, ACCOUNT).await.unwrap();
        app.close().await;
        dev.provider.clear_requests();
        Self { stage }
    }

    /// Who wants the token next: on another host where there is one.
    fn next(&self) -> Running {
        self.stage.hosts()[self.stage.hosts().len() - 1].call(&TOKEN).start()
    }

    /// Kills `victim` at `moment`; returns what is left of it, and of the process that comes next.
    async fn kill(&self, moment: Moment, victim: Running) -> (Ran, Ran) {
        let provider = &self.stage.dev().provider;
        match moment {
            Moment::Asking => {
                let busy = Busy::make(self.stage);
                within("its wish for the claim", victim.stderr().says(ASKS)).await;
                let killed = victim.kill().await;
                drop(busy);
                (killed, self.next().ended().await)
            }
            Moment::Unread => {
                provider.fault(Endpoint::Token, Fault::Hang).once();
                self.kill_at_the_gate(victim).await
            }
            Moment::Acted => self.kill_at_the_gate(victim).await,
            Moment::Answered => {
                let gate = provider.hold_token_answers();
                within("the request", gate.wait_for(1)).await;
                let busy = Busy::make(self.stage);
                gate.release();
                within("the answer to be sent", async {
                    // The server has no event for it.
                    while provider.requests().iter().all(|request| request.status.is_none()) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                })
                .await;
                let killed = victim.kill().await;
                drop(busy);
                self.stage.end_leases_of(&killed);
                (killed, self.next().ended().await)
            }
            Moment::Stored => {
                within("the commit", victim.stderr().says(STORED)).await;
                let killed = victim.kill().await;
                (killed, self.next().ended().await)
            }
        }
    }

    /// Kills `victim` while the server holds back its answer and another process waits for it.
    async fn kill_at_the_gate(&self, victim: Running) -> (Ran, Ran) {
        let gate = self.stage.dev().provider.hold_token_answers();
        within("the request", gate.wait_for(1)).await;
        let next = self.next();
        within("the wait of another process", next.stderr().says("waits for the refresh")).await;
        let killed = victim.kill().await;
        self.stage.end_leases_of(&killed);
        gate.release();
        (killed, next.ended().await)
    }
}

/// Nobody can write to the store until this is dropped.
enum Busy<'a> {
    File(#[expect(dead_code, reason = "held for its transaction")] Connection),
    Server(&'a Postgres),
}

impl<'a> Busy<'a> {
    fn make(stage: &'a Stage) -> Self {
        match stage.database() {
            Some(database) => {
                database.server().stop();
                Self::Server(database.server())
            }
            None => {
                let file = stage.hosts()[0].path("store/auth.db");
                let connection = Connection::open(file).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                Self::File(connection)
            }
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        // A file is free again when its connection is closed.
        if let Self::Server(server) = self {
            server.resume();
        }
    }
}

const ACCOUNT: &str = "dev/chosen";
const TOKEN: [&str; 3] = ["token", ACCOUNT, "--json"];
