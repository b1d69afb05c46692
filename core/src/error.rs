//! One error type for every language; its code says what the caller should do.
//!
//! No error holds a body, a query, a token, an authorization code or a verifier, and none keeps a source that
//! could: what a library reports is turned into a sentence of ours where it happens.

mod code;
mod oauth;

use std::fmt;
use std::time::Duration;

pub use code::ErrorCode;
pub use oauth::{OauthError, ServerText};

use crate::account::{AccountKey, ProviderId};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, and what to do about it. Safe to show and to log as it is.
#[derive(Clone)]
pub struct Error(Box<Content>);

#[derive(Clone)]
struct Content {
    code: ErrorCode,
    message: String,
    advice: Option<String>,
    details: Vec<String>,
    retry_after: Option<Duration>,
    provider: Option<ProviderId>,
    account: Option<AccountKey>,
    oauth_error: Option<OauthError>,
    server_text: Option<ServerText>,
}

impl Error {
    /// An error of `code`. `message` names the operation and what was wrong, without a trailing full stop, and must
    /// be safe to show: it is made of our own words and of names from the configuration.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Content {
            code,
            message: message.into(),
            advice: None,
            details: Vec::new(),
            retry_after: None,
            provider: None,
            account: None,
            oauth_error: None,
            server_text: None,
        }))
    }

    /// Replaces the code's general advice by one imperative sentence that fits this case.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Adds the account, and with it the provider, unless one is named already.
    #[must_use]
    pub fn with_account(mut self, account: &AccountKey) -> Self {
        self.0.provider.get_or_insert_with(|| account.provider.clone());
        self.0.account.get_or_insert_with(|| account.clone());
        self
    }

    /// Adds the provider, unless one is named already.
    #[must_use]
    pub fn with_provider(mut self, provider: &ProviderId) -> Self {
        self.0.provider.get_or_insert_with(|| provider.clone());
        self
    }

    /// Adds the wait that the server or the back-off in force asks for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Adds lines that belong under the message, such as the problems of a configuration file.
    #[must_use]
    pub fn with_details(mut self, details: Vec<String>) -> Self {
        self.0.details = details;
        self
    }

    /// Adds the `error` and the filtered `error_description` that the server sent.
    #[must_use]
    pub fn with_oauth_error(mut self, error: OauthError, text: Option<ServerText>) -> Self {
        self.0.oauth_error = Some(error);
        self.0.server_text = text;
        self
    }

    /// What the caller should do, as one of the codes that every language shares.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What happened, in one sentence that is safe to show.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do, in one imperative sentence.
    pub fn advice(&self) -> &str {
        self.0.advice.as_deref().unwrap_or_else(|| self.0.code.advice())
    }

    /// Lines that belong under the message; empty for most errors.
    pub fn details(&self) -> &[String] {
        &self.0.details
    }

    /// How long to wait before trying again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The provider concerned, where there is one.
    pub fn provider(&self) -> Option<&ProviderId> {
        self.0.provider.as_ref()
    }

    /// The account concerned, where there is one.
    pub fn account(&self) -> Option<&AccountKey> {
        self.0.account.as_ref()
    }

    /// The `error` that the authorization server sent (RFC 6749 §4.1.2.1, §5.2; RFC 8628 §3.5).
    pub fn oauth_error(&self) -> Option<OauthError> {
        self.0.oauth_error
    }

    /// The server's `error_description`, filtered and clipped. It is the server's word, and not part of `Display`.
    pub fn server_text(&self) -> Option<&str> {
        self.0.server_text.as_ref().map(ServerText::as_str)
    }

    /// Whether the same call may succeed later without anyone doing anything.
    pub fn is_transient(&self) -> bool {
        self.0.code == ErrorCode::Unavailable
    }
}

/// The message alone; the advice is asked for apart.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("code", &self.0.code).field("message", &self.0.message);
        if let Some(account) = &self.0.account {
            debug.field("account", &account.to_string());
        }
        if let Some(error) = self.0.oauth_error {
            debug.field("oauth_error", &error);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_special_advice_wins_over_the_general_one() {
        let error = Error::new(ErrorCode::NotConnected, "github is not connected");
        assert_eq!(error.advice(), ErrorCode::NotConnected.advice());
        assert_eq!(error.with_advice("Do this.").advice(), "Do this.");
    }

    #[test]
    fn the_first_account_named_stays() {
        let (github, google): (AccountKey, AccountKey) =
            ("github/work".parse().unwrap(), "google".parse().unwrap());
        let error = Error::new(ErrorCode::NotConnected, "x").with_account(&github).with_account(&google);
        assert_eq!(error.account(), Some(&github));
        assert_eq!(error.provider(), Some(&github.provider));
    }

    #[test]
    fn the_servers_text_is_not_part_of_any_rendering() {
        let error = Error::new(ErrorCode::ClientRejected, "the server refuses our registration")
            .with_oauth_error(OauthError::InvalidClient, ServerText::new("canary-4711"));
        assert_eq!(error.server_text(), Some("canary-4711"));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
