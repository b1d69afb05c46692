//! The URLs of the file, by what is sent to them.

use url::{Host, Url};

/// What a URL is for, which decides what it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// Where a PostgreSQL database is.
    Database,
    /// Where tokens, codes or secrets are sent: https, or http to a loopback host.
    Endpoint,
    /// Who the server is: an endpoint that is compared letter by letter (RFC 8414 §3.3).
    Issuer,
    /// Where a proxy is.
    Proxy,
    /// Where the authorization server sends the browser back to (RFC 8252 §7).
    Redirect,
    /// A server of the app's own choice, over http as well: a model server in the same network is the usual case.
    Server,
}

/// What is wrong with a URL, and what mends it.
pub(super) type Refusal = (&'static str, &'static str);

/// Reads `value` as a URL that may serve `purpose`.
pub(super) fn parse(value: &str, purpose: Purpose) -> Result<Url, Refusal> {
    // The WHATWG rules would quietly repair these; what is used should be what was written.
    if value.contains(|c: char| c.is_whitespace() || c == '\\') {
        return Err(("it has a space or a backslash", "Take it out, or write it percent-encoded."));
    }
    let url = Url::parse(value).map_err(|_| ("that is no URL", purpose.example()))?;
    match purpose {
        Purpose::Database => check_scheme(&url, purpose, &["postgres", "postgresql"])?,
        Purpose::Endpoint | Purpose::Issuer => check_endpoint(&url, purpose)?,
        Purpose::Proxy => check_scheme(&url, purpose, &["http", "https", "socks5", "socks5h"])?,
        // RFC 8252 §7.1 wants a reversed domain name; the `urn` is the page that shows a code to copy.
        Purpose::Redirect if url.scheme().contains('.') || value == "urn:ietf:wg:oauth:2.0:oob" => {
            check_fragment(&url)?;
        }
        Purpose::Redirect => check_endpoint(&url, purpose)?,
        Purpose::Server => check_scheme(&url, purpose, &["http", "https"])?,
    }
    Ok(url)
}

impl Purpose {
    const fn example(self) -> &'static str {
        match self {
            Self::Database => "Write postgres://user:password@host/database, best from a variable.",
            Self::Endpoint | Self::Issuer => {
                "Write https://…, or http://localhost… for a server on this machine."
            }
            Self::Proxy => "Write http://host:port, https://host:port or socks5://host:port.",
            Self::Redirect => "Write http://127.0.0.1:PORT/callback, https://… or com.example.app:/callback.",
            Self::Server => "Write http://host:port/… or https://….",
        }
    }
}

fn check_scheme(url: &Url, purpose: Purpose, schemes: &[&str]) -> Result<(), Refusal> {
    if schemes.contains(&url.scheme()) { Ok(()) } else { Err(("its scheme does not fit", purpose.example())) }
}

fn check_endpoint(url: &Url, purpose: Purpose) -> Result<(), Refusal> {
    if url.scheme() != "http" || !is_loopback(url) {
        if url.scheme() == "http" {
            return Err(("http:// is for loopback hosts only", "Use https://."));
        }
        check_scheme(url, purpose, &["https"])?;
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("it has a user name or a password", "Take them out of the URL."));
    }
    if purpose == Purpose::Issuer && url.query().is_some() {
        return Err((
            "an issuer has no query (RFC 8414 §2)",
            "Write it exactly as the server's metadata spells it.",
        ));
    }
    check_fragment(url)
}

fn check_fragment(url: &Url) -> Result<(), Refusal> {
    match url.fragment() {
        None => Ok(()),
        Some(_) => Err(("it has a fragment (RFC 6749 §3.1)", "Take the `#` and what follows it out.")),
    }
}

/// Whether the host of `url` is this machine: 127.0.0.0/8, `[::1]` or `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_https_or_stay_on_this_machine() {
        for value in [
            "https://id.example.com/token?x=1",
            "http://localhost:8080/token",
            "http://127.0.0.1/token",
            "http://127.9.9.9/token",
            "http://[::1]:1/token",
        ] {
            assert!(parse(value, Purpose::Endpoint).is_ok(), "{value}");
        }
        for value in [
            "http://id.example.com/token",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://0.0.0.0/",
            "http://[::2]/",
            "https://ada:pw@id.example.com/",
            "http://localhost@id.example.com/",
            "https://id.example.com/#x",
            "https://id.example.com/ token",
            "https:\\\\id.example.com",
            "ftp://id.example.com/",
            "id.example.com",
            "https://",
        ] {
            assert!(parse(value, Purpose::Endpoint).is_err(), "{value}");
        }
    }

    #[test]
    fn each_purpose_has_its_schemes() {
        for (value, purpose, fits) in [
            ("https://id.example.com?x", Purpose::Issuer, false),
            ("com.example.app:/callback", Purpose::Redirect, true),
            ("urn:ietf:wg:oauth:2.0:oob", Purpose::Redirect, true),
            ("javascript:alert(1)", Purpose::Redirect, false),
            ("http://example.com/callback", Purpose::Redirect, false),
            ("com.example.app:/callback#x", Purpose::Redirect, false),
            ("http://ollama:11434/v1", Purpose::Server, true),
            ("file:///etc/passwd", Purpose::Server, false),
            ("socks5://ada:pw@proxy:1080", Purpose::Proxy, true),
            ("ftp://proxy", Purpose::Proxy, false),
            ("postgresql://db/auth", Purpose::Database, true),
            ("mysql://db/auth", Purpose::Database, false),
        ] {
            assert_eq!(parse(value, purpose).is_ok(), fits, "{value}");
        }
    }
}
