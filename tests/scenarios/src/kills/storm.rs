//! Kills at random moments, while many processes ask for the same tokens.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use loomkin_auth::clock::{Clock as _, SystemClock};
use tokio::time::Instant;

use super::inspector::{self, Inspector};
use super::stage::Stage;
use super::tally::{Loss, Tally};
use super::trail::{ASKS, Trail};
use crate::app::App;
use crate::command::{Call, Ran, Running};
use crate::home::Home;
use crate::spread::Spread;

/// Kills `kills` processes on `stage`, each at a moment of its life that `spread` picks.
///
/// Several lanes run at once. Each has accounts of its own, whose tokens end all the time, and starts processes that want
/// the same one of them; one of these is killed, or a resident, which asks for accounts of all lanes. The others must
/// then be given a token, the store must be whole, and so must be the account. One that the kill has cost is connected
/// again.
///
/// # Panics
///
/// When a process does not end.
pub async fn storm(stage: &Stage, kills: usize, spread: &mut Spread) -> Tally {
    let storm = Storm::begin(stage, kills).await;
    let [one, two, three] = LANES.map(|lane| (lane, spread.split()));
    tokio::join!(storm.lane(one.0, one.1), storm.lane(two.0, two.1), storm.lane(three.0, three.1));
    storm.end().await
}

struct Storm<'a> {
    app: App,
    /// How long a refresh by a process takes that starts for it.
    cold: Cell<Duration>,
    inspector: Inspector,
    kills: usize,
    residents: RefCell<Vec<Running>>,
    stage: &'a Stage,
    tally: RefCell<Tally>,
}

impl<'a> Storm<'a> {
    async fn begin(stage: &'a Stage, kills: usize) -> Self {
        stage.set_access_token_lifetime(LIFETIME).await;
        let app = stage.app().await;
        let storm = Self {
            inspector: Inspector::open(stage.hosts()[0]).await,
            app,
            cold: Cell::new(Duration::ZERO),
            kills,
            residents: RefCell::default(),
            stage,
            tally: RefCell::default(),
        };
        for account in LANES.iter().flat_map(|lane| storm.accounts(lane)) {
            storm.app.connect(&account, "ada").await.unwrap();
        }
        storm.measure().await;
        for host in stage.hosts() {
            let resident = storm.start_resident(host);
            storm.residents.borrow_mut().push(resident);
        }
        storm
    }

    fn accounts(&self, lane: &str) -> Vec<String> {
        (0..ACCOUNTS).map(|number| self.stage.account(&format!("{lane}-{number}"))).collect()
    }

    /// Finds out how long a cold refresh takes on this machine.
    async fn measure(&self) {
        for _ in 0..3 {
            let account = self.ended_account(LANES[0]).await;
            let (ran, took) = timed(token(self.stage.hosts()[0], &account)).await;
            ran.exits(0);
            self.cold.set(self.cold.get().max(took));
        }
    }

    fn start_resident(&self, host: &Home) -> Running {
        let accounts: Vec<_> =
            LANES.iter().flat_map(|lane| self.accounts(lane).into_iter().take(2)).collect();
        host.call_resident(&accounts).start()
    }

    async fn lane(&self, lane: &str, mut spread: Spread) {
        while self.tally.borrow().kills() < self.kills {
            let account = self.ended_account(lane).await;
            self.round(&account, &mut spread).await;
        }
    }

    /// The account of `lane` whose token ends first, once it has ended.
    async fn ended_account(&self, lane: &str) -> String {
        let mut first = None;
        for account in self.accounts(lane) {
            let end = self.inspector.entry(&account).await.record.columns.expires_at;
            first = first.into_iter().chain([(end, account)]).min();
        }
        let (end, account) = first.unwrap();
        tokio::time::sleep(end.unwrap().time_left(SystemClock.now())).await;
        account
    }

    /// One kill, if its victim lives long enough for it, and what the others make of it.
    async fn round(&self, account: &str, spread: &mut Spread) {
        let hosts = self.stage.hosts();
        let victim = self.choose_victim(account, spread);
        let replacement = spread.pick(&hosts);
        // A process that starts is busy with that for most of its life: half of them are spared until it is over.
        let is_spared = spread.once_in(2);
        let moment = spread.pause(self.cold.get());
        let kill = async {
            let Some(victim) = victim else { return };
            if is_spared {
                let _or_it_ended = victim.stderr().said(ASKS).await;
            }
            tokio::time::sleep(moment).await;
            self.kill(victim, replacement).await;
        };
        let rivals = [(); 2].map(|()| (spread.pause(self.cold.get()), spread.pick(&hosts)));
        let [one, two] = rivals.map(|(pause, host)| async move {
            tokio::time::sleep(pause).await;
            self.survivor(host, account).await
        });
        let ((), one, two) = tokio::join!(kill, one, two);
        let faults = self.inspector.faults().await;
        self.tally.borrow_mut().corrupt.extend(faults);
        let next = self.survivor(spread.pick(&hosts), account).await;
        if [one, two, next].contains(&Fate::Lost) {
            self.mourn(account).await;
        }
    }

    /// A process that starts for `account`, or a resident, unless another lane is just killing all there are.
    fn choose_victim(&self, account: &str, spread: &mut Spread) -> Option<Running> {
        if spread.once_in(8) {
            return self.residents.borrow_mut().pop();
        }
        Some(token(spread.pick(&self.stage.hosts()), account).start())
    }

    /// Kills `victim`; a resident has a `replacement` on that host.
    async fn kill(&self, victim: Running, replacement: &Home) {
        let was_resident = victim.is("resident");
        let killed = victim.kill().await;
        self.tally.borrow_mut().count(&killed);
        self.stage.end_leases_of(&killed);
        if was_resident {
            let next = self.start_resident(replacement);
            self.residents.borrow_mut().push(next);
        }
    }

    /// What a process is told that is left alone.
    async fn survivor(&self, host: &Home, account: &str) -> Fate {
        loop {
            let (ran, took) = timed(token(host, account)).await;
            let trail = Trail::read(&ran.stderr);
            match ran.code {
                Some(0) if trail.presented.is_empty() => self.tally.borrow_mut().adopted += 1,
                // The next kills follow the machine's pace.
                Some(0) => self.cold.set((self.cold.get() * 7 + took) / 8),
                Some(77) if ran.error()["code"] == "reconnect_required" => return Fate::Lost,
                // On a machine that stands still for a while, a token of two seconds has ended when it comes.
                Some(76) if ran.stderr.contains("has ended already") => continue,
                _ => self.tally.borrow_mut().unexpected.push(format!("{account}: {ran:?}")),
            }
            return Fate::Alive;
        }
    }

    /// Writes down what is left of `account`, and connects it again.
    async fn mourn(&self, account: &str) {
        let entry = self.inspector.entry(account).await;
        let was_spent = match &entry.tokens.refresh_token {
            // The server is asked about its own token.
            Some(token) => self.stage.was_spent(token.expose()).await,
            None => false,
        };
        let (digest, reason) = (inspector::digest(&entry), inspector::reason(&entry));
        let loss = Loss { account: account.to_owned(), digest, was_spent, reason };
        self.tally.borrow_mut().losses.push(loss);
        self.app.connect(account, "ada").await.unwrap();
    }

    /// Lets the residents end in order, and finds every account alive.
    async fn end(self) -> Tally {
        for resident in self.residents.take() {
            resident.ended().await.exits(0);
        }
        for account in LANES.iter().flat_map(|lane| self.accounts(lane)) {
            if self.survivor(self.stage.hosts()[0], &account).await == Fate::Lost {
                self.mourn(&account).await;
            }
        }
        let mut tally = self.tally.into_inner();
        tally.refreshes = self.stage.refreshes().await;
        tally
    }
}

/// What became of an account, as far as one process was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Alive,
    Lost,
}

fn token(host: &Home, account: &str) -> Call {
    host.call(&["token", account, "--json"])
}

async fn timed(call: Call) -> (Ran, Duration) {
    let began = Instant::now();
    let ran = call.start().ended().await;
    (ran, began.elapsed())
}

const LANES: [&str; 3] = ["one", "two", "three"];
const ACCOUNTS: usize = 8;
/// Whole seconds, and long enough to arrive before its end.
const LIFETIME: Duration = Duration::from_secs(2);
