//! What a caller is told.

use loomkin_auth::error::ErrorCode;

use super::{Outcome, Witness};
use crate::happening::Happening;
use crate::invariant::Invariant;
use crate::process::Process;
use crate::server::Kind;

impl Witness {
    /// A caller that asked at `asked_at` is given an access token.
    pub(crate) fn served(&mut self, process: &Process, account: usize, asked_at: u64, token: u32) {
        self.count(Happening::TokenServed);
        let (world, who) = (&process.world, process.number);
        let (now, ahead) = (world.now(), process.ahead_millis());
        let server = world.server();
        let grant = server.grant_of_access(token);
        let is_of_account = server.account_of(grant) == account;
        let has_not_ended = server.is_believed_good(token, now, ahead);
        drop(server);
        let received = self.presentations.iter().any(|presentation| {
            presentation.process == who
                && matches!(presentation.outcome, Outcome::Tokens(issued) if issued.access == token)
        });
        let is_kept = self.durable.contains(&token) || received && self.unsaved.contains(&(who, grant));
        let wrong = if !is_of_account {
            "of another account"
        } else if !has_not_ended {
            "that has ended"
        } else if !is_kept {
            "that is not in the store"
        } else {
            ""
        };
        if !wrong.is_empty() {
            self.breach(Invariant::ServedHonestly, format!("p{who} serves access token #{token} {wrong}"));
        }
        if !self.was_stored_since(account, grant, asked_at.saturating_sub(world.lag_millis())) {
            let what =
                format!("p{who} serves access token #{token} of a login that had gone when it was asked");
            self.breach(Invariant::NothingAfterDisconnect, what);
        }
    }

    /// A caller that asked at `asked_at` is told an error.
    pub(crate) fn failed(&mut self, process: &Process, account: usize, asked_at: u64, code: ErrorCode) {
        if code != ErrorCode::ReconnectRequired {
            return;
        }
        let since = asked_at.saturating_sub(process.world.lag_millis());
        let kind = |grant| process.world.server().kind(grant);
        let lost = |grant| {
            let refused =
                |p: &super::Presentation| p.grant == grant && matches!(p.outcome, Outcome::Permanent);
            kind(grant) == Kind::NoRefresh || self.presentations.iter().any(refused)
        };
        let grants: Vec<usize> =
            self.accounts[account].logins.iter().filter_map(|(_, grant)| *grant).collect();
        let told =
            grants.iter().rev().find(|grant| self.was_stored_since(account, **grant, since) && lost(**grant));
        match told {
            Some(grant) if kind(*grant) == Kind::NoRefresh => self.count(Happening::FoundExpired),
            Some(_) => {}
            None => {
                let what = format!("p{} says that a{account} is lost, and it is not", process.number);
                self.breach(Invariant::HonestReason, what);
            }
        }
    }

    /// A resource server has told a caller that an access token is no good.
    pub(crate) fn rejected(&mut self, process: &Process, token: u32) {
        self.count(Happening::TokenRejected);
        self.rejected.insert((process.number, token));
    }

    /// A caller begins to disconnect an account. One that goes away may still have its way.
    pub(crate) fn asks_to_disconnect(&mut self, process: &Process, account: usize) {
        *self.disconnecting.entry((process.number, account)).or_default() += 1;
    }

    /// It has been told what came of it.
    pub(crate) fn has_disconnected(&mut self, process: &Process, account: usize) {
        self.count(Happening::Disconnected);
        if let Some(callers) = self.disconnecting.get_mut(&(process.number, account)) {
            *callers -= 1;
        }
    }

    /// Whether `grant` was the stored one of `account` at some moment since `since`.
    fn was_stored_since(&self, account: usize, grant: usize, since: u64) -> bool {
        let logins = &self.accounts[account].logins;
        logins.iter().enumerate().any(|(at, (_, login))| {
            let until = logins.get(at + 1).map_or(u64::MAX, |(until, _)| *until);
            *login == Some(grant) && until >= since
        })
    }
}
