//! The log of what happened to the connections.

use super::Vault;
use crate::account::AccountKey;
use crate::error::Result;
use crate::store::{Event, EventCursor, EventKind};

impl Vault {
    /// Writes an event of its own; see [`TokenStore::record_event`](crate::store::TokenStore::record_event).
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn record_event(&self, account: &AccountKey, kind: EventKind) -> Result<()> {
        self.store.record_event(account, kind).await?;
        self.wrote.notify_one();
        Ok(())
    }

    /// A place at the end of the event log; see [`TokenStore::event_cursor`](crate::store::TokenStore::event_cursor).
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn event_cursor(&self) -> Result<EventCursor> {
        self.store.event_cursor().await
    }

    /// The events behind `cursor`, which is moved behind them; see [`TokenStore::events`](crate::store::TokenStore::events).
    ///
    /// # Errors
    ///
    /// `store_failed`.
    pub async fn events(&self, cursor: &mut EventCursor) -> Result<Vec<Event>> {
        self.store.events(cursor).await
    }

    /// Completes when this process has written events since the last time. For one listener.
    pub async fn has_written(&self) {
        self.wrote.notified().await;
    }
}
