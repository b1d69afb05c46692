//! The one HTTP client of the peers: plain, direct, and without a will of its own.

use std::io;

use reqwest::Client;
use reqwest::redirect::Policy;

/// A client that follows nothing, goes through no proxy and trusts no certificate: it only ever talks to loopback.
pub(crate) fn client() -> io::Result<Client> {
    // Fails when somebody installed one before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(Policy::none()).tls_certs_only([]).build().map_err(io::Error::other)
}
