//! Addresses of a server, and which of them a secret may be sent to.

use url::Url;

use crate::config::is_loopback;
use crate::error::{Error, ErrorCode, Result};

/// The endpoints of an authorization server; `None` where it has none, or where nobody said so yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Endpoints {
    /// Where the person is sent (RFC 6749 §3.1).
    pub authorization: Option<Url>,
    /// Where a device asks for its code (RFC 8628 §3.1).
    pub device_authorization: Option<Url>,
    /// Where the server's keys are (RFC 8414 §2, `jwks_uri`). It is not among [`NAMES`](Self::NAMES): nothing of ours is
    /// sent there, so that a connection has nothing to remember of it.
    pub keys: Option<Url>,
    /// Where a token is ended (RFC 7009 §2). For the `github` preset: the collection of applications in its API.
    pub revocation: Option<Url>,
    /// Where codes and refresh tokens are exchanged (RFC 6749 §3.2).
    pub token: Option<Url>,
    /// Who the account belongs to: the userinfo endpoint (OpenID Connect Core §5.3) or the provider's own.
    pub user: Option<Url>,
}

impl Endpoints {
    /// These, and from `other` what is missing here.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            authorization: self.authorization.or(other.authorization),
            device_authorization: self.device_authorization.or(other.device_authorization),
            keys: self.keys.or(other.keys),
            revocation: self.revocation.or(other.revocation),
            token: self.token.or(other.token),
            user: self.user.or(other.user),
        }
    }

    /// The names of the endpoints that tokens, codes or the person are sent to, sorted.
    pub const NAMES: [&'static str; 5] = [
        "authorization_endpoint",
        "device_authorization_endpoint",
        "revocation_endpoint",
        "token_endpoint",
        "user_endpoint",
    ];

    /// Each endpoint with its name, in the order of [`Self::NAMES`].
    pub fn named(&self) -> [(&'static str, Option<&Url>); 5] {
        let [authorization, device, revocation, token, user] = Self::NAMES;
        [
            (authorization, self.authorization.as_ref()),
            (device, self.device_authorization.as_ref()),
            (revocation, self.revocation.as_ref()),
            (token, self.token.as_ref()),
            (user, self.user.as_ref()),
        ]
    }
}

/// Reads the address of an endpoint: absolute, https or on a loopback host, without credentials or fragment
/// (RFC 6749 §3.1, §3.2). `name` is the key it was configured under; the address itself is not echoed, because it
/// may have come from a variable.
///
/// # Errors
///
/// `config_invalid` otherwise.
pub fn read_endpoint(name: &str, text: &str) -> Result<Url> {
    let wrong = |what: &str, advice: &str| {
        Error::new(ErrorCode::ConfigInvalid, format!("{name} {what}")).with_advice(advice)
    };
    let Ok(url) = Url::parse(text) else {
        return Err(wrong("is not a URL", "Write the whole address, beginning with https://."));
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(wrong(
            "is neither https nor on this machine",
            "Use https://; http:// is for 127.0.0.1, [::1] and localhost alone.",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("has credentials or a fragment", "Leave out what stands before '@' or after '#'."));
    }
    Ok(url)
}

/// Checks a redirect URI (RFC 6749 §3.1.2) and keeps it as it is written, because the server compares characters.
///
/// # Errors
///
/// `config_invalid` when it is not absolute or has a fragment. Schemes are not limited: apps have their own
/// (RFC 8252 §7.1).
pub fn read_redirect_uri(text: &str) -> Result<String> {
    match Url::parse(text) {
        Ok(url) if url.fragment().is_none() => Ok(text.to_owned()),
        _ => Err(Error::new(
            ErrorCode::ConfigInvalid,
            "redirect_uri is not an absolute URI without a fragment",
        )
        .with_advice("Write redirect_uri exactly as it is registered with the provider.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for good in
            ["https://id.example.com/token", "http://127.0.0.1:9/x", "http://[::1]/", "http://localhost:80/"]
        {
            assert!(read_endpoint("token_endpoint", good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example.com/token",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "https://canary@id.example.com/",
            "https://id.example.com/#canary",
            "canary",
        ] {
            let error = read_endpoint("token_endpoint", bad).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ConfigInvalid, "{bad}");
            assert!(!format!("{error} {error:?} {}", error.advice()).contains("canary"));
        }
    }

    #[test]
    fn a_redirect_uri_keeps_its_characters() {
        for good in ["http://127.0.0.1:1455", "com.example.app:/callback", "https://app.example.com/cb?x=%7e"]
        {
            assert_eq!(read_redirect_uri(good).unwrap(), good);
        }
        assert!(read_redirect_uri("/callback").is_err());
        assert!(read_redirect_uri("https://app.example.com/cb#x").is_err());
    }
}
