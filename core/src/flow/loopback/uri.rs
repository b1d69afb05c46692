//! A redirect URI of this machine, which is sent as it is written but for the port: servers compare characters (RFC 6749
//! §3.1.2.3), and leave the port alone where none is registered (RFC 8252 §7.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::{Error, ErrorCode, Result};

/// An `http` URI with a loopback host.
#[derive(Debug)]
pub(super) struct LoopbackUri<'a> {
    before_port: &'a str,
    port: Option<u16>,
    after_port: &'a str,
    path: String,
    hosts: Vec<IpAddr>,
}

impl<'a> LoopbackUri<'a> {
    /// Reads `text`.
    ///
    /// # Errors
    ///
    /// `config_invalid` when it is no such URI.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "http").ok_or_else(of_no_use)?;
        let hosts = hosts_of(&url);
        let host_at = text.find("://").ok_or_else(of_no_use)? + "://".len();
        if hosts.is_empty() {
            return Err(of_no_use());
        }
        let end = text[host_at..].find(['/', '?']).map_or(text.len(), |end| host_at + end);
        // The last colon of an IPv6 address stands before its bracket.
        let port_at = text[host_at..end]
            .rfind([':', ']'])
            .map(|found| host_at + found)
            .filter(|found| text[*found..].starts_with(':'));
        let port = port_at.and_then(|at| text[at + 1..end].parse().ok()).filter(|port| *port != 0);
        Ok(Self {
            before_port: &text[..port_at.unwrap_or(end)],
            port,
            after_port: &text[end..],
            path: url.path().to_owned(),
            hosts,
        })
    }

    /// The port that it names.
    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path that a browser asks for.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The addresses that it means: `127.0.0.1` means IPv4 and `[::1]` IPv6; `localhost` may be resolved to either by the
    /// browser, so it means both.
    pub(super) fn hosts(&self) -> &[IpAddr] {
        &self.hosts
    }

    /// Its text with `port` in it.
    pub(super) fn at(&self, port: u16) -> String {
        let Self { before_port, after_port, .. } = self;
        format!("{before_port}:{port}{after_port}")
    }
}

fn hosts_of(url: &Url) -> Vec<IpAddr> {
    match url.host() {
        Some(Host::Ipv4(address)) if address.is_loopback() => vec![address.into()],
        Some(Host::Ipv6(address)) if address.is_loopback() => vec![address.into()],
        Some(Host::Domain("localhost")) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        _ => Vec::new(),
    }
}

fn of_no_use() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "redirect_uri is not an http URL of this machine").with_advice(
        "Set redirect_uri to http://127.0.0.1:PORT/PATH as registered with the provider, or choose another flow.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_as_it_is_written_but_for_a_port_that_is_not_there() {
        for (text, port, sent, path) in [
            ("http://127.0.0.1:1455", Some(1455), "http://127.0.0.1:1455", "/"),
            ("http://localhost:80/cb", Some(80), "http://localhost:80/cb", "/cb"),
            ("HTTP://LocalHost:80/a/../B?x=1:2", Some(80), "HTTP://LocalHost:80/a/../B?x=1:2", "/B"),
            ("http://[::1]:80/cb", Some(80), "http://[::1]:80/cb", "/cb"),
            ("http://127.0.0.1", None, "http://127.0.0.1:7", "/"),
            ("http://[::1]/cb:1", None, "http://[::1]:7/cb:1", "/cb:1"),
            ("http://localhost?x=a/b", None, "http://localhost:7?x=a/b", "/"),
            ("http://127.0.0.1:/cb", None, "http://127.0.0.1:7/cb", "/cb"),
            ("http://127.0.0.1:0/cb", None, "http://127.0.0.1:7/cb", "/cb"),
        ] {
            let read = LoopbackUri::read(text).unwrap();
            assert_eq!((read.port(), read.path()), (port, path), "{text}");
            assert_eq!(read.at(port.unwrap_or(7)), sent);
        }
    }

    #[test]
    fn what_is_elsewhere_or_misspelled_is_refused() {
        for text in
            ["https://127.0.0.1/", "http://192.0.2.1/", "http:127.0.0.1/cb", "http:/127.0.0.1/", "", "/cb"]
        {
            assert_eq!(LoopbackUri::read(text).unwrap_err().code(), ErrorCode::ConfigInvalid, "{text}");
        }
    }
}
