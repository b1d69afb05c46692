//! What is sealed of a login that waits for its redirect.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::write;
use crate::account::AccountKey;
use crate::protocol::kept::KeptAuthorization;
use crate::secret::Secret;
use crate::store::vault::WaitingLogin;
use crate::store::{LatestDisconnect, TombstoneId};

/// The payload of `login`, in a buffer that is wiped when dropped.
pub(crate) fn encode_login(login: &WaitingLogin) -> Zeroizing<Vec<u8>> {
    write(&LoginPayload {
        version: VERSION,
        authorization: login.authorization.keep(),
        // It leaves for a buffer that is sealed next, and wiped.
        browser: login.browser.expose().into(),
        begun_after: login.begun_after.0.map(|tombstone| tombstone.0),
        scopes: login.scopes.as_slice().into(),
        binding: Cow::Borrowed(&login.binding),
    })
}

/// Reads the payload of a login of `account`; `None` when it is none, or of a version that this code does not know.
pub(crate) fn decode_login(bytes: &[u8], account: AccountKey) -> Option<WaitingLogin> {
    let payload: LoginPayload<'_> = serde_json::from_slice(bytes).ok()?;
    if payload.version != VERSION {
        return None;
    }
    Some(WaitingLogin {
        authorization: payload.authorization.into_pending(account)?,
        browser: Secret::new(payload.browser.into_owned()),
        begun_after: LatestDisconnect(payload.begun_after.map(TombstoneId)),
        scopes: payload.scopes.into_owned(),
        binding: payload.binding.into_owned(),
    })
}

#[derive(Deserialize, Serialize)]
struct LoginPayload<'a> {
    version: u32,
    #[serde(borrow)]
    authorization: KeptAuthorization<'a>,
    #[serde(borrow)]
    browser: Cow<'a, str>,
    begun_after: Option<[u8; 16]>,
    scopes: Cow<'a, [String]>,
    binding: Cow<'a, Value>,
}

const VERSION: u32 = 1;
