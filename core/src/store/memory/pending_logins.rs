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

/// What is left of a login that was kept.
#[derive(Debug)]
pub(super) struct Row {
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

    /// The login of `id` that it is, if it is open.
    fn open(&self, id: StateDigest) -> Option<SealedLogin> {
        let Self { account, begun_at, deadline, sealed } = self;
        let (account, sealed) = (account.clone(), sealed.clone()?);
        Some(SealedLogin { id, account, begun_at: *begun_at, deadline: *deadline, sealed })
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
        rows.make_room(&login.account.owner, bounds, now);
        let outcome = if rows.pending_logins.len() >= bounds.in_all as usize {
            PutOutcome::Full
        } else {
            let SealedLogin { id, account, begun_at, deadline, sealed } = login;
            rows.pending_logins.insert(id, Row { account, begun_at, deadline, sealed: Some(sealed) });
            PutOutcome::Kept
        };
        self.changed(&rows);
        Ok(outcome)
    }

    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin> {
        Ok(match self.rows().pending_logins.get(&id) {
            Some(row) => row.open(id).map_or(FoundLogin::Closed, |login| FoundLogin::Open(Box::new(login))),
            None => FoundLogin::Unknown,
        })
    }

    async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        let mut rows = self.rows();
        let was_open = rows.pending_logins.get_mut(&id).is_some_and(|row| row.sealed.take().is_some());
        if was_open {
            self.changed(&rows);
        }
        Ok(was_open)
    }

    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>> {
        let rows = self.rows();
        let open = rows.pending_logins.iter().filter_map(|(id, row)| row.open(*id));
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
        let found = rows.pending_logins.get_mut(&id).filter(|row| row.sealed.as_ref() == Some(&old));
        let Some(row) = found else { return Ok(ResealOutcome::Resealed(0)) };
        row.sealed = Some(new);
        self.changed(&rows);
        Ok(ResealOutcome::Resealed(1))
    }
}

impl Rows {
    /// Forgets what is old, and what leaves no room for one more of `owner`.
    fn make_room(&mut self, owner: &Owner, bounds: LoginBounds, now: Timestamp) {
        let forgotten = now.minus(SealedLogin::REMEMBERED);
        self.pending_logins.retain(|_, row| row.deadline >= forgotten);
        let mut theirs: Vec<_> = self
            .pending_logins
            .iter()
            .filter(|(_, row)| row.account.owner == *owner)
            .map(|(id, row)| (!row.is_spent(now), row.begun_at, *id))
            .collect();
        theirs.sort_unstable();
        let surplus = (theirs.len() + 1).saturating_sub(bounds.of_owner as usize);
        for (_, _, id) in &theirs[..surplus.min(theirs.len())] {
            self.pending_logins.remove(id);
        }
        if self.pending_logins.len() >= bounds.in_all as usize {
            self.pending_logins.retain(|_, row| !row.is_spent(now));
        }
    }
}
