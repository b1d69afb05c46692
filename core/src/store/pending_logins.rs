//! Logins that wait for a redirect, which may come to any process that has the store.

use std::time::Duration;

use async_trait::async_trait;

use super::{ResealOutcome, SealedTokens};
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::protocol::state::StateDigest;

/// The part of a [`TokenStore`](super::TokenStore) that keeps hosted logins between their begin and their redirect.
///
/// A login is found by the digest of its `state`; the state itself is sealed, with everything else that is secret. It is
/// open until it is [closed](Self::close_pending_login), which happens once, whoever does it. What was sealed is deleted
/// then, and what is left says that there was such a login: whoever brings its redirect a second time has come too late,
/// and has not forged anything.
///
/// What cannot be finished any more goes first: an open login past its deadline and a closed one are *spent*. The next
/// login that is [put](Self::put_pending_login) after [`SealedLogin::REMEMBERED`] makes the store forget them, or an
/// earlier one that needs their room. All moments are by the store's clock.
#[async_trait]
pub trait PendingLogins: Send + Sync {
    /// Keeps `login`, and forgets what `bounds` leave no room for.
    ///
    /// Of its owner there are then `bounds.of_owner` at most: the spent ones go first, then the oldest. In all there are
    /// `bounds.in_all` at most, and to that end nothing goes but what is spent: where all are open it is refused. The
    /// person of an open login may be on the provider's page just now, and nobody may push another owner's login out.
    async fn put_pending_login(&self, login: SealedLogin, bounds: LoginBounds) -> Result<PutOutcome>;

    /// Looks at the login of this state, and changes nothing.
    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin>;

    /// Closes the login of this state, deletes what was sealed of it, and says whether it was open: of all who close it,
    /// at the same moment or not, one is told so.
    async fn close_pending_login(&self, id: StateDigest) -> Result<bool>;

    /// Open logins whose sealed bytes do not name the newest key, at most `limit` of them.
    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>>;

    /// Replaces what is sealed of an open login by the same sealed under the newest key, if it is still `old`.
    async fn reseal_pending_login(
        &self,
        id: StateDigest,
        old: SealedTokens,
        new: SealedTokens,
    ) -> Result<ResealOutcome>;
}

/// A login that waits for its redirect, as the store has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedLogin {
    /// What finds it.
    pub id: StateDigest,
    /// What it is to connect, and for whom.
    pub account: AccountKey,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Until when it can be finished.
    pub deadline: Timestamp,
    /// Everything else, sealed.
    pub sealed: SealedTokens,
}

impl SealedLogin {
    /// How long after its deadline a login is still known, so that whoever comes back late is told that it took too
    /// long, and not that the redirect is forged.
    pub const REMEMBERED: Duration = Duration::from_secs(3600);
}

/// How many logins may wait.
#[derive(Clone, Copy, Debug)]
pub struct LoginBounds {
    /// Of one owner; at least one.
    pub of_owner: u32,
    /// Of all owners.
    pub in_all: u32,
}

/// What became of a login that was to be kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PutOutcome {
    /// It waits for its redirect.
    Kept,
    /// There is no room, although what is spent was forgotten. It is not kept.
    Full,
    /// It is sealed under another key than the store's newest. Nothing was written: seal it anew.
    Retired,
}

/// What the store knows of a login.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FoundLogin {
    /// It waits. Its deadline may have passed.
    Open(Box<SealedLogin>),
    /// It was finished or cancelled.
    Closed,
    /// There is none of this state, or it was forgotten.
    Unknown,
}
