//! Sees everything that happens in a run, and says when a promise is broken.
//!
//! It knows what no process knows: which tokens were issued, what became of every request, and who has died. It looks
//! at ports alone, at what callers are given, and never into the lifecycle.

mod calls;
mod requests;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use loomkin_auth::clock::Timestamp;
use loomkin_auth::store::{AttemptId, Columns, ConnectionId, Failure};

use crate::happening::Happening;
use crate::invariant::Invariant;
use crate::process::Process;
use crate::server::{Issued, Server};
use crate::trace::Trace;

/// What has been seen so far. Times are milliseconds of the run.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) trace: Trace,
    pub(crate) processes: Vec<Arc<Process>>,
    accounts: Vec<Account>,
    presentations: Vec<Presentation>,
    /// The latest claim of each process on the connection of each grant.
    claims: BTreeMap<(usize, usize), Claim>,
    /// How often each refresh token was claimed.
    claimed: BTreeMap<u32, u32>,
    /// The grant behind each connection.
    connections: BTreeMap<[u8; 16], usize>,
    /// Access tokens that have been in the store.
    durable: BTreeSet<u32>,
    /// Processes to which the store has refused the answer of a grant.
    unsaved: BTreeSet<(usize, usize)>,
    /// Access tokens that a resource server has rejected, by the process that was told so.
    rejected: BTreeSet<(usize, u32)>,
    /// Grants whose answers met a disconnect, by the process that has to revoke them.
    owed: BTreeSet<(usize, usize)>,
    /// Grants that a process has taken upon itself to revoke.
    taken: BTreeSet<(usize, usize)>,
    /// Grants whose disconnect was local, and whether their account was not disconnected everywhere since.
    living_on: BTreeMap<usize, bool>,
    /// How many callers of a process are disconnecting an account.
    disconnecting: BTreeMap<(usize, usize), u32>,
}

/// One account, as the store has it.
#[derive(Debug, Default)]
struct Account {
    row: Option<Row>,
    /// The grant that was stored from each moment on; `None` after a disconnect.
    logins: Vec<(u64, Option<usize>)>,
    holder: Option<Holder>,
}

/// What is stored for an account.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) grant: usize,
    pub(crate) access: u32,
    pub(crate) refresh: Option<u32>,
    pub(crate) columns: Columns,
    pub(crate) failure: Option<Failure>,
}

/// Who may present the refresh token of an account.
#[derive(Clone, Copy, Debug)]
struct Holder {
    process: usize,
    attempt: AttemptId,
}

/// The right to present a refresh token, as it was given.
#[derive(Clone, Debug)]
struct Claim {
    attempt: AttemptId,
    at: u64,
    deadline: u64,
    wall: Timestamp,
    row: Row,
    ended: bool,
}

/// One refresh request.
#[derive(Clone, Debug)]
struct Presentation {
    process: usize,
    account: usize,
    grant: usize,
    token: u32,
    claimed_at: u64,
    deadline: u64,
    sent_at: u64,
    answered_at: u64,
    outcome: Outcome,
    /// When its answer was stored.
    stored_at: Option<u64>,
    /// Whether the store has taken its answer, or said that it must not be stored.
    settled: bool,
    /// Whether its claim was lost by a process that was held up, or ended by the late answer of one: no promise holds then.
    is_overrun: bool,
}

/// What the sender of a refresh request was told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Client,
    Flying,
    Permanent,
    Refused,
    Tokens(Issued),
    Unknown,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "invalid_client",
            Self::Flying => "",
            Self::Permanent => "invalid_grant",
            Self::Refused => "refused",
            Self::Tokens(_) => "tokens",
            Self::Unknown => "nobody knows",
        }
    }
}

impl Witness {
    pub(crate) fn new(accounts: usize) -> Self {
        Self { accounts: (0..accounts).map(|_| Account::default()).collect(), ..Self::default() }
    }

    /// What is stored for `account`.
    pub(crate) fn row(&self, account: usize) -> Option<&Row> {
        self.accounts[account].row.as_ref()
    }

    /// The grant of a connection that was once stored.
    pub(crate) fn grant_of(&self, connection: ConnectionId) -> Option<usize> {
        self.connections.get(&connection.0).copied()
    }

    /// At the end of a run: what nobody has been able to see while it ran.
    pub(crate) fn end(&mut self, server: &Server, now: u64) {
        let alive = |process: &usize| !self.processes[*process].is_dead();
        let unsettled = self.presentations.iter().find(|p| p.is_unsettled() && alive(&p.process));
        let unsettled = unsettled.map(|p| (p.process, p.account));
        let owed = self.owed.iter().find(|(process, _)| alive(process)).copied();
        if let Some((account, grant)) = self.never_revoked(server, now) {
            let what = format!("grant {grant} of a{account} was disconnected, and lives on at the server");
            self.breach(Invariant::RevokedWhenDue, what);
        }
        if let Some((process, account)) = unsettled {
            self.breach(
                Invariant::NothingLost,
                format!("p{process} has never stored what it received for a{account}"),
            );
        }
        if let Some((process, grant)) = owed {
            self.breach(
                Invariant::RevokedWhenDue,
                format!("p{process} has never revoked the late answer of grant {grant}"),
            );
        }
    }

    /// A grant that nobody has revoked although its account was disconnected, and has not been connected since.
    fn never_revoked(&self, server: &Server, now: u64) -> Option<(usize, usize)> {
        self.accounts.iter().enumerate().find_map(|(number, account)| {
            let [.., (_, Some(grant)), (at, None)] = account.logins[..] else { return None };
            let is_late = at + LONGEST_QUEUE > now;
            (is_late && server.is_alive(grant) && !self.living_on.contains_key(&grant))
                .then_some((number, grant))
        })
    }

    /// A process has ended in order. What it received must be stored by now.
    pub(crate) fn exited(&mut self, process: usize) {
        if let Some(lost) = self.presentations.iter().find(|p| p.is_unsettled() && p.process == process) {
            let what = format!(
                "p{process} has ended in order without storing what it received for a{}",
                lost.account
            );
            self.breach(Invariant::NothingLost, what);
        }
    }

    pub(crate) fn breach(&mut self, invariant: Invariant, what: String) {
        self.trace.breach(invariant, what);
    }

    fn count(&mut self, happening: Happening) {
        self.trace.count(happening);
    }

    fn is_dead(&self, process: usize) -> bool {
        self.processes[process].is_dead()
    }
}

impl Presentation {
    fn is_unsettled(&self) -> bool {
        matches!(self.outcome, Outcome::Tokens(_)) && !self.settled
    }
}

/// Less than a revocation waits until it is given up, in milliseconds.
const LONGEST_QUEUE: u64 = 20 * 3600 * 1000;
