//! The part of the port that keeps what is still to be revoked.

use std::time::Duration;

use async_trait::async_trait;
use loomkin_auth::account::Owner;
use loomkin_auth::error::Result;
use loomkin_auth::store::{ConnectionId, QueueOutcome, Record, Revocation, RevocationQueue, RevocationTerms};

use super::Store;
use crate::world::account_number;

#[async_trait]
impl RevocationQueue for Store {
    async fn queue_revocation(&self, record: Record, terms: RevocationTerms) -> Result<QueueOutcome> {
        let (world, account) = (&self.0.world, record.account.clone());
        world.witness().queued(&self.0, record.connection);
        self.call("queue a revocation", Some(&account), world.rows.queue_revocation(record, terms)).await
    }

    async fn revocations(&self, after: Option<&Revocation>, limit: u32) -> Result<Vec<Revocation>> {
        self.call("revocations", None, self.0.world.rows.revocations(after, limit)).await
    }

    async fn revocations_of(&self, owner: &Owner) -> Result<Vec<Revocation>> {
        self.call("revocations of", None, self.0.world.rows.revocations_of(owner)).await
    }

    async fn take_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        lease: Duration,
    ) -> Result<Option<Revocation>> {
        let world = &self.0.world;
        let effect = async {
            let taken = world.rows.take_revocation(connection, attempts, lease).await?;
            if let Some(taken) = &taken
                && let Some(grant) = world.grant_to_revoke(taken).await
            {
                world.witness().took(&self.0, account_number(&taken.record.account), grant);
            }
            Ok(taken)
        };
        self.call("take a revocation", None, effect).await
    }

    async fn postpone_revocation(
        &self,
        connection: ConnectionId,
        attempts: u32,
        wait: Duration,
    ) -> Result<()> {
        let effect = self.0.world.rows.postpone_revocation(connection, attempts, wait);
        self.call("postpone a revocation", None, effect).await
    }

    async fn settle_revocation(&self, connection: ConnectionId, attempts: u32) -> Result<bool> {
        let effect = self.0.world.rows.settle_revocation(connection, attempts);
        self.call("settle a revocation", None, effect).await
    }
}
