//! The error codes that every language and the command line share.

use std::fmt;

/// What the caller should do. The list is a contract: `tests/vectors/errors.json` holds it for every language.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The person said no at the authorization server.
    AccessDenied,
    /// Another account came back than the one asked for.
    AccountMismatch,
    /// The redirect does not answer this login; it may be forged.
    CallbackRejected,
    /// The server refuses our registration or the scopes.
    ClientRejected,
    /// The configuration cannot be used as it is.
    ConfigInvalid,
    /// The key that opens the store cannot be had.
    KeyUnavailable,
    /// The login is finished, cancelled or timed out.
    LoginClosed,
    /// No provider is selected.
    NoActiveProvider,
    /// Nothing is stored for the account.
    NotConnected,
    /// The grant is gone: expired, revoked or interrupted.
    ReconnectRequired,
    /// The server answered outside its specification.
    ServerMisbehaved,
    /// The store cannot be read, written or unsealed.
    StoreFailed,
    /// The network or the server is not there now, or a back-off is in force.
    Unavailable,
    /// The call itself is wrong.
    Usage,
}

impl ErrorCode {
    /// Every code, in the order of their names.
    pub const ALL: [Self; 14] = [
        Self::AccessDenied,
        Self::AccountMismatch,
        Self::CallbackRejected,
        Self::ClientRejected,
        Self::ConfigInvalid,
        Self::KeyUnavailable,
        Self::LoginClosed,
        Self::NoActiveProvider,
        Self::NotConnected,
        Self::ReconnectRequired,
        Self::ServerMisbehaved,
        Self::StoreFailed,
        Self::Unavailable,
        Self::Usage,
    ];

    /// The name that every language uses.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The exit code of the command line, from `sysexits.h` where it has one.
    pub const fn exit_code(self) -> u8 {
        self.row().1
    }

    /// The HTTP status of a web app that passes the error on.
    pub const fn http_status(self) -> u16 {
        self.row().2
    }

    /// What to do in general, in one imperative sentence.
    pub const fn advice(self) -> &'static str {
        self.row().3
    }

    const fn row(self) -> (&'static str, u8, u16, &'static str) {
        match self {
            Self::AccessDenied => {
                ("access_denied", 77, 403, "Connect again and allow the access, if that is what you want.")
            }
            Self::AccountMismatch => (
                "account_mismatch",
                77,
                409,
                "Choose the account you asked for, or connect this one under a name of its own.",
            ),
            Self::CallbackRejected => {
                ("callback_rejected", 76, 400, "Start the login over, and use only the page that it opens.")
            }
            Self::ClientRejected => (
                "client_rejected",
                78,
                502,
                "Correct client_id, client_secret, scopes or redirect_uri in the configuration.",
            ),
            Self::ConfigInvalid => {
                ("config_invalid", 78, 500, "Correct the listed problems in the configuration.")
            }
            Self::KeyUnavailable => (
                "key_unavailable",
                74,
                500,
                "Unlock the keychain, or provide the key under the name the configuration gives.",
            ),
            Self::LoginClosed => ("login_closed", 1, 410, "Begin a new login."),
            Self::NoActiveProvider => ("no_active_provider", 77, 412, "Select a provider, or connect one."),
            Self::NotConnected => ("not_connected", 77, 409, "Connect the account first."),
            Self::ReconnectRequired => ("reconnect_required", 77, 409, "Connect the account again."),
            Self::ServerMisbehaved => {
                ("server_misbehaved", 76, 502, "Report this to the provider; trying again later may help.")
            }
            Self::StoreFailed => {
                ("store_failed", 74, 500, "Mend the store's file, folder or server; nothing was overwritten.")
            }
            Self::Unavailable => ("unavailable", 75, 503, "Try again later."),
            Self::Usage => ("usage", 64, 400, "Correct the call."),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_shared_list() {
        let list: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/errors.json")).unwrap();
        let shared: Vec<_> = list["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["code"].as_str().unwrap(), row["exit"].as_u64(), row["http"].as_u64()))
            .collect();
        let ours: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| (code.as_str(), Some(code.exit_code().into()), Some(code.http_status().into())))
            .collect();
        assert_eq!(ours, shared);
    }

    #[test]
    fn every_advice_is_one_imperative_sentence() {
        for code in ErrorCode::ALL {
            let advice = code.advice();
            assert!(advice.starts_with(|c: char| c.is_ascii_uppercase()) && advice.ends_with('.'), "{code}");
        }
    }
}
