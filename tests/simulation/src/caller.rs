//! What the people and programs on one process do.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::lifecycle::{AccessToken, Answer, DisconnectScope, Lifecycle};
use tokio::time::{sleep, sleep_until, timeout};

use crate::happening::Happening;
use crate::invariant::Invariant;
use crate::process::Process;
use crate::world::{account_key, token_number};

/// One of the callers of a process.
pub(crate) struct Caller {
    pub(crate) process: Arc<Process>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    /// Whether it looks at everything once more when all troubles have ended.
    pub(crate) is_first: bool,
}

impl Caller {
    /// Does this and that until all troubles have ended, and then sees whether everything has recovered.
    pub(crate) async fn live(self) {
        let world = &self.process.world;
        for ring in &world.plan.rings {
            let spread = world.dice.millis(0..=world.dice.choose(&[0, 5, 50, 3_000]));
            let at = world.began + *ring + spread;
            if at >= tokio::time::Instant::now() {
                sleep_until(at).await;
                if world.dice.chance(0.7) {
                    self.act(world.dice.index(world.plan.accounts.len())).await;
                }
            }
        }
        sleep_until(world.began + world.plan.horizon + SETTLED).await;
        if self.is_first {
            for account in 0..world.plan.accounts.len() {
                self.see_recovery(account).await;
            }
        }
        if self.is_first && self.process.place == 0 {
            for _ in 0..REVOCATION_ATTEMPTS {
                let _told = self.bounded(0, self.lifecycle.retry_revocations()).await;
                sleep(REVOCATION_PAUSE).await;
            }
        }
    }

    async fn act(&self, account: usize) {
        let (dice, rates) = (&self.process.world.dice, &self.process.world.plan.caller);
        if dice.chance(rates.disconnects) {
            self.disconnect(account).await;
        } else if dice.chance(rates.logs_in) {
            self.log_in(account).await;
        } else if dice.chance(0.03) {
            let _told = self.bounded(account, self.lifecycle.retry_revocations()).await;
        } else {
            let code =
                if dice.chance(0.3) { self.call(account, false).await } else { self.ask(account).await };
            let needs_login = matches!(code, Some(ErrorCode::NotConnected | ErrorCode::ReconnectRequired));
            if needs_login && dice.chance(0.5) {
                sleep(dice.millis(0..=5_000)).await;
                self.log_in(account).await;
            }
        }
    }

    /// Asks for a token, and perhaps does not wait for it.
    async fn ask(&self, account: usize) -> Option<ErrorCode> {
        let (world, key) = (&self.process.world, account_key(account));
        let asked_at = self.begin(account, "asks for a token");
        let asking = self.bounded(account, self.lifecycle.access_token(&key));
        let result = if world.dice.chance(world.plan.caller.goes_away) {
            timeout(world.dice.millis(0..=world.dice.choose(&[2, 100, 2_000])), asking).await.ok().flatten()
        } else {
            asking.await
        };
        match result {
            Some(result) => self.told(account, asked_at, result.map(Some)).err(),
            None => {
                world.count(Happening::CallerGone);
                world.write(Some(self.process.number), Some(account), "goes away", None, "");
                None
            }
        }
    }

    /// Calls a resource server with a token. Unless `in_earnest`, that server may be wrong.
    async fn call(&self, account: usize, in_earnest: bool) -> Option<ErrorCode> {
        let (world, key) = (&self.process.world, account_key(account));
        let asked_at = self.begin(account, "makes a call");
        let resource = |token: AccessToken| async move {
            let number = self.told(account, asked_at, Ok(Some(token)));
            sleep(world.dice.millis(1..=200)).await;
            let Ok(Some(number)) = number else { return Ok(Answer::Accepted(())) };
            let wrongly = !in_earnest && world.dice.chance(world.plan.caller.is_rejected);
            if wrongly || !world.server().is_good(number, world.now()) {
                world.write(
                    Some(self.process.number),
                    Some(account),
                    "is rejected with access token",
                    Some(number),
                    "",
                );
                world.witness().rejected(&self.process, number);
                return Ok::<_, Error>(Answer::TokenRejected(()));
            }
            Ok(Answer::Accepted(()))
        };
        let result = self.bounded(account, self.lifecycle.with_token(&key, resource)).await?;
        self.told(account, asked_at, result.map(|()| None)).err()
    }

    async fn log_in(&self, account: usize) {
        let _told = self.bounded(account, self.process.log_in(&self.lifecycle, account)).await;
    }

    async fn disconnect(&self, account: usize) {
        let key = account_key(account);
        self.begin(account, "disconnects");
        self.process.world.witness().asks_to_disconnect(&self.process, account);
        let is_local = self.process.world.dice.chance(0.2);
        let scope = if is_local { DisconnectScope::Local } else { DisconnectScope::Everywhere };
        let _told = self.bounded(account, self.lifecycle.disconnect(&key, scope)).await;
        self.process.world.witness().has_disconnected(&self.process, account);
    }

    /// Everything works again: the account gives a token that a resource server accepts, or it is justly lost.
    async fn see_recovery(&self, account: usize) {
        let (world, key) = (&self.process.world, account_key(account));
        for _ in 0..RECOVERY_ATTEMPTS {
            let accepted = std::cell::Cell::new(false);
            let asked_at = self.begin(account, "looks again");
            let resource = |token: AccessToken| {
                let number = self.told(account, asked_at, Ok(Some(token))).ok().flatten();
                let good = number.is_some_and(|number| world.server().is_good(number, world.now()));
                accepted.set(good);
                if let Some(number) = number.filter(|_| !good) {
                    world.witness().rejected(&self.process, number);
                }
                async move { Ok::<_, Error>(if good { Answer::Accepted(()) } else { Answer::TokenRejected(()) }) }
            };
            let Some(result) = self.bounded(account, self.lifecycle.with_token(&key, resource)).await else {
                return;
            };
            match self.told(account, asked_at, result.map(|()| None)) {
                Ok(_) if accepted.get() => return,
                Err(ErrorCode::ReconnectRequired) => return,
                Err(ErrorCode::NotConnected) if world.witness().row(account).is_none() => return,
                _ => sleep(RECOVERY_PAUSE).await,
            }
        }
        let what = format!(
            "p{} has no token for a{account} long after all troubles have ended",
            self.process.number
        );
        world.breach(Invariant::Recovers, what);
    }

    fn begin(&self, account: usize, what: &'static str) -> u64 {
        let world = &self.process.world;
        world.count(Happening::TokenAsked);
        world.write(Some(self.process.number), Some(account), what, None, "");
        world.now()
    }

    /// Notes what the caller is told, and returns the number of its token.
    fn told(
        &self,
        account: usize,
        asked_at: u64,
        result: Result<Option<AccessToken>>,
    ) -> Result<Option<u32>, ErrorCode> {
        let (process, world) = (&self.process, &self.process.world);
        match result {
            Ok(None) => Ok(None),
            Ok(Some(token)) => {
                // Only its number is looked at.
                let number = token_number(token.secret().expose());
                world.write(Some(process.number), Some(account), "is served access token", Some(number), "");
                world.witness().served(process, account, asked_at, number);
                Ok(Some(number))
            }
            Err(error) => {
                world.write(Some(process.number), Some(account), "is told", None, error.code().as_str());
                world.witness().failed(process, account, asked_at, error.code());
                Err(error.code())
            }
        }
    }

    /// `call`, which must end some day.
    async fn bounded<T>(&self, account: usize, call: impl Future<Output = T>) -> Option<T> {
        let ended = timeout(LONGEST_CALL, call).await.ok();
        if ended.is_none() {
            let what = format!("a call of p{} for a{account} does not end", self.process.number);
            self.process.world.breach(Invariant::NoHang, what);
        }
        ended
    }
}

/// Longer than every back-off, lease and stop that may still be in force.
const SETTLED: Duration = Duration::from_secs(20 * 60);
const RECOVERY_ATTEMPTS: u32 = 20;
/// Together longer than a revocation is put off.
const REVOCATION_ATTEMPTS: u32 = 8;
const REVOCATION_PAUSE: Duration = Duration::from_secs(5 * 60);
const RECOVERY_PAUSE: Duration = Duration::from_secs(60);
/// Two leases, two requests, the longest stop, and a store that stalls in between.
const LONGEST_CALL: Duration = Duration::from_secs(15 * 60);
