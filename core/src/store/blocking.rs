//! Work that may block, moved off the threads that run tasks.

use crate::error::{Error, ErrorCode, Result};

/// Runs `work` where it may block. It runs to its end even when nobody waits for it any more.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Error::new(ErrorCode::StoreFailed, "the store's work was cut off")),
    }
}
