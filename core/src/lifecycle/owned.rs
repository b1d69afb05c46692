//! Work that must come to its end once it has begun, whatever becomes of the caller who began it.

use std::future::Future;

use tokio::sync::watch;

use crate::error::{Error, ErrorCode, Result};

/// The tasks of a process that its end waits for.
#[derive(Clone, Debug)]
pub(super) struct Owned(watch::Sender<usize>);

impl Default for Owned {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Owned {
    /// Runs `work` in a task of its own. Dropping the returned future stops the waiting, never the work.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        self.0.send_modify(|running| *running += 1);
        let running = Running(self.0.clone());
        let task = tokio::spawn(async move {
            let _running = running;
            work.await
        });
        async move {
            task.await.unwrap_or_else(|_| {
                Err(Error::new(ErrorCode::Unavailable, "the work was broken off, as this process is ending"))
            })
        }
    }

    /// Completes when none of the tasks is running.
    pub(super) async fn settled(&self) {
        // The sender lives in `self`, so the channel cannot close meanwhile.
        let mut running = self.0.subscribe();
        let _never_closed = running.wait_for(|running| *running == 0).await;
    }
}

/// Counts a task for as long as it lives, also where it panics or is dropped by a runtime that ends.
struct Running(watch::Sender<usize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}
