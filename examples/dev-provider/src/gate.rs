//! Answers held back until a test lets them go: an interleaving is forced, never hoped for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::fault::Endpoint;

/// Where in its life a request is held.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// The server has acted (a token is spent, another one made), and nobody has been told.
    BeforeAnswering,
    /// The request has arrived, and nothing has happened yet.
    BeforeProcessing,
}

/// Holds back the requests to one endpoint for as long as it lives.
///
/// A held request is acted upon even when its sender goes away meanwhile, as a real server would.
#[must_use = "a gate that is dropped holds nothing"]
pub struct Gate {
    gates: Arc<Gates>,
    held: Arc<Held>,
}

impl Gate {
    /// How many requests have arrived at the gate so far.
    pub fn arrived(&self) -> usize {
        self.held.arrived()
    }

    /// Completes once `count` requests have arrived at the gate, those included whose sender has gone since.
    pub async fn wait_for(&self, count: usize) {
        self.held.wait_for(count).await;
    }

    /// What passes the gate, without the power to open it.
    pub(crate) fn watch(&self) -> Arc<Held> {
        Arc::clone(&self.held)
    }

    /// Lets every held request go on, and all later ones pass. Dropping the gate does the same.
    pub fn release(self) {}
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.gates.lock().retain(|held| !Arc::ptr_eq(held, &self.held));
        self.held.open.send_replace(true);
    }
}

/// The gates in force.
#[derive(Default)]
pub(crate) struct Gates(Mutex<Vec<Arc<Held>>>);

impl Gates {
    pub(crate) fn close(self: &Arc<Self>, endpoint: Endpoint, moment: Moment) -> Gate {
        let held = Arc::new(Held {
            arrived: watch::Sender::new(0),
            endpoint,
            moment,
            open: watch::Sender::new(false),
        });
        self.lock().push(Arc::clone(&held));
        Gate { gates: Arc::clone(self), held }
    }

    /// Goes through every gate of `endpoint` at `moment`, waiting where one is closed.
    pub(crate) async fn pass(&self, endpoint: Endpoint, moment: Moment) {
        let ahead: Vec<_> = self
            .lock()
            .iter()
            .filter(|held| held.endpoint == endpoint && held.moment == moment)
            .map(Arc::clone)
            .collect();
        for held in ahead {
            held.arrived.send_modify(|count| *count += 1);
            // The sender is alive as long as `held`, so this ends only by the gate's opening.
            let _ = held.open.subscribe().wait_for(|open| *open).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A gate as the requests before it see it.
pub(crate) struct Held {
    arrived: watch::Sender<usize>,
    endpoint: Endpoint,
    moment: Moment,
    open: watch::Sender<bool>,
}

impl Held {
    pub(crate) fn arrived(&self) -> usize {
        *self.arrived.borrow()
    }

    pub(crate) async fn wait_for(&self, count: usize) {
        // The sender is alive as long as `self`, so this ends only by the count.
        let _ = self.arrived.subscribe().wait_for(|arrived| *arrived >= count).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_holds_its_endpoint_and_moment_and_nothing_else() {
        let gates = Arc::new(Gates::default());
        let gate = gates.close(Endpoint::Token, Moment::BeforeProcessing);
        gates.pass(Endpoint::Token, Moment::BeforeAnswering).await;
        gates.pass(Endpoint::Userinfo, Moment::BeforeProcessing).await;
        let held = tokio::spawn({
            let gates = Arc::clone(&gates);
            async move { gates.pass(Endpoint::Token, Moment::BeforeProcessing).await }
        });
        gate.wait_for(1).await;
        assert!(!held.is_finished());
        gate.release();
        held.await.unwrap();
        gates.pass(Endpoint::Token, Moment::BeforeProcessing).await;
    }
}
