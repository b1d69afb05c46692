//! One refresh in flight for each connection of a process, in a task of its own that everybody can wait for.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::error::{Error, ErrorCode, Result};
use crate::store::ConnectionId;
use crate::store::vault::Entry;

/// What a flight has to say; `None` until it says it.
type Outcome = Option<Result<Arc<Entry>>>;

/// The flights of this process. A newer login of the same account is another connection: what becomes of the old one
/// is none of its business.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<ConnectionId, Ticket>>>);

/// A place to wait for a flight. Dropping it stops the waiting, never the flight.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// Whether the flight is one that nobody needs yet, and that may therefore give up sooner.
    pub(super) is_ahead: bool,
    outcome: watch::Receiver<Outcome>,
}

/// The task's end of a flight. When it is dropped, by its end or by a panic, the flight is over.
#[derive(Debug)]
pub(super) struct Flight {
    connection: ConnectionId,
    announce: watch::Sender<Outcome>,
    flights: Flights,
}

impl Flights {
    /// A ticket for the flight of `connection`; where there is none, one is started with `refresh`.
    pub(super) fn board<F>(
        &self,
        connection: ConnectionId,
        is_ahead: bool,
        refresh: impl FnOnce(Arc<Flight>) -> F,
    ) -> Ticket
    where
        F: Future<Output = Result<Arc<Entry>>> + Send + 'static,
    {
        let (started, ticket) = self.find_or_start(connection, is_ahead);
        if let Some(flight) = started {
            let refresh = refresh(flight.clone());
            // Not under the lock: a runtime that is ending drops the task at once, and the flight then takes the lock.
            tokio::spawn(async move {
                let result = refresh.await;
                flight.end(result);
            });
        }
        ticket
    }

    /// A ticket for the flight of `connection`, and the flight itself where it is a new one.
    fn find_or_start(&self, connection: ConnectionId, is_ahead: bool) -> (Option<Arc<Flight>>, Ticket) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ticket) = flights.get(&connection) {
            return (None, ticket.clone());
        }
        let (announce, outcome) = watch::channel(None);
        let ticket = Ticket { is_ahead, outcome };
        flights.insert(connection, ticket.clone());
        (Some(Arc::new(Flight { connection, announce, flights: self.clone() })), ticket)
    }

    /// Completes when no flight of now is in the air any more.
    pub(super) async fn settled(&self) {
        let flights: Vec<_> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for Ticket { mut outcome, .. } in flights {
            // Ends with an error when the task drops its sender, and that is the event waited for.
            let _ended = outcome.wait_for(|_| false).await;
        }
    }
}

impl Ticket {
    /// What the flight has to say.
    pub(super) async fn result(mut self) -> Result<Arc<Entry>> {
        match self.outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(result)) => result.clone(),
            _ => Err(Error::new(
                ErrorCode::Unavailable,
                "the refresh was broken off, as this process is ending",
            )),
        }
    }
}

impl Flight {
    /// Tells the waiting callers `result` while the flight goes on.
    pub(super) fn announce(&self, result: Result<Arc<Entry>>) {
        self.announce.send_replace(Some(result));
    }

    /// Lets later callers start a flight of their own, then tells those who wait. In this order, because a caller who
    /// has the result and asks again must not be given the same result again. What has ended already only tells once more.
    pub(super) fn end(&self, result: Result<Arc<Entry>>) {
        self.leave();
        self.announce(result);
    }

    fn leave(&self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        if flights
            .get(&self.connection)
            .is_some_and(|ticket| ticket.outcome.same_channel(&self.announce.subscribe()))
        {
            flights.remove(&self.connection);
        }
    }
}

/// A flight that panicked must not keep the connection for ever.
impl Drop for Flight {
    fn drop(&mut self) {
        self.leave();
    }
}
