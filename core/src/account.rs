//! Who a connection belongs to: the owner, the provider and the account.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorCode, Result};

/// A provider as the configuration names it: `github`, `work-idp`.
///
/// 1 to 64 characters out of `a-z`, `0-9`, `_`, `-` and `.`, starting with a letter or a digit.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProviderId(String);

impl ProviderId {
    /// Reads a provider's name.
    ///
    /// # Errors
    ///
    /// `usage` when the name is empty, longer than 64 characters or has others than those allowed.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let valid = name.len() <= MAX_NAME
            && name.bytes().next().is_some_and(plain)
            && name.bytes().all(|byte| plain(byte) || matches!(byte, b'_' | b'-' | b'.'));
        if !valid {
            return Err(Error::new(ErrorCode::Usage, "that is not a provider's name").with_advice(
                "Use 1 to 64 lower-case letters, digits, '-', '_' or '.', starting with a letter or a digit.",
            ));
        }
        if name == "me" {
            return Err(Error::new(ErrorCode::Usage, "no provider may be called `me`")
                .with_advice("Rename the provider; `me` is the word for the active connection."));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One of several accounts that a person has at a provider; `default` where nobody named it.
///
/// 1 to 64 characters, no `/`, no white space, no control characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AccountName(String);

impl AccountName {
    /// Reads an account's name.
    ///
    /// # Errors
    ///
    /// `usage` when the name is empty, longer than 64 characters or has others than those allowed.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let plain = |c: char| c != '/' && !c.is_whitespace() && !c.is_control();
        if name.is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(plain) {
            return Err(Error::new(ErrorCode::Usage, "that is not an account's name")
                .with_advice("Use 1 to 64 characters without '/', white space or control characters."));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nobody gave it a name.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT_ACCOUNT
    }
}

impl Default for AccountName {
    fn default() -> Self {
        Self(DEFAULT_ACCOUNT.to_owned())
    }
}

/// The app's user: `local` for one-person tools, the signed-in user's id in a web app.
///
/// 1 to 255 bytes without control characters. It is an identifier: keep it out of logs.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Owner(String);

impl Owner {
    /// Reads an owner's id.
    ///
    /// # Errors
    ///
    /// `usage` when the id is empty, longer than 255 bytes or has control characters.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        if id.is_empty() || id.len() > MAX_OWNER || id.chars().any(char::is_control) {
            return Err(Error::new(ErrorCode::Usage, "that is not an owner's id")
                .with_advice("Pass the signed-in user's id: 1 to 255 bytes without control characters."));
        }
        Ok(Self(id))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the one owner of a one-person tool.
    pub fn is_local(&self) -> bool {
        self.0 == LOCAL_OWNER
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self(LOCAL_OWNER.to_owned())
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_local() { "Owner(local)" } else { "Owner(elided)" })
    }
}

/// What a connection belongs to. Its text form is `provider` or `provider/account`; the owner is never shown.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AccountKey {
    /// The app's user.
    pub owner: Owner,
    /// The authorization server and our registration there.
    pub provider: ProviderId,
    /// Which of the owner's accounts at the provider.
    pub account: AccountName,
}

impl AccountKey {
    /// The same provider and account, for another of the app's users.
    #[must_use]
    pub fn for_owner(mut self, owner: Owner) -> Self {
        self.owner = owner;
        self
    }
}

/// The unnamed account of the local owner.
impl From<ProviderId> for AccountKey {
    fn from(provider: ProviderId) -> Self {
        Self { owner: Owner::default(), provider, account: AccountName::default() }
    }
}

/// Reads `provider` or `provider/account`, for the local owner.
impl FromStr for AccountKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (provider, account) = match text.split_once('/') {
            Some((provider, account)) => (provider, AccountName::new(account)?),
            None => (text, AccountName::default()),
        };
        Ok(Self { owner: Owner::default(), provider: ProviderId::new(provider)?, account })
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.provider.as_str())?;
        if !self.account.is_default() {
            write!(f, "/{}", self.account.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const DEFAULT_ACCOUNT: &str = "default";
const LOCAL_OWNER: &str = "local";
const MAX_NAME: usize = 64;
const MAX_OWNER: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_key_reads_back_what_it_writes() {
        for text in ["github", "github/work", "work-idp/Ü.person+1@example.com"] {
            assert_eq!(text.parse::<AccountKey>().unwrap().to_string(), text);
        }
        assert_eq!("github/default".parse::<AccountKey>().unwrap().to_string(), "github");
    }

    #[test]
    fn names_that_would_confuse_are_refused() {
        for text in [
            "", "/", "github/", "/work", "Git Hub", "a/b/c", "a/b c", "me", "me/work", "-x", "a\n", "a/\u{7}",
        ] {
            let error = text.parse::<AccountKey>().unwrap_err();
            assert_eq!(error.code(), ErrorCode::Usage, "{text:?}");
        }
        assert!(ProviderId::new("a".repeat(65)).is_err());
        assert!(Owner::new("").is_err());
    }

    #[test]
    fn an_owner_is_not_shown() {
        let owner = Owner::new("ada@example.com").unwrap();
        assert_eq!(format!("{owner:?}"), "Owner(elided)");
        let key = AccountKey::from(ProviderId::new("github").unwrap()).for_owner(owner);
        assert_eq!(key.to_string(), "github");
        assert!(!format!("{key:?}").contains("ada"));
    }
}
