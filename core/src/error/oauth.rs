//! What an authorization server says when it refuses: its `error` and its `error_description`.

use std::fmt;

/// The `error` of an authorization, token, device or revocation answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OauthError {
    /// `access_denied` (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// `authorization_pending` (RFC 8628 §3.5).
    AuthorizationPending,
    /// `expired_token` (RFC 8628 §3.5).
    ExpiredToken,
    /// `invalid_client` (RFC 6749 §5.2).
    InvalidClient,
    /// `invalid_grant` (RFC 6749 §5.2).
    InvalidGrant,
    /// `invalid_request` (RFC 6749 §5.2).
    InvalidRequest,
    /// `invalid_scope` (RFC 6749 §5.2).
    InvalidScope,
    /// `server_error` (RFC 6749 §4.1.2.1).
    ServerError,
    /// `slow_down` (RFC 8628 §3.5).
    SlowDown,
    /// `temporarily_unavailable` (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable,
    /// `unauthorized_client` (RFC 6749 §5.2).
    UnauthorizedClient,
    /// An error that no RFC we follow knows.
    Unknown,
    /// `unsupported_grant_type` (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// `unsupported_response_type` (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// `unsupported_token_type` (RFC 7009 §2.2.1).
    UnsupportedTokenType,
}

impl OauthError {
    /// Reads the value of an `error` parameter; never fails.
    pub fn from_wire(value: &str) -> Self {
        match value {
            "access_denied" => Self::AccessDenied,
            "authorization_pending" => Self::AuthorizationPending,
            "expired_token" => Self::ExpiredToken,
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => Self::InvalidGrant,
            "invalid_request" => Self::InvalidRequest,
            "invalid_scope" => Self::InvalidScope,
            "server_error" => Self::ServerError,
            "slow_down" => Self::SlowDown,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "unsupported_token_type" => Self::UnsupportedTokenType,
            _ => Self::Unknown,
        }
    }
}

/// A server's `error_description`: only the characters that RFC 6749 §5.2 allows, at most 200 of them.
///
/// It is still the server's text: escape it in HTML, and keep it out of log lines.
#[derive(Clone, Eq, PartialEq)]
pub struct ServerText(String);

impl ServerText {
    /// Filters and clips `text`; `None` when nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        // %x20-21 / %x23-5B / %x5D-7E: printable ASCII without the double quote and the backslash.
        let allowed = |c: &char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        let text: String = text.chars().filter(allowed).take(MAX_SERVER_TEXT).collect();
        if text.trim().is_empty() { None } else { Some(Self(text)) }
    }

    /// The filtered text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerText(elided)")
    }
}

const MAX_SERVER_TEXT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_text_is_filtered_and_clipped() {
        let text = ServerText::new("no \"way\"\\\n\u{1b}[31m é").unwrap();
        assert_eq!(text.as_str(), "no way[31m ");
        assert_eq!(ServerText::new(&"x".repeat(5000)).unwrap().as_str().len(), 200);
        assert_eq!(ServerText::new(" \n\t"), None);
    }

    #[test]
    fn an_unheard_of_error_is_unknown() {
        assert_eq!(OauthError::from_wire("invalid_grant"), OauthError::InvalidGrant);
        assert_eq!(OauthError::from_wire("INVALID_GRANT"), OauthError::Unknown);
    }
}
