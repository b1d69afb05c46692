//! Ctrl-C and a polite kill: the command is dropped where it stands, what must be stored still is, and the exit code
//! is the one that shells give a signal.

use std::future::Future;
use std::pin::pin;

use crate::failure::Failure;

/// The signals that end a run.
#[derive(Debug)]
pub(crate) struct Interrupts {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Interrupts {
    /// Takes the signals over from now on. Where that is refused, they go on ending the process by themselves.
    pub(crate) fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = |kind| signal(kind).ok();
            Self { interrupt: listen(SignalKind::interrupt()), terminate: listen(SignalKind::terminate()) }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Completes at the next signal, with the exit code for it.
    pub(crate) async fn next(&mut self) -> u8 {
        #[cfg(unix)]
        tokio::select! {
            () = received(&mut self.interrupt) => BY_INTERRUPT,
            () = received(&mut self.terminate) => BY_TERMINATE,
        }
        #[cfg(not(unix))]
        match tokio::signal::ctrl_c().await {
            Ok(()) => BY_INTERRUPT,
            Err(_) => std::future::pending().await,
        }
    }

    /// Runs `work` to its end or to the next signal.
    pub(crate) async fn end(
        &mut self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let mut work = pin!(work);
        let exit_code = tokio::select! {
            biased;
            result = &mut work => return result,
            exit_code = self.next() => exit_code,
        };
        tracing::debug!("stopped by a signal; what has been received is still stored");
        Err(Failure::Interrupted(exit_code))
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

const BY_INTERRUPT: u8 = 128 + 2;
#[cfg(unix)]
const BY_TERMINATE: u8 = 128 + 15;
