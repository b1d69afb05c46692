//! Logins that wait for a redirect. See [`PendingLogins`](crate::store::PendingLogins).

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::Vault;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::authorization::PendingAuthorization;
use crate::protocol::state::StateDigest;
use crate::secret::Secret;
use crate::store::key::KeyRing;
use crate::store::seal::{self, LoginPlace};
use crate::store::{
    FoundLogin, LatestDisconnect, LoginBounds, PutOutcome, ResealOutcome, SealedLogin, SealedTokens, payload,
};

/// A login that waits in the store. `Debug` shows nothing secret.
pub struct WaitingLogin {
    /// The authorization request. Its deadline is by the store's clock.
    pub authorization: PendingAuthorization,
    /// What the browser has that began it, and no other.
    pub browser: Secret,
    /// The account's latest disconnect when it was begun: another one closes it.
    pub begun_after: LatestDisconnect,
    /// What it asked for.
    pub scopes: Vec<String>,
    /// What a connection of the configuration that began it would remember.
    pub binding: Value,
}

/// What the store knows of a login; see [`FoundLogin`].
#[derive(Debug)]
pub enum Waiting {
    /// It waits. Its deadline may have passed.
    Open(Box<WaitingLogin>),
    /// It was finished or cancelled.
    Closed,
    /// There is none of this state, or it was forgotten.
    Unknown,
}

impl Vault {
    /// Keeps `login`, which was begun at `begun_at` by the store's clock, until its redirect comes.
    ///
    /// # Errors
    ///
    /// `unavailable` when there is no room, see [`PendingLogins::put_pending_login`]; `store_failed`, `key_unavailable`.
    ///
    /// [`PendingLogins::put_pending_login`]: crate::store::PendingLogins::put_pending_login
    pub async fn keep_pending_login(&self, login: &WaitingLogin, begun_at: Timestamp) -> Result<()> {
        let authorization = &login.authorization;
        let (account, id) = (authorization.account(), authorization.state_digest());
        let place = LoginPlace { account, id, begun_at, deadline: authorization.deadline() };
        let plaintext = payload::encode_login(login);
        loop {
            let ring = self.keys.ring();
            let sealed = ring.newest().seal(&place, &plaintext, &*self.random)?;
            let LoginPlace { deadline, .. } = place;
            let row = SealedLogin { id, account: account.clone(), begun_at, deadline, sealed };
            match self.store.put_pending_login(row, BOUNDS).await? {
                PutOutcome::Kept => return Ok(()),
                PutOutcome::Full => return Err(too_many(account)),
                PutOutcome::Retired => self.follow(&ring).await?,
            }
        }
    }

    /// The login of this state, unsealed. Nothing is changed.
    ///
    /// # Errors
    ///
    /// `store_failed` when the store cannot be read or the login cannot be unsealed; `key_unavailable` when it is sealed
    /// under a newer key, and this process cannot get that.
    pub async fn pending_login(&self, id: StateDigest) -> Result<Waiting> {
        loop {
            let ring = self.keys.ring();
            let row = match self.store.pending_login(id).await? {
                FoundLogin::Open(row) => row,
                FoundLogin::Closed => return Ok(Waiting::Closed),
                FoundLogin::Unknown => return Ok(Waiting::Unknown),
            };
            // There may have been a rotation. An older key opens it only as long as the store still has that key.
            if row.sealed.key_id() != Some(ring.newest().id)
                && !Arc::ptr_eq(&self.keys.newer(&ring).await?, &ring)
            {
                continue;
            }
            let plaintext = seal::open(&ring, &LoginPlace::of(&row), &row.sealed)?;
            let login = payload::decode_login(&plaintext, row.account.clone());
            return login
                .map(|login| Waiting::Open(Box::new(login)))
                .ok_or_else(|| seal::later(&row.account));
        }
    }

    /// Closes the login of this state, and says whether it was open: to one of all who do so, whatever process they are
    /// of.
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        self.store.close_pending_login(id).await
    }

    /// Seals the open logins anew that older keys sealed. One that cannot be unsealed is closed: nobody can finish it.
    pub(super) async fn reseal_pending_logins(&self) -> Result<()> {
        loop {
            let ring = self.keys.ring();
            let page = self.store.old_pending_logins(BATCH).await?;
            if page.is_empty() {
                return Ok(());
            }
            if page.iter().any(|row| !ring.knows(&row.sealed))
                && !Arc::ptr_eq(&self.keys.newer(&ring).await?, &ring)
            {
                // Somebody else has rotated meanwhile: look again, with the keys of now.
                continue;
            }
            for row in page {
                let Some(new) = self.seal_login_anew(&ring, &row)? else {
                    self.store.close_pending_login(row.id).await?;
                    continue;
                };
                let outcome = self.store.reseal_pending_login(row.id, row.sealed, new).await?;
                if outcome == ResealOutcome::Retired {
                    self.follow(&ring).await?;
                    break;
                }
            }
        }
    }

    /// The same login under the newest key of `ring`; `None` when it cannot be unsealed. Nobody looks at what is inside.
    fn seal_login_anew(&self, ring: &KeyRing, row: &SealedLogin) -> Result<Option<SealedTokens>> {
        let place = LoginPlace::of(row);
        let Ok(plaintext) = seal::open(ring, &place, &row.sealed) else { return Ok(None) };
        ring.newest().seal(&place, &plaintext, &*self.random).map(Some)
    }
}

impl fmt::Debug for WaitingLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingLogin").field("authorization", &self.authorization).finish_non_exhaustive()
    }
}

fn too_many(account: &AccountKey) -> Error {
    Error::new(ErrorCode::Unavailable, "too many logins wait for somebody to come back")
        .with_advice("Try again in a few minutes; logins that nobody finishes end after ten.")
        .with_account(account)
}

/// A person with many tabs has a few logins open. The other bound is what the store can bear: some megabytes.
const BOUNDS: LoginBounds = LoginBounds { of_owner: 32, in_all: 10_000 };

const BATCH: u32 = 32;
