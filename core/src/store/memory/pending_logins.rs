//! Logins that wait for their redirect.

use async_trait::async_trait;

use super::{MemoryStore, Rows};
use crate::account::{AccountKey, Owner};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::protocol::state::StateDigest;
use crate::store::reseal::is_retired;
use crate::store::{
    FoundLogin, LoginBounds, PendingLogins, PutOutcome, ResealOutcome, SealedLogin, SealedTokens,
};

/// What is left of a login that was kept. The rows are in the order in which they came.
#[derive(Debug)]
pub(super) struct Row {
    id: StateDigest,
    account: AccountKey,
    begun_at: Timestamp,
    deadline: Timestamp,
    /// `None` once it is closed.
    sealed: Option<SealedTokens>,
}

impl Row {
    /// Whether nobody can finish it any more.
    fn is_spent(&self, now: Timestamp) -> bool {
        self.sealed.is_none() || self.deadline < now
    }

    /// The login that it is, if it is open.
    fn open(&self) -> Option<SealedLogin> {
        let Self { id, account, begun_at, deadline, sealed } = self;
        let (account, sealed) = (account.clone(), sealed.clone()?);
        Some(SealedLogin { id: *id, account, begun_at: *begun_at, deadline: *deadline, sealed })
    }

    /// The sealed bytes, while there are any.
    pub(super) fn sealed(&self) -> Option<&SealedTokens> {
        self.sealed.as_ref()
    }
}

#[async_trait]
impl PendingLogins for MemoryStore {
    async fn put_pending_login(&self, login: SealedLogin, bounds: LoginBounds) -> Result<PutOutcome> {
        let now = self.0.clock.now();
        let mut rows = self.rows();
        if is_retired(rows.newest_key(), &login.sealed) {
            return Ok(PutOutcome::Retired);
        }
        let outcome = if rows.make_room(&login.account.owner, bounds, now) {
            let SealedLogin { id, account, begun_at, deadline, sealed } = login;
            rows.pending_logins.push(Row { id, account, begun_at, deadline, sealed: Some(sealed) });
            PutOutcome::Kept
        } else {
            PutOutcome::Full
        };
        self.changed(&rows);
        Ok(outcome)
    }

    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin> {
        Ok(match self.rows().pending_login(id) {
            Some(row) => row.open().map_or(FoundLogin::Closed, |login| FoundLogin::Open(Box::new(login))),
            None => FoundLogin::Unknown,
        })
    }

    async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        let mut rows = self.rows();
        let was_open = rows.pending_login(id).is_some_and(|row| row.sealed.take().is_some());
        if was_open {
            self.changed(&rows);
        }
        Ok(was_open)
    }

    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>> {
        let rows = self.rows();
        let open = rows.pending_logins.iter().filter_map(Row::open);
        Ok(open.filter(|login| is_retired(rows.newest_key(), &login.sealed)).take(limit as usize).collect())
    }

    async fn reseal_pending_login(
        &self,
        id: StateDigest,
        old: SealedTokens,
        new: SealedTokens,
    ) -> Result<ResealOutcome> {
        let mut rows = self.rows();
        if is_retired(rows.newest_key(), &new) {
            return Ok(ResealOutcome::Retired);
        }
        let found = rows.pending_login(id).filter(|row| row.sealed.as_ref() == Some(&old));
        let Some(row) = found else { return Ok(ResealOutcome::Resealed(0)) };
        row.sealed = Some(new);
        self.changed(&rows);
        Ok(ResealOutcome::Resealed(1))
    }
}

impl Rows {
    fn pending_login(&mut self, id: StateDigest) -> Option<&mut Row> {
        self.pending_logins.iter_mut().find(|row| row.id == id)
    }

    /// Forgets what is old, and what leaves no room for one more of `owner`. Says whether there is room now.
    fn make_room(&mut self, owner: &Owner, bounds: LoginBounds, now: Timestamp) -> bool {
        let rows = &mut self.pending_logins;
        let forgotten = now.minus(SealedLogin::REMEMBERED);
        rows.retain(|row| row.deadline >= forgotten);
        let theirs = |row: &Row| row.account.owner == *owner;
        while rows.iter().filter(|row| theirs(row)).count() >= bounds.of_owner.max(1) as usize {
            let spent = rows.iter().position(|row| theirs(row) && row.is_spent(now));
            let Some(first) = spent.or_else(|| rows.iter().position(theirs)) else { break };
            rows.remove(first);
        }
        if rows.len() >= bounds.in_all as usize {
            rows.retain(|row| !row.is_spent(now));
        }
        rows.len() < bounds.in_all as usize
    }
}
