//! The part of the port that keeps hosted logins. No caller of the simulated world begins one; a rotation would.

use async_trait::async_trait;
use loomkin_auth::error::Result;
use loomkin_auth::protocol::state::StateDigest;
use loomkin_auth::store::{
    FoundLogin, LoginBounds, PendingLogins, PutOutcome, ResealOutcome, SealedLogin, SealedTokens,
};

use super::Store;

#[async_trait]
impl PendingLogins for Store {
    async fn put_pending_login(&self, login: SealedLogin, bounds: LoginBounds) -> Result<PutOutcome> {
        let effect = self.0.world.rows.put_pending_login(login, bounds);
        self.call("put a pending login", None, effect).await
    }

    async fn pending_login(&self, id: StateDigest) -> Result<FoundLogin> {
        self.call("pending login", None, self.0.world.rows.pending_login(id)).await
    }

    async fn close_pending_login(&self, id: StateDigest) -> Result<bool> {
        self.call("close a pending login", None, self.0.world.rows.close_pending_login(id)).await
    }

    async fn old_pending_logins(&self, limit: u32) -> Result<Vec<SealedLogin>> {
        self.call("old pending logins", None, self.0.world.rows.old_pending_logins(limit)).await
    }

    async fn reseal_pending_login(
        &self,
        id: StateDigest,
        old: SealedTokens,
        new: SealedTokens,
    ) -> Result<ResealOutcome> {
        let effect = self.0.world.rows.reseal_pending_login(id, old, new);
        self.call("reseal a pending login", None, effect).await
    }
}
