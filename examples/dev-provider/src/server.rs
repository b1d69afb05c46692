//! Listening, and no longer listening.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::connection::Connection;

/// The task that accepts connections; everything it started ends with it.
#[derive(Default)]
pub(crate) struct Server(Mutex<Option<JoinHandle<()>>>);

impl Server {
    /// Listens on 127.0.0.1, never on an address that other machines reach.
    pub(crate) async fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    pub(crate) fn run(&self, listener: TcpListener, router: Router) {
        self.replace(Some(tokio::spawn(accept(listener, router))));
    }

    /// Cuts every connection and completes once the port is free.
    pub(crate) async fn stop(&self) {
        if let Some(task) = self.replace(None) {
            task.abort();
            // Cancelled, as asked for.
            let _ = task.await;
        }
    }

    fn replace(&self, task: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), task)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = self.replace(None) {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(Connection::serve(stream, router.clone()));
                }
                // Out of file descriptors, most likely: one ends, and the next can come.
                Err(_) => tokio::task::yield_now().await,
            },
            // Finished connections are let go, so that a long-lived server does not grow.
            Some(_) = connections.join_next() => {}
        }
    }
}
