//! One TCP connection, which an answer can take down with it.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// A handle to the connection that a request came through.
#[derive(Clone, Default)]
pub(crate) struct Connection(Arc<Notify>);

impl Connection {
    /// Resets the connection: the other side gets no further byte, and no orderly end.
    pub(crate) async fn reset(&self) -> Infallible {
        self.0.notify_one();
        pending().await
    }

    /// Serves the requests that come through `stream` until either side ends it.
    pub(crate) async fn serve(stream: TcpStream, router: Router) {
        let connection = Self::default();
        let service = TowerToHyperService::new(router.layer(Extension(connection.clone())));
        let mut serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let was_reset = {
            let ended = pin!(&mut serving);
            tokio::select! {
                // A failure is the other side's hanging up, or a fault that was ordered.
                _ = ended => false,
                () = connection.0.notified() => true,
            }
        };
        if was_reset {
            // Without lingering, closing sends RST instead of FIN.
            let _ = serving.into_parts().io.into_inner().set_zero_linger();
        }
    }
}
