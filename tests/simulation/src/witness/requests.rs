//! What a process asks the server, and whether it may.

use std::time::Duration;

use loomkin_auth::lifecycle::Freshness;
use loomkin_auth::store::{ConnectionId, FailureKind};

use super::{Claim, Outcome, Presentation, Witness};
use crate::happening::Happening;
use crate::invariant::Invariant;
use crate::process::Process;
use crate::server::Kind;
use crate::world::MARGINS;

impl Witness {
    /// A process presents a refresh token. Returns the number of the request.
    pub(crate) fn sent(&mut self, process: &Process, account: usize, token: u32) -> usize {
        self.count(Happening::Refreshed);
        let grant = process.world.server().grant_of_refresh(token);
        let number = self.presentations.len();
        let mut presentation = Presentation {
            process: process.number,
            account,
            grant,
            token,
            claimed_at: 0,
            deadline: 0,
            sent_at: process.world.now(),
            answered_at: 0,
            outcome: Outcome::Flying,
            stored_at: None,
            settled: false,
            is_overrun: false,
        };
        match self.claims.get(&(process.number, grant)).cloned() {
            Some(claim) if claim.row.refresh == Some(token) && !claim.ended => {
                (presentation.claimed_at, presentation.deadline) = (claim.at, claim.deadline);
                if self.still_holds(process, account, &claim) {
                    self.check_flying(process, grant);
                    self.check_earlier(process, token, &claim);
                    self.check_need(process, &claim);
                } else {
                    presentation.is_overrun = true;
                }
            }
            _ => {
                let what =
                    format!("p{} presents refresh token #{token} without a claim for it", process.number);
                self.breach(Invariant::OneRequest, what);
            }
        }
        self.presentations.push(presentation);
        number
    }

    /// The process has the answer to its request.
    pub(crate) fn answered(&mut self, process: &Process, number: usize, outcome: Outcome) {
        let presentation = &mut self.presentations[number];
        presentation.outcome = outcome;
        presentation.answered_at = process.world.now();
    }

    /// A process asks the server to end a grant. It must have taken that out of the queue.
    pub(crate) fn revocation(&mut self, process: &Process, grant: usize) {
        if !self.taken.contains(&(process.number, grant)) {
            let what = format!("p{} revokes grant {grant} without having taken it to do so", process.number);
            self.breach(Invariant::RevokedWhenDue, what);
        }
    }

    /// A process takes it upon itself to revoke a grant. None must be taken while a login has the last word.
    pub(crate) fn took(&mut self, process: &Process, account: usize, grant: usize) {
        self.taken.insert((process.number, grant));
        let wrong = if self.row(account).is_some() {
            "while the account is connected"
        } else if self.living_on.get(&grant) == Some(&true) {
            "that was to live on"
        } else {
            return;
        };
        self.breach(
            Invariant::RevokedWhenDue,
            format!("p{} is to revoke grant {grant} {wrong}", process.number),
        );
    }

    /// A process queues what came too late.
    pub(crate) fn queued(&mut self, process: &Process, connection: ConnectionId) {
        if let Some(grant) = self.grant_of(connection) {
            self.owed.remove(&(process.number, grant));
        }
    }

    /// Whether it holds the claim under which it sends. Only who was held up past its lease may have lost it unawares.
    fn still_holds(&mut self, process: &Process, account: usize, claim: &Claim) -> bool {
        let account = &self.accounts[account];
        let holds = account.holder.is_some_and(|holder| holder.attempt == claim.attempt);
        // A newer login takes the claim away together with the connection that it was for.
        let same_login = account.row.as_ref().is_some_and(|row| row.grant == claim.row.grant);
        if !holds && same_login && !process.was_held_up_since(claim.at) {
            let what = format!("p{} presents a token under a claim that it has lost", process.number);
            self.breach(Invariant::OneRequest, what);
        }
        holds
    }

    fn check_flying(&mut self, process: &Process, grant: usize) {
        let now = process.world.now();
        let rival = self.presentations.iter().find(|other| {
            other.grant == grant
                && matches!(other.outcome, Outcome::Flying)
                && !self.is_dead(other.process)
                && !other.is_overrun
                // One that overruns its lease must have been held up.
                && (now < other.deadline || !self.processes[other.process].was_held_up_since(other.claimed_at))
        });
        if let Some(rival) = rival {
            let what =
                format!("p{} sends while the request of p{} is in flight", process.number, rival.process);
            self.breach(Invariant::OneRequest, what);
        }
    }

    /// The same token was presented before: that must have been in vain, or nobody can know.
    fn check_earlier(&mut self, process: &Process, token: u32, claim: &Claim) {
        let (now, server) = (process.world.now(), process.world.server());
        let (kind, rotates) = (server.kind(claim.row.grant), server.rotates(claim.row.grant));
        drop(server);
        let mut wrong = None;
        for earlier in self.presentations.iter().filter(|earlier| earlier.token == token) {
            let known = !self.is_dead(earlier.process) && now < earlier.deadline;
            match earlier.outcome {
                Outcome::Tokens(_) if rotates && (earlier.stored_at.is_some() || known) => {
                    wrong = Some((Invariant::NoReuse, "presents a token again whose answer was received"));
                }
                Outcome::Permanent
                    if known
                        && !self.processes[earlier.process].store_has_failed_since(earlier.claimed_at) =>
                {
                    wrong = Some((
                        Invariant::NoNeedlessRequest,
                        "presents a token again that is invalid for good",
                    ));
                }
                Outcome::Client
                    if earlier.process == process.number
                        && now < earlier.answered_at + REGISTRATION_MEMORY
                        && !process.clock_was_set_since(earlier.answered_at) =>
                {
                    wrong = Some((
                        Invariant::NoNeedlessRequest,
                        "asks again though its registration was just refused",
                    ));
                }
                _ => {}
            }
        }
        if let Some((invariant, what)) = wrong {
            self.breach(invariant, format!("p{} {what} (#{token})", process.number));
        }
        if self.is_uncertain(token, self.presentations.len()) {
            self.count(Happening::UnknownRepeated);
            if kind != Kind::Forgiving && !self.is_needed(process, claim) {
                let what = format!(
                    "p{} repeats an unknown outcome of #{token} while the access token works",
                    process.number
                );
                self.breach(Invariant::NoReuse, what);
            }
        }
    }

    /// Whether the access token that was stored under the claim is of no use any more, or comes from a time before the
    /// clock was put back, so that nobody knows.
    fn is_needed(&self, process: &Process, claim: &Claim) -> bool {
        let columns = &claim.row.columns;
        let invalid = |wall| {
            MARGINS.freshness(columns, wall) == Freshness::Invalid
                || wall.plus(CLOCKS_DIFFER) < columns.issued_at
        };
        invalid(claim.wall)
            || invalid(process.wall())
            || self.rejected.contains(&(process.number, claim.row.access))
    }

    /// Under the claim it was read again whether a request is needed, and allowed.
    fn check_need(&mut self, process: &Process, claim: &Claim) {
        let walls = [claim.wall, process.wall()];
        let rejected = self.rejected.contains(&(process.number, claim.row.access));
        let fresh = |wall| MARGINS.freshness(&claim.row.columns, wall) == Freshness::Fresh;
        if !rejected && walls.into_iter().all(fresh) {
            let what = format!("p{} asks for tokens though a fresh one is stored", process.number);
            self.breach(Invariant::NoNeedlessRequest, what);
        }
        let Some(failure) = claim.row.failure else { return };
        let too_early = |wall| {
            matches!(failure.kind, FailureKind::Permanent(_))
                || failure.at <= wall && failure.next_attempt_at.is_some_and(|next| wall < next)
        };
        if walls.into_iter().all(too_early) {
            let what = format!("p{} passes over a back-off or a refusal for good", process.number);
            self.breach(Invariant::NoNeedlessRequest, what);
        }
    }

    /// Whether nobody can know what the server made of `token`, by the requests before the one of this number.
    pub(super) fn is_uncertain(&self, token: u32, before: usize) -> bool {
        let of_token = |earlier: &&Presentation| earlier.token == token && !earlier.is_overrun;
        let earlier = || self.presentations[..before].iter().filter(of_token);
        let stored = |earlier: &Presentation| earlier.stored_at.filter(|_| earlier.token == token);
        let settled_at = self.presentations[..before].iter().filter_map(stored).max();
        earlier().any(|earlier| {
            settled_at.is_none_or(|at| earlier.sent_at > at)
                && match earlier.outcome {
                    Outcome::Flying | Outcome::Unknown => true,
                    Outcome::Tokens(_) => !earlier.settled,
                    Outcome::Client | Outcome::Permanent | Outcome::Refused => false,
                }
        })
    }
}

/// What clocks may differ by without anybody noticing.
const CLOCKS_DIFFER: Duration = Duration::from_secs(120);
/// A little less than the lifecycle remembers a refused registration, in milliseconds.
const REGISTRATION_MEMORY: u64 = 290_000;
