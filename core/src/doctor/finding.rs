//! One thing that a doctor has to say.

use std::fmt;

use crate::account::AccountKey;
use crate::error::{Error, ErrorCode};

/// How much a finding matters, the worst first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Something that the configuration asks for does not work.
    Error,
    /// It works, and not as somebody probably thinks, or not for long.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

/// What can be found. Each code has one severity, so that a program can look at either.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum FindingCode {
    /// The clock of this machine and that of a provider differ.
    ClockOff,
    /// The configuration file has a problem.
    ConfigInvalid,
    /// There is no configuration file.
    ConfigMissing,
    /// The configuration says something that is probably not meant.
    ConfigNote,
    /// The configuration file holds a secret, and others can read it.
    ConfigOpen,
    /// Refreshing a connection fails at the moment.
    ConnectionDegraded,
    /// A connection ends soon, because the provider gave no refresh token.
    ConnectionEnding,
    /// A connection was made with another server or registration than the configuration has now.
    ConnectionForeign,
    /// A connection is of a provider that the configuration does not have any more.
    ConnectionLeftOver,
    /// A connection is at its end.
    ConnectionOver,
    /// A connection cannot be unsealed.
    ConnectionUnreadable,
    /// A tier has no credential.
    CredentialMissing,
    /// A credential is there and never used, because another comes first.
    CredentialShadowed,
    /// A credential is there and cannot be used.
    CredentialUnusable,
    /// A provider's endpoint cannot be reached.
    EndpointUnreachable,
    /// The key of the store cannot be had.
    KeyUnavailable,
    /// A new store would be sealed with a key in a file, because there is no keychain.
    KeychainPassedOver,
    /// The provider's metadata names another endpoint than the configuration.
    MetadataDiffers,
    /// The provider's metadata cannot be used.
    MetadataUnusable,
    /// A tier has both `auth_mode` and `use_oauth`.
    ModeTwice,
    /// Another program uses the port of a fixed redirect URI.
    PortTaken,
    /// A provider that no tier names has no credential.
    ProviderUnused,
    /// A revocation is still to be sent.
    RevocationWaiting,
    /// Requests go through a proxy, or extra certificate authorities are trusted.
    Route,
    /// The configuration asks for scopes that are not granted.
    ScopesMissing,
    /// A file or the directory of the store is not private.
    StoreFile,
    /// The file system of the store does not keep locks.
    StoreLocks,
    /// There is no store yet.
    StoreNew,
    /// The store cannot be read or written.
    StoreUnusable,
    /// A variable that a credential is looked for in is empty.
    VariableEmpty,
    /// A variable that the configuration names is not set.
    VariableMissing,
    /// Another version of the program is on the path.
    VersionOther,
}

impl FindingCode {
    /// Every code, in the order of their names.
    pub const ALL: [Self; 32] = [
        Self::ClockOff,
        Self::ConfigInvalid,
        Self::ConfigMissing,
        Self::ConfigNote,
        Self::ConfigOpen,
        Self::ConnectionDegraded,
        Self::ConnectionEnding,
        Self::ConnectionForeign,
        Self::ConnectionLeftOver,
        Self::ConnectionOver,
        Self::ConnectionUnreadable,
        Self::CredentialMissing,
        Self::CredentialShadowed,
        Self::CredentialUnusable,
        Self::EndpointUnreachable,
        Self::KeyUnavailable,
        Self::KeychainPassedOver,
        Self::MetadataDiffers,
        Self::MetadataUnusable,
        Self::ModeTwice,
        Self::PortTaken,
        Self::ProviderUnused,
        Self::RevocationWaiting,
        Self::Route,
        Self::ScopesMissing,
        Self::StoreFile,
        Self::StoreLocks,
        Self::StoreNew,
        Self::StoreUnusable,
        Self::VariableEmpty,
        Self::VariableMissing,
        Self::VersionOther,
    ];

    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// How much it matters.
    pub const fn severity(self) -> Severity {
        self.row().1
    }

    const fn row(self) -> (&'static str, Severity) {
        use Severity::{Error, Note, Warning};
        match self {
            Self::ClockOff => ("clock_off", Warning),
            Self::ConfigInvalid => ("config_invalid", Error),
            Self::ConfigMissing => ("config_missing", Error),
            Self::ConfigNote => ("config_note", Warning),
            Self::ConfigOpen => ("config_open", Warning),
            Self::ConnectionDegraded => ("connection_degraded", Warning),
            Self::ConnectionEnding => ("connection_ending", Warning),
            Self::ConnectionForeign => ("connection_foreign", Error),
            Self::ConnectionLeftOver => ("connection_left_over", Note),
            Self::ConnectionOver => ("connection_over", Error),
            Self::ConnectionUnreadable => ("connection_unreadable", Error),
            Self::CredentialMissing => ("credential_missing", Error),
            Self::CredentialShadowed => ("credential_shadowed", Warning),
            Self::CredentialUnusable => ("credential_unusable", Error),
            Self::EndpointUnreachable => ("endpoint_unreachable", Error),
            Self::KeyUnavailable => ("key_unavailable", Error),
            Self::KeychainPassedOver => ("keychain_passed_over", Note),
            Self::MetadataDiffers => ("metadata_differs", Warning),
            Self::MetadataUnusable => ("metadata_unusable", Error),
            Self::ModeTwice => ("mode_twice", Warning),
            Self::PortTaken => ("port_taken", Warning),
            Self::ProviderUnused => ("provider_unused", Note),
            Self::RevocationWaiting => ("revocation_waiting", Note),
            Self::Route => ("route", Note),
            Self::ScopesMissing => ("scopes_missing", Warning),
            Self::StoreFile => ("store_file", Error),
            Self::StoreLocks => ("store_locks", Error),
            Self::StoreNew => ("store_new", Note),
            Self::StoreUnusable => ("store_unusable", Error),
            Self::VariableEmpty => ("variable_empty", Warning),
            Self::VariableMissing => ("variable_missing", Warning),
            Self::VersionOther => ("version_other", Warning),
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was found. It holds no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub code: FindingCode,
    /// The same as one sentence, without a full stop.
    pub message: String,
    /// What mends it: whole sentences, with the exact command where there is one.
    pub remedy: String,
    /// The account that it is about, where it is about one.
    pub account: Option<AccountKey>,
    /// The error that a command would end with because of it; always there for an error.
    pub cause: Option<ErrorCode>,
}

impl Finding {
    /// A finding that stops nothing.
    pub fn new(code: FindingCode, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy: remedy.into(), account: None, cause: None }
    }

    /// What a command would be told.
    pub fn of_error(code: FindingCode, error: &Error) -> Self {
        let (account, cause) = (error.account().cloned(), Some(error.code()));
        Self { account, cause, ..Self::new(code, error.message(), error.advice()) }
    }

    /// The same, about `account`.
    #[must_use]
    pub fn about(mut self, account: &AccountKey) -> Self {
        self.account.get_or_insert_with(|| account.clone());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let names = FindingCode::ALL.map(FindingCode::as_str);
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    }

    #[test]
    fn a_finding_says_what_the_error_says() {
        let account: AccountKey = "github/work".parse().unwrap();
        let error = Error::new(ErrorCode::NotConnected, "it is not there")
            .with_advice("Bring it.")
            .with_account(&account);
        let finding = Finding::of_error(FindingCode::CredentialMissing, &error);
        assert_eq!((finding.message.as_str(), finding.remedy.as_str()), ("it is not there", "Bring it."));
        assert_eq!((finding.account, finding.cause), (Some(account), Some(ErrorCode::NotConnected)));
    }
}
