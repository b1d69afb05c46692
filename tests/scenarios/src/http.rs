//! The one HTTP client of the peers: plain, direct, and without a will of its own.

use std::io;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// A client that follows nothing, goes through no proxy and trusts no certificate: it only ever talks to loopback.
pub(crate) fn client() -> io::Result<Client> {
    // Fails when somebody installed one before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(Policy::none()).tls_certs_only([]).build().map_err(io::Error::other)
}

/// Sends `request` and reads a successful answer as JSON; an empty one is null.
pub(crate) async fn ask(request: RequestBuilder) -> io::Result<Value> {
    let answer = request.send().await.map_err(io::Error::other)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(io::Error::other)?;
    match (status.is_success(), bytes.is_empty()) {
        (true, true) => Ok(Value::Null),
        (true, false) => serde_json::from_slice(&bytes).map_err(io::Error::other),
        (false, _) => Err(io::Error::other(format!("{status}: {}", String::from_utf8_lossy(&bytes)))),
    }
}
