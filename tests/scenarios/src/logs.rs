//! Every log line of the core in this process, at the finest level.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts keeping them. One subscriber serves all tests of a process: their secrets differ, so each looks for its own.
pub(crate) fn keep() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let ours = filter_fn(|metadata| metadata.target().split("::").next() == Some("loomkin_auth"));
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(|| Lines)
            .with_filter(LevelFilter::TRACE)
            .with_filter(ours);
        // It fails where a test brought a subscriber of its own; that one sees the lines then.
        let _other = tracing_subscriber::registry().with(lines).try_init();
    });
}

/// The lines so far.
pub(crate) fn so_far() -> Vec<u8> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
