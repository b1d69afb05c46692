//! How long a claim is good for requests.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// The part of a claim's lease in which a request may be sent, from the moment the claim was asked for.
///
/// It is measured by the wall clock and by a timer: a clock may be put back meanwhile, and a timer stands still while the
/// machine is suspended.
pub(super) struct Lease {
    clock: Arc<dyn Clock>,
    latest: Timestamp,
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Lease {
    /// For a claim that is asked for now.
    pub(super) fn begin(clock: &Arc<dyn Clock>) -> Self {
        let (latest, timer) = (clock.now().plus(LATEST_REQUEST), Some(clock.sleep(LATEST_REQUEST)));
        Self { clock: clock.clone(), latest, timer }
    }

    /// Whether a request that is sent now ends before the lease does, whatever it takes.
    pub(super) async fn has_room(&mut self) -> bool {
        if let Some(timer) = &mut self.timer
            && poll_fn(|context| Poll::Ready(timer.as_mut().poll(context).is_ready())).await
        {
            self.timer = None;
        }
        self.timer.is_some() && self.clock.now() <= self.latest
    }
}

/// Longer than a request may take, and than the time until the latest of them is sent.
pub(super) const LEASE: Duration = Duration::from_secs(45);
/// A request takes thirty seconds at most.
const LATEST_REQUEST: Duration = Duration::from_secs(10);
