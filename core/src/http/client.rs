//! The port to the network, made of reqwest.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Bytes;
use once_cell::sync::OnceCell;
use reqwest::{Client, ClientBuilder, NoProxy, Proxy, redirect, retry};
use url::Url;
use zeroize::Zeroizing;

use super::tls::{self, Authorities};
use super::{HttpClient, SendError};
use crate::config::is_loopback;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::message::{Request, Response};
use crate::secret::Secret;

/// How long a request may take as a whole. Shorter than the lease of a refresh (45 s), so that its holder knows the
/// outcome before anybody may take the lease over.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer's body may be, in bytes.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// How to reach the network.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The proxy (`http://`, `https://`, `socks5://`, `socks5h://`), a secret for the credentials that may be in it.
    /// `None` means what the system says: `HTTPS_PROXY`, `ALL_PROXY`. `NO_PROXY` holds in both cases.
    pub proxy: Option<Secret>,
    /// PEM certificates of authorities to trust beside the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// A file of more such certificates. It is read when the first request needs it, because most calls send none.
    pub ca_file: Option<PathBuf>,
    /// How long a request may take as a whole; [`TIMEOUT`] unless a test says otherwise, and never more.
    pub timeout: Duration,
    /// What the client calls itself.
    pub user_agent: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            proxy: None,
            ca_pem: None,
            ca_file: None,
            timeout: TIMEOUT,
            user_agent: concat!("loomkin-auth/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// [`HttpClient`] over reqwest.
///
/// https, or plain HTTP to loopback hosts, which are never reached through a proxy. No redirects, no cookies, no
/// decompression, answers of at most [`MAX_ANSWER`]. Every request has a connection of its own: they are rare, and an
/// idle connection that the server closes meanwhile would turn a request that was never read into an unknown outcome.
pub struct ReqwestClient(Arc<Clients>);

struct Clients {
    settings: HttpSettings,
    proxy: Option<Proxy>,
    authorities: Authorities,
    /// Each is made when it is first needed: reading the system's certificates takes time that most calls can save.
    plain: OnceCell<Client>,
    direct: OnceCell<Client>,
    proxied: OnceCell<Client>,
}

impl ReqwestClient {
    /// Checks `settings`, all but what is in `ca_file`. Nothing is read and nothing is connected yet.
    ///
    /// # Errors
    ///
    /// `config_invalid` when the proxy or the certificates cannot be used.
    pub fn new(settings: HttpSettings) -> Result<Self> {
        let proxy = settings.proxy.as_ref().map(read_proxy).transpose()?;
        let authorities =
            settings.ca_pem.as_deref().map(tls::read_authorities).transpose()?.unwrap_or_default();
        Ok(Self(Arc::new(Clients {
            settings,
            proxy,
            authorities,
            plain: OnceCell::new(),
            direct: OnceCell::new(),
            proxied: OnceCell::new(),
        })))
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let client = self.0.client_for(&request.url).await?;
        let answer = client
            .request(request.method, request.url)
            .headers(request.headers)
            // Wiped when the connection is done with it.
            .body(Bytes::from_owner(request.body))
            .send()
            .await
            .map_err(|error| classify(&error))?;
        read(answer).await
    }
}

impl Clients {
    async fn client_for(self: &Arc<Self>, url: &Url) -> Result<Client, SendError> {
        let route = match (url.scheme(), is_loopback(url)) {
            ("https", false) => Route::Proxied,
            ("https", true) => Route::Direct,
            ("http", true) => Route::Plain,
            _ => return Err(NOT_HTTPS),
        };
        if let Some(client) = self.cell(route).get() {
            return Ok(client.clone());
        }
        let clients = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || {
            clients.cell(route).get_or_try_init(|| clients.make(route)).cloned()
        });
        made.await.unwrap_or(Err(NO_TLS))
    }

    fn cell(&self, route: Route) -> &OnceCell<Client> {
        match route {
            Route::Direct => &self.direct,
            Route::Plain => &self.plain,
            Route::Proxied => &self.proxied,
        }
    }

    fn make(&self, route: Route) -> Result<Client, SendError> {
        let timeout = self.settings.timeout.min(TIMEOUT);
        let builder = ClientBuilder::new()
            .user_agent(&self.settings.user_agent)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .http1_only()
            // Ends before the whole, so that a connection that never came about is not mistaken for a lost answer.
            .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
            .timeout(timeout);
        let builder = match (route, &self.proxy) {
            (Route::Proxied, Some(proxy)) => builder.proxy(proxy.clone()),
            (Route::Proxied, None) => builder,
            (Route::Direct | Route::Plain, _) => builder.no_proxy(),
        };
        let config = match route {
            Route::Plain => tls::empty_config(),
            Route::Direct | Route::Proxied => tls::system_config(self.authorities()?),
        };
        builder.tls_backend_preconfigured(config.map_err(|_| NO_TLS)?).build().map_err(|_| NO_TLS)
    }

    fn authorities(&self) -> Result<Authorities, SendError> {
        let mut authorities = self.authorities.clone();
        if let Some(file) = &self.settings.ca_file {
            let pem = std::fs::read(file).map_err(|_| NO_AUTHORITIES)?;
            authorities.extend(tls::read_authorities(&pem).map_err(|_| NO_AUTHORITIES)?);
        }
        Ok(authorities)
    }
}

/// The ways to a server.
#[derive(Clone, Copy)]
enum Route {
    Direct,
    Plain,
    Proxied,
}

impl fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClient").field("timeout", &self.0.settings.timeout).finish_non_exhaustive()
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Response, SendError> {
    let status = answer.status().as_u16();
    let headers = std::mem::take(answer.headers_mut());
    let announced =
        answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = Zeroizing::new(Vec::with_capacity(announced.clamp(FIRST_ROOM, MAX_ANSWER)));
    // The length that was announced is a promise; what counts is what comes.
    while let Some(chunk) = answer.chunk().await.map_err(|error| classify_broken(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(SendError::Unknown { reason: "the answer is longer than 1 MiB" });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body })
}

/// The error's own text holds the address and is dropped. Connecting covers names, TLS and the proxy's `CONNECT`; the
/// request leaves after that.
fn classify(error: &reqwest::Error) -> SendError {
    if error.is_builder() {
        SendError::NotSent { reason: "the request cannot be put together" }
    } else if error.is_connect() && error.is_dns() {
        SendError::NotSent { reason: "the server's name cannot be resolved" }
    } else if error.is_connect() && tls::is_distrust(error) {
        SendError::NotSent { reason: "the server's certificate is not trusted here" }
    } else if error.is_connect() && error.is_timeout() {
        SendError::NotSent { reason: "the server did not accept the connection in time" }
    } else if error.is_connect() {
        SendError::NotSent { reason: "no connection to the server came about" }
    } else if error.is_timeout() {
        SendError::Unknown { reason: "the server did not answer in time" }
    } else {
        SendError::Unknown { reason: "the connection broke before the answer came" }
    }
}

fn classify_broken(error: &reqwest::Error) -> SendError {
    let reason = match error.is_timeout() {
        true => "the server did not answer in time",
        false => "the answer was cut off",
    };
    SendError::Unknown { reason }
}

fn read_proxy(address: &Secret) -> Result<Proxy> {
    // Exposed to be read; what the library says of it is dropped.
    match Proxy::all(address.expose()) {
        Ok(proxy) => Ok(proxy.no_proxy(NoProxy::from_env())),
        Err(_) => Err(Error::new(ErrorCode::ConfigInvalid, "the proxy's address cannot be used")
            .with_advice("Write it as http://host:port, https://host:port or socks5h://host:port.")),
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_ROOM: usize = 16 * 1024;
const NOT_HTTPS: SendError = SendError::NotSent { reason: "plain http is for this machine alone" };
const NO_AUTHORITIES: SendError =
    SendError::NotSent { reason: "the file of extra certificate authorities cannot be used" };
const NO_TLS: SendError = SendError::NotSent { reason: "the system's certificates cannot be read" };

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
