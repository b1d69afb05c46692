//! The faults that are ordered and not yet told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Endpoint, Fault, Stage};

/// An order that says what shall go wrong, and waits to hear how often.
#[must_use = "say how often: `.times(n)`, `.once()` or `.until_cleared()`"]
pub struct Planned<'p> {
    plan: &'p Plan,
    endpoint: Endpoint,
    fault: Fault,
}

impl Planned<'_> {
    /// For the next request that gets as far as the fault.
    pub fn once(self) {
        self.times(1);
    }

    /// For the next `count` requests that get as far as the fault.
    pub fn times(self, count: usize) {
        self.order(Some(count));
    }

    /// For every request until the faults are cleared.
    pub fn until_cleared(self) {
        self.order(None);
    }

    fn order(self, times: Option<usize>) {
        self.plan.add(Order { endpoint: self.endpoint, fault: self.fault, times });
    }
}

/// The orders, first come, first told.
#[derive(Default)]
pub(crate) struct Plan(Mutex<Vec<Order>>);

/// One order: this endpoint, this fault, this often (`None`: until cleared).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Order {
    pub(crate) endpoint: Endpoint,
    pub(crate) fault: Fault,
    pub(crate) times: Option<usize>,
}

impl Plan {
    pub(crate) fn begin(&self, endpoint: Endpoint, fault: Fault) -> Planned<'_> {
        Planned { plan: self, endpoint, fault }
    }

    pub(crate) fn add(&self, order: Order) {
        if order.times != Some(0) {
            self.lock().push(order);
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn orders(&self) -> Vec<Order> {
        self.lock().clone()
    }

    /// Whether there is an order for `endpoint`.
    pub(crate) fn concerns(&self, endpoint: Endpoint) -> bool {
        self.lock().iter().any(|order| order.endpoint == endpoint)
    }

    /// The fault for `endpoint` whose turn it is, if it is one of `stages`. A later order never overtakes.
    pub(crate) fn take(&self, endpoint: Endpoint, stages: &[Stage]) -> Option<Fault> {
        let mut orders = self.lock();
        let index = orders.iter().position(|order| order.endpoint == endpoint)?;
        let order = &mut orders[index];
        if !stages.contains(&order.fault.stage()) {
            return None;
        }
        let fault = order.fault.clone();
        if let Some(left) = &mut order.times {
            *left -= 1;
            if *left == 0 {
                orders.remove(index);
            }
        }
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_told_in_turn_and_as_often_as_was_said() {
        let plan = Plan::default();
        plan.begin(Endpoint::Token, Fault::Hang).times(2);
        plan.begin(Endpoint::Token, Fault::AnswerLost).until_cleared();
        plan.begin(Endpoint::Userinfo, Fault::Garbage).once();
        let unread = [Stage::Unread];
        assert_eq!(plan.take(Endpoint::Token, &[Stage::Acted]), None, "the hang comes first");
        assert_eq!(plan.take(Endpoint::Token, &unread), Some(Fault::Hang));
        assert_eq!(plan.take(Endpoint::Token, &unread), Some(Fault::Hang));
        assert_eq!(plan.take(Endpoint::Token, &unread), None);
        assert_eq!(plan.take(Endpoint::Token, &[Stage::Acted]), Some(Fault::AnswerLost));
        assert_eq!(plan.take(Endpoint::Token, &[Stage::Acted]), Some(Fault::AnswerLost));
        plan.clear();
        assert_eq!(plan.take(Endpoint::Userinfo, &[Stage::Acted]), None);
    }

    #[test]
    fn an_order_reads_as_plain_json() {
        let text =
            r#"{"endpoint":"token","fault":{"kind":"field","name":"expires_in","value":"abc"},"times":1}"#;
        let order: Order = serde_json::from_str(text).unwrap();
        assert_eq!(order.fault, Fault::field("expires_in", "abc"));
        assert_eq!(serde_json::to_string(&order).unwrap(), text);
    }
}
