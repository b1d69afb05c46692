//! The loopback redirect (RFC 8252 §7.3): a listener on this machine that takes one answer.

mod uri;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use ::http::{HeaderValue, Method};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub use super::page::Page;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;
use uri::LoopbackUri;

/// A listener on the loopback interface that waits for the redirect of one login.
///
/// Dropping it closes the port.
#[derive(Debug)]
pub struct LoopbackListener {
    redirect_uri: String,
    redirects: mpsc::Receiver<Redirect>,
    servers: JoinSet<()>,
    closing: watch::Sender<bool>,
}

/// Somebody came to the callback path. Whoever it is sees a page once [`Redirect::answer`] is called.
#[derive(Debug)]
pub struct Redirect {
    /// The query as it came: hostile until checked, and it holds the authorization code.
    pub query: Secret,
    answer: oneshot::Sender<Page>,
}

impl Redirect {
    /// Shows `page` to whoever came. That they have gone meanwhile is no error.
    pub fn answer(self, page: Page) {
        let _gone = self.answer.send(page);
    }
}

impl LoopbackListener {
    /// Whether `configured` is a loopback URL that names its port, so that no other will do.
    pub fn has_fixed_port(configured: &str) -> bool {
        LoopbackUri::read(configured).is_ok_and(|uri| uri.port().is_some())
    }

    /// Listens where `configured` says (a loopback URL with host and path, and with a port where that is fixed), or at
    /// `http://127.0.0.1/callback`; on a machine without IPv4, at `http://[::1]/callback`. Without a fixed port any free one
    /// is taken. `localhost` is listened on by IPv4 and IPv6, as far as the machine has them, at the same port: the browser
    /// may take either.
    ///
    /// # Errors
    ///
    /// `config_invalid` when `configured` is no loopback URL with `http`; `unavailable` when its port is taken.
    pub async fn bind(configured: Option<&str>) -> Result<Self> {
        Self::bind_by(configured, TcpListener::bind).await
    }

    async fn bind_by(configured: Option<&str>, bind: impl Bind) -> Result<Self> {
        let (redirect_uri, path, listeners) = match configured {
            Some(text) => listen_at(text, &bind).await?,
            None => match listen_at("http://127.0.0.1/callback", &bind).await {
                Ok(bound) => bound,
                // RFC 8252 §7.3: neither version of the protocol is to be taken for granted.
                Err(of_v4) => listen_at("http://[::1]/callback", &bind).await.map_err(|_| of_v4)?,
            },
        };

        let (found, redirects) = mpsc::channel(MAX_WAITING);
        let connections = Arc::new(Semaphore::new(MAX_WAITING));
        let (closing, is_closing) = watch::channel(false);
        let mut servers = JoinSet::new();
        for listener in listeners {
            let server =
                Server { path: path.clone(), found: found.clone(), connections: connections.clone() };
            servers.spawn(server.run(listener, is_closing.clone()));
        }
        Ok(Self { redirect_uri, redirects, servers, closing })
    }

    /// The redirect URI for the authorization request: as it was configured, and with the port where that named none.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The next visit to the callback path. `None` cannot happen while this listener lives.
    pub async fn next(&mut self) -> Option<Redirect> {
        self.redirects.recv().await
    }

    /// Closes the port, and gives those who have an answer a moment to read it.
    pub async fn close(mut self) {
        self.closing.send_replace(true);
        drop(self.redirects);
        let all_gone = async { while self.servers.join_next().await.is_some() {} };
        let _too_slow = tokio::time::timeout(LAST_ANSWER_DEADLINE, all_gone).await;
    }
}

/// Takes a port of an address, as [`TcpListener::bind`] does.
trait Bind: AsyncFn(SocketAddr) -> io::Result<TcpListener> {}

impl<F: AsyncFn(SocketAddr) -> io::Result<TcpListener>> Bind for F {}

/// Listens at every address that `redirect_uri` means. Returns it with the port in it, and its path.
async fn listen_at(redirect_uri: &str, bind: &impl Bind) -> Result<(String, Arc<str>, Vec<TcpListener>)> {
    let uri = LoopbackUri::read(redirect_uri)?;
    let fixed = uri.port();
    let mut attempts_left = if fixed.is_some() { 0 } else { MAX_PORTS };
    let (port, listeners) = loop {
        match bind_all(uri.hosts(), fixed.unwrap_or(0), bind).await {
            // Free on one address and taken on the other: another port will do.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts_left > 0 => attempts_left -= 1,
            bound => break bound.map_err(port_is_taken)?,
        }
    };
    let redirect_uri = if fixed.is_some() { redirect_uri.to_owned() } else { uri.at(port) };
    Ok((redirect_uri, uri.path().into(), listeners))
}

/// Takes `port` of all `addresses` that this machine has; with 0, the one that is free on the first of them.
async fn bind_all(
    addresses: &[IpAddr],
    mut port: u16,
    bind: &impl Bind,
) -> io::Result<(u16, Vec<TcpListener>)> {
    let (mut listeners, mut absent) = (Vec::new(), None);
    for address in addresses {
        match bind(SocketAddr::new(*address, port)).await {
            Ok(listener) => {
                port = listener.local_addr()?.port();
                listeners.push(listener);
            }
            // A browser that is sent to `localhost` may come to whoever has the port on the other address.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) =>
            {
                return Err(error);
            }
            // Systems have many words for an address that they do not have.
            Err(error) => absent = Some(error),
        }
    }
    match absent {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok((port, listeners)),
    }
}

fn port_is_taken(error: io::Error) -> Error {
    let message = match error.kind() {
        io::ErrorKind::AddrInUse => "the port of redirect_uri is in use",
        io::ErrorKind::PermissionDenied => "the port of redirect_uri may not be used by this account",
        _ => "no port can be opened on the loopback interface",
    };
    Error::new(ErrorCode::Unavailable, message).with_advice(
        "Stop the program that uses the port (another login may be waiting), or choose `--flow device` or `--flow paste`.",
    )
}

#[derive(Clone)]
struct Server {
    path: Arc<str>,
    found: mpsc::Sender<Redirect>,
    connections: Arc<Semaphore>,
}

impl Server {
    async fn run(self, listener: TcpListener, mut closing: watch::Receiver<bool>) {
        // Connections live in this set, so that dropping the listener closes them.
        let mut open = JoinSet::new();
        loop {
            let (stream, permit) = tokio::select! {
                accepted = self.accept(&listener) => accepted,
                _ = closing.wait_for(|closing| *closing) => break,
            };
            let server = self.clone();
            open.spawn(async move {
                let _permit = permit;
                server.serve(stream).await;
            });
            while open.try_join_next().is_some() {}
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }

    async fn accept(&self, listener: &TcpListener) -> (TcpStream, Option<OwnedSemaphorePermit>) {
        // The semaphore is never closed, so there is always a permit.
        let permit = self.connections.clone().acquire_owned().await.ok();
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return (stream, permit),
                // Out of file descriptors, most likely: give others the time to close some.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    async fn serve(&self, stream: TcpStream) {
        let service =
            service_fn(|request| async { Ok::<_, Infallible>(respond(&self.answer(request).await)) });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_DEADLINE)
            .max_headers(MAX_HEADERS)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // A visitor who breaks the connection off hurts nobody but himself.
        let _broken = connection.await;
    }

    async fn answer(&self, request: hyper::Request<Incoming>) -> Page {
        if request.method() != Method::GET || request.uri().path() != &*self.path {
            return Page::not_found();
        }
        let query = Secret::new(request.uri().query().unwrap_or_default());
        let (answer, page) = oneshot::channel();
        if self.found.send(Redirect { query, answer }).await.is_err() {
            return Page::rejected();
        }
        page.await.unwrap_or_else(|_| Page::rejected())
    }
}

fn respond(page: &Page) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::new(Bytes::from(page.to_html())));
    *response.status_mut() =
        ::http::StatusCode::from_u16(page.status()).unwrap_or(::http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    // The address of this page holds the authorization code: it must not travel on in a Referer.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}

/// How many visitors may wait at once; more queue up in the operating system.
const MAX_WAITING: usize = 16;
/// How many more ports are tried where any will do.
const MAX_PORTS: usize = 16;
const MAX_HEADERS: usize = 64;
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
const LAST_ANSWER_DEADLINE: Duration = Duration::from_secs(2);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
