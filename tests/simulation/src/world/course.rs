//! The course of a run: logins, troubles, and a time in which everything may recover.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use loomkin_auth::environment::Environment;
use loomkin_auth::error::Result;
use loomkin_auth::lifecycle::Lifecycle;
use loomkin_auth::provider::{Preset, ProviderBuilder, Registration};
use loomkin_auth::random::Random;
use loomkin_auth::server::AuthorizationServer;
use loomkin_auth::store::TokenStore;
use loomkin_auth::store::key::{KeySetting, OsKeychain};
use loomkin_auth::store::memory::MemoryStore;
use loomkin_auth::store::vault::Vault;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::views::RunClock;
use super::{Changes, MARGINS, Trouble, World, account_key};
use crate::caller::Caller;
use crate::crowd::Crowd;
use crate::dice::Dice;
use crate::happening::{Counts, Happening};
use crate::network::Network;
use crate::plan::{Plan, Weather};
use crate::process::{Process, ProcessClock, ProcessRandom};
use crate::server::{Kind, Server};
use crate::store::Store;
use crate::trace::Breach;
use crate::witness::Witness;

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// What happened, and how often.
    pub counts: Counts,
    /// Of all that happened, in its order.
    pub digest: u64,
    /// The first broken promise.
    pub breach: Option<Breach>,
    /// The last lines of the trace; up to the breach, where there was one.
    pub last_lines: Vec<String>,
}

/// Runs the world of `seed` to its end, or to its first breach. Keeps at most `lines` lines of its trace.
///
/// # Errors
///
/// `store_failed` or `config_invalid` when the world cannot be made; that is an error of the simulation.
pub fn run(seed: u64, lines: usize) -> Result<Run> {
    // A runtime of its own for each run: whatever still waits at the end of one is dropped with it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|_| {
        loomkin_auth::error::Error::new(loomkin_auth::error::ErrorCode::StoreFailed, "there is no runtime")
    })?;
    runtime.block_on(async {
        let world = World::make(seed).await?;
        world.take_its_course().await?;
        let mut witness = world.witness();
        // The processes know the world, and would keep it.
        witness.processes.clear();
        let trace = std::mem::take(&mut witness.trace);
        let (digest, last_lines) = (trace.digest(), trace.last(lines));
        Ok(Run { seed, counts: trace.counts, digest, breach: trace.breach, last_lines })
    })
}

impl World {
    async fn make(seed: u64) -> Result<Arc<Self>> {
        let dice = Dice::new(seed);
        let plan = Plan::draw(&dice);
        let began = Instant::now();
        let random = SeededRandom(dice.fork());
        let rows = MemoryStore::new(Arc::new(RunClock(began)), &random)?;
        let accounts = plan.accounts.len();
        let trouble =
            Trouble { client_refused: vec![0; accounts], server_down: vec![0; accounts], store_down: 0 };
        let world = Arc::new(Self {
            dice,
            plan,
            began,
            rows: rows.clone(),
            vault: OnceLock::new(),
            server: Mutex::new(Server::default()),
            witness: Mutex::new(Witness::new(accounts)),
            trouble: Mutex::new(trouble),
            changes: Mutex::new(Changes::default()),
            is_troubled: AtomicBool::new(false),
            broken: Notify::new(),
        });
        let vault = open(Arc::new(rows), Arc::new(random), Arc::new(RunClock(began))).await?;
        let _first = world.vault.set(vault);
        Ok(world)
    }

    async fn take_its_course(self: &Arc<Self>) -> Result<()> {
        let (first, lifecycle) = self.start(0).await?;
        for account in 0..self.plan.accounts.len() {
            first.log_in(&lifecycle, account).await?;
        }
        first.crash();
        drop(lifecycle);
        self.is_troubled.store(true, std::sync::atomic::Ordering::SeqCst);
        let places = (0..self.plan.places.len()).map(|place| {
            let future: std::pin::Pin<Box<dyn Future<Output = ()>>> = Box::pin(self.clone().inhabit(place));
            future
        });
        let weather: std::pin::Pin<Box<dyn Future<Output = ()>>> = Box::pin(self.clone().weather());
        let course = async {
            Crowd::new(std::iter::once(weather).chain(places)).await;
            // What is still in flight in the background may come to its end.
            sleep(LAST_FLIGHTS).await;
        };
        tokio::select! {
            biased;
            () = self.broken.notified() => {}
            () = course => {}
        }
        let (now, server) = (self.now(), self.server());
        self.witness().end(&server, now);
        Ok(())
    }

    /// Keeps a process running in `place`: one that ends is followed by another.
    async fn inhabit(self: Arc<Self>, place: usize) {
        while let Ok((process, lifecycle)) = self.start(place).await {
            // The first process of a host renews ahead, as a service does; the others are commands that come and go.
            let first = self.plan.places.iter().position(|host| *host == process.host) == Some(place);
            let _schedule = (self.plan.renews_ahead && first).then(|| lifecycle.renew_ahead());
            let callers = Crowd::new((0..self.plan.callers).map(|number| {
                let (process, lifecycle) = (process.clone(), lifecycle.clone());
                Caller { process, lifecycle, is_first: number == 0 }.live()
            }));
            tokio::select! {
                biased;
                () = process.died() => {}
                () = process.asked_to_exit() => self.exit(&process, &lifecycle).await,
                () = process.run(callers) => return,
            }
            sleep(self.dice.millis(0..=self.dice.choose(&[10, 1_000, 60_000]))).await;
        }
    }

    /// A process ends in order: it waits until its tokens are stored, for a while.
    async fn exit(&self, process: &Process, lifecycle: &Arc<Lifecycle>) {
        self.count(Happening::ProcessExited);
        self.write(Some(process.number), None, "ends in order", None, "");
        let began = self.now();
        tokio::select! {
            biased;
            () = process.died() => return,
            () = process.run(lifecycle.close(LONGEST_CLOSE)) => {}
        }
        let patience = u64::try_from(LONGEST_CLOSE.as_millis()).unwrap_or(u64::MAX);
        if self.now() < began + patience {
            self.witness().exited(process.number);
        }
        process.crash();
    }

    /// A new process in `place`, with nothing in its memory.
    async fn start(self: &Arc<Self>, place: usize) -> Result<(Arc<Process>, Arc<Lifecycle>)> {
        let number = self.witness().processes.len();
        let process = Process::new(self.clone(), number, place);
        self.witness().processes.push(process.clone());
        self.write(Some(number), None, "starts", None, "");
        let clock = Arc::new(ProcessClock(process.clone()));
        let random = Arc::new(ProcessRandom(process.clone()));
        let vault = open(Arc::new(Store(process.clone())), random.clone(), clock.clone()).await?;
        let mut servers = BTreeMap::new();
        for (account, settings) in self.plan.accounts.iter().enumerate() {
            let provider = account_key(account).provider;
            let registration = Registration { client_id: "client".to_owned(), ..Registration::default() };
            let preset = Preset::find("google").filter(|_| settings.kind == Kind::Forgiving);
            let mut builder = ProviderBuilder::new(provider.clone(), preset, registration);
            let url = |path: &str| format!("https://{provider}/{path}").parse().ok();
            builder.endpoints.authorization = url("authorize");
            builder.endpoints.token = url("token");
            builder.endpoints.revocation = url("revoke");
            let binding = builder.binding();
            let network = Arc::new(Network(process.clone()));
            let server = AuthorizationServer::new(builder, binding, network, clock.clone());
            servers.insert(provider, Arc::new(server));
        }
        let lifecycle = Lifecycle::new(vault, servers, clock, random, MARGINS);
        Ok((process, lifecycle))
    }

    /// What happens by itself, until everything is well again.
    async fn weather(self: Arc<Self>) {
        for (at, what) in &self.plan.weather {
            sleep_until(self.began + *at).await;
            self.happens(*what);
        }
        sleep_until(self.began + self.plan.horizon).await;
        self.is_troubled.store(false, std::sync::atomic::Ordering::SeqCst);
        *self.trouble() = Trouble {
            client_refused: vec![0; self.plan.accounts.len()],
            server_down: vec![0; self.plan.accounts.len()],
            store_down: 0,
        };
        self.write(None, None, "all troubles end", None, "");
        let processes = self.witness().processes.clone();
        processes.iter().for_each(|process| process.set_clock(0));
    }

    fn happens(&self, what: Weather) {
        let until = |lasts: Duration| self.now() + u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        let resident = |place| {
            let processes = self.witness().processes.clone();
            processes.into_iter().rev().find(|process| process.place == place && !process.is_dead())
        };
        match what {
            Weather::ClientRefused { account, lasts } => {
                self.trouble().client_refused[account] = until(lasts);
                self.write(None, Some(account), "the registration is refused for a while", None, "");
            }
            Weather::ServerDown { account, lasts } => {
                self.trouble().server_down[account] = until(lasts);
                self.write(None, Some(account), "the server is down for a while", None, "");
            }
            Weather::StoreDown { lasts } => {
                self.trouble().store_down = until(lasts);
                self.write(None, None, "the store is down for a while", None, "");
            }
            Weather::EndedByPerson { account } => {
                let mut server = self.server();
                if let Some(grant) = server.latest_grant(account) {
                    server.end(grant);
                    drop(server);
                    self.count(Happening::EndedByPerson);
                    self.write(None, Some(account), "the person ends the grant at the server", None, "");
                }
            }
            Weather::ClockSet { place, ahead_millis } => {
                let Some(process) = resident(place) else { return };
                let forward = ahead_millis >= process.ahead_millis();
                self.count(if forward { Happening::ClockSetForward } else { Happening::ClockSetBack });
                self.write(
                    Some(process.number),
                    None,
                    "has its clock set",
                    None,
                    if forward { "forward" } else { "back" },
                );
                process.set_clock(ahead_millis);
            }
            Weather::ProcessCrashes { place } => {
                let Some(process) = resident(place) else { return };
                self.count(Happening::ProcessCrashed);
                self.write(Some(process.number), None, "crashes", None, "at any moment");
                process.crash();
            }
            Weather::ProcessExits { place } => {
                if let Some(process) = resident(place) {
                    process.ask_to_exit();
                }
            }
            Weather::ProcessStops { place, lasts } => {
                if let Some(process) = resident(place) {
                    process.stop(lasts);
                }
            }
        }
    }
}

/// A vault over `store`, with the key that the store itself holds.
async fn open(
    store: Arc<dyn TokenStore>,
    random: Arc<dyn Random>,
    clock: Arc<dyn loomkin_auth::clock::Clock>,
) -> Result<Vault> {
    let environment = Environment::new([("KEY", "0123456789abcdef0123456789abcdef")], "/");
    let key = KeySetting::Env("KEY".to_owned());
    Ok(Vault::open(store, &key, &environment, Arc::new(OsKeychain), random, clock).await?.0)
}

#[derive(Debug)]
struct SeededRandom(Dice);

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        self.0.fill(bytes);
        Ok(())
    }
}

const LAST_FLIGHTS: Duration = Duration::from_secs(300);
const LONGEST_CLOSE: Duration = Duration::from_secs(10);
