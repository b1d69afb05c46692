//! How an account ends, and who it is.

use loomkin_auth::account::AccountKey;
use loomkin_auth::lifecycle::Disconnected;
use loomkin_auth::protocol::revocation::RevocationAnswer;
use loomkin_auth::status::Me;
use rustler::NifStruct;

use super::word::{Word, millis};

/// What a disconnect came to.
#[derive(Debug, NifStruct)]
#[module = "LoomkinAuth.Disconnected"]
#[rustler(encode)]
pub(crate) struct Ended {
    account: String,
    was_connected: bool,
    revoked: bool,
    reason: Option<String>,
    queued_until: Option<i64>,
    kept: Vec<Word>,
}

impl Ended {
    pub(crate) fn new(account: &AccountKey, disconnected: Disconnected) -> Self {
        let (revoked, reason) = match disconnected.revocation {
            RevocationAnswer::Revoked => (true, None),
            RevocationAnswer::NotRevoked { reason, .. } => (false, Some(reason)),
        };
        Self {
            account: account.to_string(),
            was_connected: disconnected.was_connected,
            revoked,
            reason,
            queued_until: millis(disconnected.queued_until),
            kept: disconnected.kept.into_iter().map(|kind| Word(kind.as_str())).collect(),
        }
    }
}

/// Who the owner is at the active provider.
#[derive(NifStruct)]
#[module = "LoomkinAuth.Me"]
#[rustler(encode)]
pub(crate) struct Identity {
    account: String,
    account_login: Option<String>,
    account_id: Option<String>,
    base_url: Option<String>,
    since: i64,
}

impl From<Me> for Identity {
    fn from(me: Me) -> Self {
        Self {
            account: me.account.to_string(),
            account_login: me.account_login,
            account_id: me.account_id,
            base_url: me.base_url,
            since: me.since.unix_millis(),
        }
    }
}
