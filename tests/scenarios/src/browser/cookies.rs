//! The cookie jar: what RFC 6265 needs for one session at servers that mean well.

use std::fmt;

use url::Url;

/// Cookies by host, path and name; their lifetimes are longer than any test.
#[derive(Default)]
pub(super) struct Cookies(Vec<Cookie>);

struct Cookie {
    host: String,
    name: String,
    path: String,
    value: String,
}

impl Cookies {
    /// Keeps what a `Set-Cookie` header says; an expired date or an empty value takes the cookie away.
    pub(super) fn keep(&mut self, url: &Url, header: &str) {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let path = parts
            .filter_map(|attribute| attribute.split_once('='))
            .find(|(key, _)| key.eq_ignore_ascii_case("path"))
            .map_or("/", |(_, path)| path);
        let host = url.host_str().unwrap_or_default();
        self.0.retain(|known| {
            (known.host.as_str(), known.name.as_str(), known.path.as_str()) != (host, name, path)
        });
        if !value.is_empty() {
            let (host, name, path) = (host.to_owned(), name.to_owned(), path.to_owned());
            self.0.push(Cookie { host, name, path, value: value.to_owned() });
        }
    }

    /// The `Cookie` header of a request to `url`.
    pub(super) fn header_for(&self, url: &Url) -> Option<String> {
        let host = url.host_str().unwrap_or_default();
        let fitting = self.0.iter().filter(|cookie| cookie.host == host && covers(&cookie.path, url.path()));
        let pairs: Vec<_> = fitting.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// How many, never which: a session cookie is as good as a login.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cookies({})", self.0.len())
    }
}

/// RFC 6265 §5.1.4.
fn covers(cookie_path: &str, path: &str) -> bool {
    match path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path_only() {
        let url = |text: &str| Url::parse(text).unwrap();
        let mut jar = Cookies::default();
        jar.keep(&url("http://127.0.0.1:1/auth"), "session=one; path=/; httponly");
        jar.keep(&url("http://127.0.0.1:1/auth"), "step=two; Path=/interaction/7");
        let header = |address: &str| jar.header_for(&url(address));
        assert_eq!(header("http://127.0.0.1:1/interaction/7/x"), Some("session=one; step=two".into()));
        assert_eq!(header("http://127.0.0.1:1/interaction/70"), Some("session=one".into()));
        assert_eq!(header("http://localhost/"), None);
        assert!(!format!("{jar:?}").contains("one"));
        jar.keep(&url("http://127.0.0.1:1/"), "session=; expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(jar.header_for(&url("http://127.0.0.1:1/")), None);
    }
}
