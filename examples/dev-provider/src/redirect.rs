//! Where a person may be sent back to, and the URL that sends them there.

use url::{Host, Url};

use crate::settings::Redirects;

impl Redirects {
    /// Whether `asked` may be redirected to.
    pub(crate) fn allow(&self, asked: &Url) -> bool {
        match self {
            // A fragment would swallow the parameters (RFC 6749 §3.1.2).
            Self::Any => asked.fragment().is_none(),
            Self::Registered(list) => {
                list.iter().any(|one| Url::parse(one).is_ok_and(|one| is_same(&one, asked)))
            }
        }
    }
}

/// `base` with `parameters` added to its query.
pub(crate) fn with_parameters(base: &Url, parameters: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

fn is_same(registered: &Url, asked: &Url) -> bool {
    if registered == asked {
        return true;
    }
    // A native app takes whatever port is free (RFC 8252 §7.3). `localhost` is a name, not a loopback address.
    let is_loopback = match registered.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    let mut ported = registered.clone();
    is_loopback && registered.scheme() == "http" && ported.set_port(asked.port()).is_ok() && ported == *asked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(registered: &str, asked: &str) -> bool {
        Redirects::Registered(vec![registered.into()]).allow(&Url::parse(asked).unwrap())
    }

    #[test]
    fn a_loopback_address_may_have_any_port() {
        assert!(allows("http://127.0.0.1/callback", "http://127.0.0.1:53682/callback"));
        assert!(allows("http://[::1]:1/callback", "http://[::1]:2/callback"));
    }

    #[test]
    fn everything_else_must_match_exactly() {
        for (registered, asked) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:53682/other"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:53682/callback?x=1"),
            ("http://127.0.0.1/callback", "http://[::1]/callback"),
            ("http://localhost/callback", "http://localhost:53682/callback"),
            ("https://app.example/callback", "https://app.example:8443/callback"),
            ("https://app.example/callback", "https://app.example.evil/callback"),
        ] {
            assert!(!allows(registered, asked), "{registered} must not allow {asked}");
        }
    }

    #[test]
    fn no_redirect_has_a_fragment() {
        assert!(!Redirects::Any.allow(&Url::parse("https://app.example/callback#here").unwrap()));
    }
}
