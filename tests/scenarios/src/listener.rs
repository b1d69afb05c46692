//! Events, as an app hears them.

use loomkin_auth::lifecycle::Subscription;
use loomkin_auth::store::EventKind;

use crate::canary::Canary;
use crate::patience::within;

/// A subscription that shows the canary whatever it hears.
#[derive(Debug)]
pub struct Listener {
    canary: Canary,
    subscription: Subscription,
}

impl Listener {
    pub(crate) fn new(canary: Canary, subscription: Subscription) -> Self {
        Self { canary, subscription }
    }

    /// The account of the next event, and what happened to it.
    ///
    /// # Panics
    ///
    /// When none comes.
    pub async fn next(&mut self) -> (Option<String>, EventKind) {
        let event = within("an event", self.subscription.next()).await.unwrap();
        self.canary.see_debug("an event", &event);
        self.canary.see("an event's detail", event.kind.detail().unwrap_or_default());
        (event.account.map(|account| account.to_string()), event.kind)
    }
}
