//! The bound on every wait: a scenario that hangs fails, and says where.

use std::future::Future;
use std::time::Duration;

/// The outcome of `future`, which is `what` the scenario waits for.
///
/// # Panics
///
/// When it does not come. The bound is far beyond anything that could be normal: it asserts no time.
#[track_caller]
pub fn within<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(LONGEST, future).await {
            Ok(outcome) => outcome,
            Err(_) => panic!("{place}: waited in vain for {what}"),
        }
    }
}

const LONGEST: Duration = Duration::from_secs(90);
