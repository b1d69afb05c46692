//! What a process does to the store, and whether it should have.

use std::time::Duration;

use loomkin_auth::error::Result;
use loomkin_auth::store::{AttemptId, ClaimOutcome, CommitOutcome, Failure, FailureKind, ReconnectReason};

use super::{Claim, Holder, Outcome, Row, Witness};
use crate::happening::Happening;
use crate::invariant::Invariant;
use crate::process::Process;

impl Witness {
    /// A login is stored.
    pub(crate) fn connected(&mut self, process: &Process, account: usize, connection: [u8; 16], row: Row) {
        self.count(Happening::Connected);
        self.connections.insert(connection, row.grant);
        self.durable.insert(row.access);
        let at = process.world.now();
        let account = &mut self.accounts[account];
        account.logins.push((at, Some(row.grant)));
        account.row = Some(row);
        account.holder = None;
    }

    /// Whether the claim of `account` belongs to a process of the same host that has died.
    pub(crate) fn holder_is_known_to_be_dead(&self, process: &Process, account: usize) -> bool {
        self.accounts[account].holder.is_some_and(|holder| {
            self.is_dead(holder.process) && self.processes[holder.process].host == process.host
        })
    }

    /// The store has answered a request for the claim.
    pub(crate) fn claimed(
        &mut self,
        process: &Process,
        account: usize,
        attempt: AttemptId,
        lease: Duration,
        outcome: &ClaimOutcome,
    ) {
        match outcome {
            ClaimOutcome::Claimed { orphaned, .. } => {
                if *orphaned {
                    self.count(Happening::ClaimOrphaned);
                }
                let rival = self.accounts[account].holder.filter(|holder| !self.is_dead(holder.process));
                if rival.is_some_and(|rival| rival.process != process.number) {
                    self.count(Happening::ClaimLostByLiving);
                }
                self.accounts[account].holder = Some(Holder { process: process.number, attempt });
                let Some(row) = self.row(account).cloned() else { return };
                if let Some(token) = row.refresh {
                    *self.claimed.entry(token).or_default() += 1;
                }
                let at = process.world.now();
                let deadline = at + u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
                let claim = Claim { attempt, at, deadline, wall: process.wall(), row, ended: false };
                self.claims.insert((process.number, claim.row.grant), claim);
            }
            ClaimOutcome::Held { .. } => {
                let own =
                    self.accounts[account].holder.is_some_and(|holder| holder.process == process.number);
                let grant = self.row(account).map_or(usize::MAX, |row| row.grant);
                let claim = self.claims.get(&(process.number, grant));
                // The flight of an earlier login may go on for the next one's connection.
                let at = process.world.now();
                let new_login =
                    self.accounts[account].logins.last().is_none_or(|(since, _)| at < since + FLIGHT);
                if own && !new_login && claim.is_some_and(|claim| !process.store_has_failed_since(claim.at)) {
                    let what = format!("p{} waits for a claim of its own", process.number);
                    self.breach(Invariant::NoNeedlessRequest, what);
                }
            }
            _ => {}
        }
    }

    /// The store has judged an answer; `row` is what is stored from now on, where it was taken.
    pub(crate) fn committed(&mut self, process: &Process, account: usize, row: Row) {
        let at = process.world.now();
        let received = self.presentations.iter_mut().rfind(|presentation| {
            presentation.process == process.number
                && matches!(presentation.outcome, Outcome::Tokens(issued) if issued.access == row.access)
        });
        let presented = received.map(|received| {
            received.stored_at = Some(at);
            received.settled = true;
            received.token
        });
        let before = self.row(account).map(|before| (before.grant, before.refresh));
        if presented.is_none() || before != Some((row.grant, presented)) {
            let what = format!(
                "p{} stores access token #{} over something else than it answers",
                process.number, row.access
            );
            self.breach(Invariant::Fenced, what);
        }
        self.durable.insert(row.access);
        self.end_claim(process.number, row.grant);
        self.accounts[account].row = Some(row);
        if let Some(holder) = self.accounts[account].holder.take() {
            // A late answer ends the claim of whoever has taken over from its sender, too.
            let overrun = |p: &&mut super::Presentation| {
                p.process == holder.process && p.process != process.number && p.account == account
            };
            self.presentations
                .iter_mut()
                .filter(overrun)
                .for_each(|presentation| presentation.is_overrun = true);
        }
    }

    /// A commit has come back to the process that made it.
    pub(crate) fn commit_returned(
        &mut self,
        process: &Process,
        grant: Option<usize>,
        result: &Result<CommitOutcome>,
    ) {
        let Some(grant) = grant else { return };
        match result {
            Err(_) => {
                self.count(Happening::CommitRepeated);
                self.unsaved.insert((process.number, grant));
                return;
            }
            // It will be sealed under another key, and come again.
            Ok(CommitOutcome::Retired) => return,
            Ok(CommitOutcome::Committed) => {}
            Ok(CommitOutcome::Disconnected) => {
                self.count(Happening::AnswerMetDisconnect);
                self.owed.insert((process.number, grant));
            }
            Ok(CommitOutcome::Superseded(_)) => self.count(Happening::AnswerSuperseded),
        }
        let of_this = |p: &&mut super::Presentation| p.process == process.number && p.grant == grant;
        self.presentations.iter_mut().filter(of_this).for_each(|presentation| presentation.settled = true);
    }

    /// A claim was given back; `failure` is what the process says, and `row` what is stored from now on.
    pub(crate) fn abandoned(
        &mut self,
        process: &Process,
        account: usize,
        attempt: AttemptId,
        said: Option<Failure>,
        stored: Option<Failure>,
    ) {
        let held = self.accounts[account].holder.is_some_and(|holder| holder.attempt == attempt);
        let Some(row) = &mut self.accounts[account].row else { return };
        row.failure = stored;
        if !held {
            return;
        }
        let grant = row.grant;
        self.accounts[account].holder = None;
        self.end_claim(process.number, grant);
        if let Some(Failure { kind: FailureKind::Permanent(reason), .. }) = said {
            self.check_reason(process, account, reason);
        }
    }

    /// A connection is deleted; `lives_on` says that its grant is not to be revoked.
    pub(crate) fn disconnected(&mut self, process: &Process, account: usize, lives_on: bool) {
        let account_of = |grant: &usize| process.world.server().account_of(*grant);
        // Who disconnects once more, and everywhere, does not want an earlier grant to live on any longer.
        let of_account = self.living_on.iter_mut().filter(|(grant, _)| account_of(grant) == account);
        of_account.for_each(|(_, must)| *must &= lives_on);
        let Some(row) = self.accounts[account].row.take() else { return };
        if lives_on {
            self.living_on.insert(row.grant, true);
        }
        self.accounts[account].holder = None;
        self.accounts[account].logins.push((process.world.now(), None));
        if self.disconnecting.get(&(process.number, account)).is_none_or(|callers| *callers == 0) {
            let what = format!("p{} deletes a{account}, and nobody asked for it", process.number);
            self.breach(Invariant::NothingDeleted, what);
        }
    }

    fn end_claim(&mut self, process: usize, grant: usize) {
        if let Some(claim) = self.claims.get_mut(&(process, grant)) {
            claim.ended = true;
        }
    }

    /// The server must have said `invalid_grant`; and "interrupted" says that an answer was lost before.
    fn check_reason(&mut self, process: &Process, account: usize, reason: ReconnectReason) {
        let Some(token) = self.row(account).and_then(|row| row.refresh) else { return };
        let of_token = |p: &super::Presentation| p.token == token;
        let latest = self.presentations.iter().rposition(|p| p.process == process.number && of_token(p));
        let refused =
            latest.filter(|latest| matches!(self.presentations[*latest].outcome, Outcome::Permanent));
        let Some(refused) = refused else {
            let what = format!("p{} calls a{account} lost, and the server has not said so", process.number);
            return self.breach(Invariant::HonestReason, what);
        };
        let presented = self.presentations.iter().filter(|p| of_token(p)).count();
        let claimed = self.claimed.get(&token).copied().unwrap_or_default();
        let wrong = match reason {
            ReconnectReason::Interrupted => {
                self.count(Happening::FoundInterrupted);
                (presented < 2 && claimed < 2).then_some("interrupted, and nothing was")
            }
            _ => {
                self.count(Happening::FoundRevoked);
                self.is_uncertain(token, refused).then_some("revoked, and an answer was lost before")
            }
        };
        if let Some(wrong) = wrong {
            self.breach(Invariant::HonestReason, format!("p{} calls a{account} {wrong}", process.number));
        }
    }
}

/// Longer than a flight takes, in milliseconds.
const FLIGHT: u64 = 300_000;
