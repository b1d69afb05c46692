//! What the store holds for one account.

use crate::error::Result;
use crate::secret::Secret;
use crate::status::ConnectionState;
use crate::store::StaticKind;
use crate::store::vault::StoredCredential;

/// What the store holds for one account: each is `None` where it is not there, and an error where it is there and cannot
/// be used.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// Its API key.
    pub api_key: Option<Result<Secret>>,
    /// Its auth token.
    pub auth_token: Option<Result<Secret>>,
    /// The state of its connection.
    pub connection: Option<Result<ConnectionState>>,
}

impl Holdings {
    /// Those of one account, out of the static credentials that are stored for it, and its connection.
    pub fn new(stored: Vec<StoredCredential>, connection: Option<Result<ConnectionState>>) -> Self {
        let mut held = Self { connection, ..Self::default() };
        for credential in stored {
            match credential.kind {
                StaticKind::ApiKey => held.api_key = Some(credential.secret),
                StaticKind::AuthToken => held.auth_token = Some(credential.secret),
            }
        }
        held
    }

    pub(super) fn of_kind(&self, kind: StaticKind) -> Option<&Result<Secret>> {
        match kind {
            StaticKind::ApiKey => self.api_key.as_ref(),
            StaticKind::AuthToken => self.auth_token.as_ref(),
        }
    }
}
