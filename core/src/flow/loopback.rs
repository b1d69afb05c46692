//! The loopback redirect (RFC 8252 §7.3): a listener on this machine that takes one answer.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
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
use url::{Host, Url};

pub use super::page::Page;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// A listener on the loopback interface that waits for the redirect of one login.
///
/// It listens on IPv4 and, where this machine has it, on IPv6 at the same port. Dropping it closes the port.
#[derive(Debug)]
pub struct LoopbackListener {
    redirect_uri: Url,
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
    /// Listens where `configured` says (a loopback URL with host, port and path), or on any free port at
    /// `http://127.0.0.1/callback`.
    ///
    /// # Errors
    ///
    /// `config_invalid` when `configured` is no loopback URL with `http`; `unavailable` when its port is taken.
    pub async fn bind(configured: Option<&Url>) -> Result<Self> {
        let mut redirect_uri = match configured {
            Some(url) => url.clone(),
            None => any_port(),
        };
        let addresses = loopback_addresses(&redirect_uri)?;
        let listeners = bind_all(addresses, redirect_uri.port().unwrap_or(0)).await.map_err(port_is_taken)?;
        let port =
            listeners.first().and_then(|listener| listener.local_addr().ok()).map(|address| address.port());
        // `set_port` fails only for URLs without a host, which `loopback_addresses` has refused.
        let _always_ok = redirect_uri.set_port(port);

        let (found, redirects) = mpsc::channel(MAX_WAITING);
        let path: Arc<str> = redirect_uri.path().into();
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

    /// The redirect URI for the authorization request, port included.
    pub fn redirect_uri(&self) -> &Url {
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

fn any_port() -> Url {
    // A constant that parses; the fallback keeps this free of panics.
    Url::parse("http://127.0.0.1/callback").unwrap_or_else(|_| unreachable!("a constant URL parses"))
}

/// `127.0.0.1` means IPv4 and `[::1]` IPv6; `localhost` may be resolved to either by the browser, so it means both.
fn loopback_addresses(url: &Url) -> Result<Vec<std::net::IpAddr>> {
    let addresses: Vec<std::net::IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) if address.is_loopback() => vec![address.into()],
        Some(Host::Ipv6(address)) if address.is_loopback() => vec![address.into()],
        Some(Host::Domain("localhost")) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        _ => Vec::new(),
    };
    if addresses.is_empty() || url.scheme() != "http" {
        return Err(Error::new(ErrorCode::ConfigInvalid, "redirect_uri is not an http URL of this machine").with_advice(
            "Set redirect_uri to http://127.0.0.1:PORT/PATH as registered with the provider, or choose another flow.",
        ));
    }
    Ok(addresses)
}

/// Binds the first address or fails; takes the others where they can be had, at the same port.
async fn bind_all(addresses: Vec<std::net::IpAddr>, port: u16) -> io::Result<Vec<TcpListener>> {
    let mut addresses = addresses.into_iter();
    let mut listeners = Vec::new();
    if let Some(address) = addresses.next() {
        let first = TcpListener::bind(SocketAddr::new(address, port)).await?;
        let port = first.local_addr()?.port();
        listeners.push(first);
        for address in addresses {
            listeners.extend(TcpListener::bind(SocketAddr::new(address, port)).await);
        }
    }
    Ok(listeners)
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
const MAX_HEADERS: usize = 64;
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
const LAST_ANSWER_DEADLINE: Duration = Duration::from_secs(2);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn visit(url: &Url, request_line: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
        stream
            .write_all(format!("{request_line} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn only_the_callback_path_reaches_the_login() {
        let mut listener = LoopbackListener::bind(None).await.unwrap();
        let url = listener.redirect_uri().clone();
        for stray in ["GET /favicon.ico", "POST /callback?state=s", "GET /callback/?state=s"] {
            assert!(visit(&url, stray).await.starts_with("HTTP/1.1 404"), "{stray}");
        }
        let visitor = tokio::spawn(async move { visit(&url, "GET /callback?state=s&code=c").await });
        let redirect = listener.next().await.unwrap();
        assert!(redirect.query.matches(&Secret::new("state=s&code=c")));
        redirect.answer(Page::connected("github"));
        listener.close().await;
        let page = visitor.await.unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("github is connected"), "{page}");
        assert!(page.contains("no-referrer") && page.contains("default-src 'none'"), "{page}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_visitor_who_never_finishes_his_request_is_sent_away() {
        let listener = LoopbackListener::bind(None).await.unwrap();
        let port = listener.redirect_uri().port().unwrap();
        let began = tokio::time::Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(b"GET /callback HTTP/1.1\r\nHo").await.unwrap();
        let mut rest = Vec::new();
        let _either_way = stream.read_to_end(&mut rest).await;
        assert!(began.elapsed() < HEADER_DEADLINE * 2, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_port_in_use_is_said() {
        let first = LoopbackListener::bind(None).await.unwrap();
        let error = LoopbackListener::bind(Some(first.redirect_uri())).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!(error.message().contains("in use"), "{error}");
    }

    #[tokio::test]
    async fn only_http_on_this_machine_can_be_listened_on() {
        for elsewhere in ["https://127.0.0.1/cb", "http://192.0.2.1/cb", "http://localhost.example.com/cb"] {
            let error = LoopbackListener::bind(Some(&Url::parse(elsewhere).unwrap())).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::ConfigInvalid, "{elsewhere}");
        }
    }

    #[tokio::test]
    async fn a_dropped_listener_closes_its_port_and_its_visitors() {
        let listener = LoopbackListener::bind(None).await.unwrap();
        let url = listener.redirect_uri().clone();
        let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
        drop(listener);
        let mut rest = Vec::new();
        let _either_way = stream.read_to_end(&mut rest).await;
        assert!(TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.is_err());
    }
}
