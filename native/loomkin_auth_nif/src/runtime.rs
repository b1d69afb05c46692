//! The threads that wait, so that no scheduler has to.

use loomkin_auth::error::{Error, ErrorCode, Result};
use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Runtime};

/// The one runtime of this library, started by the first call that needs it. It lives as long as the BEAM does.
///
/// # Errors
///
/// `unavailable` where the operating system gives no threads; the next call tries again.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    RUNTIME.get_or_try_init(|| {
        Builder::new_multi_thread().enable_all().thread_name("loomkin-auth").build().map_err(|_| {
            Error::new(ErrorCode::Unavailable, "the operating system gives no threads")
                .with_advice("Raise the limit of threads for this process.")
        })
    })
}

static RUNTIME: OnceCell<Runtime> = OnceCell::new();
