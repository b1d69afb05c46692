//! Requests and answers as values: what the protocol builds and reads, and what a port carries.

use std::fmt;

use http::{HeaderMap, Method};
use url::Url;
use zeroize::Zeroizing;

/// A request to an authorization or resource server. Its `Debug` shows method, host and path, nothing else.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// Its headers; credentials among them are marked sensitive.
    pub headers: HeaderMap,
    /// Its body; empty for `GET`.
    pub body: Zeroizing<Vec<u8>>,
}

/// An answer, read to its end. Its `Debug` shows the status and the length.
#[derive(Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, of bounded length.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {}{})", self.method, self.url.origin().ascii_serialization(), self.url.path())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}
