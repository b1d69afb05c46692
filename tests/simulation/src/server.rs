//! The simulated authorization server: grants, and the tokens that belong to them.

use std::time::Duration;

/// What it makes of a refresh token that comes again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Keeps one refresh token for the whole grant, and names it in every answer.
    Constant,
    /// The same, and leaves it out of its answers.
    ConstantUnnamed,
    /// As `Grace`, and its clients know that it does.
    Forgiving,
    /// Rotates; for a minute a spent token yields the same successor again, and then ends the grant.
    Grace,
    /// Gives no refresh token at all.
    NoRefresh,
    /// Rotates; a spent token that comes again ends the grant.
    Strict,
}

/// One server and its ways.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) kind: Kind,
    /// How long an access token lasts; `None` where it lasts as long as the grant and the server does not say.
    pub(crate) lifetime: Option<Duration>,
    /// Whether a refresh ends the access tokens before it.
    pub(crate) ends_old_access: bool,
}

/// What a login or a refresh yields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issued {
    pub(crate) access: u32,
    pub(crate) refresh: Option<u32>,
    pub(crate) lifetime: Option<Duration>,
}

/// All grants and tokens of a run. Times are milliseconds of the run.
#[derive(Debug, Default)]
pub(crate) struct Server {
    grants: Vec<Grant>,
    access: Vec<Access>,
    refresh: Vec<Refresh>,
}

#[derive(Debug)]
struct Grant {
    settings: Settings,
    account: usize,
    alive: bool,
    current: Option<u32>,
}

#[derive(Debug)]
struct Access {
    grant: usize,
    good: bool,
    ends: Option<u64>,
    /// When it ends by the wall clock of whoever asked for it, in milliseconds of the run.
    believed_end: Option<i64>,
}

#[derive(Debug)]
struct Refresh {
    grant: usize,
    successor: Option<u32>,
    spent_at: u64,
}

/// When a request was sent, by the run's clock and by the sender's, which is `ahead` of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentAt {
    pub(crate) at: u64,
    pub(crate) ahead: i64,
}

/// What becomes of a refresh request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Issued(Issued),
    /// `invalid_grant`; `reuse` says that this very request ended the grant.
    Invalid {
        reuse: bool,
    },
}

impl Server {
    /// A person logs in.
    pub(crate) fn log_in(&mut self, account: usize, settings: Settings, now: u64, sent: SentAt) -> Issued {
        let grant = self.grants.len();
        self.grants.push(Grant { settings, account, alive: true, current: None });
        if settings.kind != Kind::NoRefresh {
            self.make_refresh(grant);
        }
        self.issue(grant, settings.lifetime, now, sent)
    }

    /// A refresh token comes; `lifetime` is that of the tokens it may yield.
    pub(crate) fn refresh(
        &mut self,
        token: u32,
        lifetime: Option<Duration>,
        now: u64,
        sent: SentAt,
    ) -> Verdict {
        let grant = self.refresh[token as usize].grant;
        if !self.accepts(token, now) {
            let reuse = self.grants[grant].alive;
            self.end(grant);
            return Verdict::Invalid { reuse };
        }
        let rotates = self.rotates(grant);
        if rotates && self.grants[grant].current == Some(token) {
            let successor = self.make_refresh(grant);
            let spent = &mut self.refresh[token as usize];
            (spent.successor, spent.spent_at) = (Some(successor), now);
        }
        if self.grants[grant].settings.ends_old_access {
            self.access
                .iter_mut()
                .filter(|access| access.grant == grant)
                .for_each(|access| access.good = false);
        }
        Verdict::Issued(self.issue(grant, lifetime, now, sent))
    }

    /// Whether a refresh token would yield tokens now.
    pub(crate) fn accepts(&self, token: u32, now: u64) -> bool {
        let refresh = &self.refresh[token as usize];
        let grant = &self.grants[refresh.grant];
        let graceful = matches!(grant.settings.kind, Kind::Forgiving | Kind::Grace);
        let in_grace =
            graceful && refresh.successor == grant.current && now < refresh.spent_at + GRACE_MILLIS;
        grant.alive && (grant.current == Some(token) || in_grace)
    }

    /// Ends a grant with all of its tokens.
    pub(crate) fn end(&mut self, grant: usize) {
        self.grants[grant].alive = false;
    }

    /// The latest grant of `account`.
    pub(crate) fn latest_grant(&self, account: usize) -> Option<usize> {
        self.grants.iter().rposition(|grant| grant.account == account)
    }

    pub(crate) fn is_alive(&self, grant: usize) -> bool {
        self.grants[grant].alive
    }

    pub(crate) fn grant_of_access(&self, token: u32) -> usize {
        self.access[token as usize].grant
    }

    pub(crate) fn grant_of_refresh(&self, token: u32) -> usize {
        self.refresh[token as usize].grant
    }

    pub(crate) fn account_of(&self, grant: usize) -> usize {
        self.grants[grant].account
    }

    pub(crate) fn kind(&self, grant: usize) -> Kind {
        self.grants[grant].settings.kind
    }

    pub(crate) fn rotates(&self, grant: usize) -> bool {
        matches!(self.kind(grant), Kind::Strict | Kind::Grace | Kind::Forgiving)
    }

    /// Whether a resource server accepts an access token.
    pub(crate) fn is_good(&self, access: u32, now: u64) -> bool {
        let access = &self.access[access as usize];
        self.grants[access.grant].alive && access.good && access.ends.is_none_or(|end| now < end)
    }

    /// Whether an access token has not ended by a wall clock that is `ahead`, counted from when it was asked for.
    pub(crate) fn is_believed_good(&self, access: u32, now: u64, ahead: i64) -> bool {
        let wall = i64::try_from(now).unwrap_or(i64::MAX) + ahead;
        self.access[access as usize].believed_end.is_none_or(|end| wall < end)
    }

    fn issue(&mut self, grant: usize, lifetime: Option<Duration>, now: u64, sent: SentAt) -> Issued {
        let access = number(self.access.len());
        let millis = lifetime.map(|lifetime| u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX));
        let believed_end =
            millis.map(|millis| i64::try_from(sent.at + millis).unwrap_or(i64::MAX) + sent.ahead);
        self.access.push(Access { grant, good: true, ends: millis.map(|millis| now + millis), believed_end });
        Issued { access, refresh: self.grants[grant].current, lifetime }
    }

    fn make_refresh(&mut self, grant: usize) -> u32 {
        let token = number(self.refresh.len());
        self.refresh.push(Refresh { grant, successor: None, spent_at: 0 });
        self.grants[grant].current = Some(token);
        token
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

const GRACE_MILLIS: u64 = 60_000;
