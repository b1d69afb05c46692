//! Logins: what the person needs, and what came of it.

use loomkin_auth::auth::{HostedLogin, PendingLogin};
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::protocol::device::DeviceAuthorization;
use loomkin_auth::secret::Secret;
use rustler::{NifMap, NifStruct, ResourceArc};

use super::word::{Exposed, Word, millis};
use crate::login::Login;

/// A connection that a login made.
#[derive(NifStruct)]
#[module = "LoomkinAuth.Connected"]
#[rustler(encode)]
pub(crate) struct Made {
    provider: String,
    account: String,
    account_login: Option<String>,
    account_id: Option<String>,
    scopes: Vec<String>,
    missing_scopes: Vec<String>,
    expires_at: Option<i64>,
    note: Option<String>,
}

impl From<Connected> for Made {
    fn from(connected: Connected) -> Self {
        Self {
            provider: connected.account.provider.to_string(),
            account: connected.account.to_string(),
            account_login: connected.account_login,
            account_id: connected.account_id,
            scopes: connected.scopes,
            missing_scopes: connected.missing_scopes,
            expires_at: millis(connected.expires_at),
            note: connected.note,
        }
    }
}

/// A login that waits for the person. Its secrets are bare until Elixir wraps them.
#[derive(NifMap)]
#[rustler(encode)]
pub(crate) struct Waiting {
    login: ResourceArc<Login>,
    account: String,
    flow: Word,
    reasons: Vec<String>,
    asks_for_paste: bool,
    opens_browser: bool,
    authorization_url: Exposed,
    device: Option<Device>,
    deadline: Option<i64>,
}

impl Waiting {
    pub(crate) fn new(login: ResourceArc<Login>, pending: &PendingLogin) -> Self {
        let choice = pending.choice();
        Self {
            login,
            account: pending.account().to_string(),
            flow: Word(choice.flow.as_str()),
            reasons: choice.reasons.clone(),
            asks_for_paste: choice.asks_for_paste(),
            opens_browser: choice.opens_browser(),
            authorization_url: Exposed(Secret::new(pending.authorization_url())),
            device: pending.device().map(Device::from),
            deadline: millis(pending.deadline()),
        }
    }
}

/// What the person needs in the device flow.
#[derive(NifMap)]
#[rustler(encode)]
pub(crate) struct Device {
    user_code: Exposed,
    verification_uri: String,
    verification_uri_complete: Option<Exposed>,
    expires_at: i64,
    /// In milliseconds.
    interval: u64,
}

impl From<&DeviceAuthorization> for Device {
    fn from(device: &DeviceAuthorization) -> Self {
        let complete = device.verification_uri_complete();
        Self {
            user_code: Exposed(Secret::new(device.user_code())),
            verification_uri: device.verification_uri().to_string(),
            verification_uri_complete: complete.map(|uri| Exposed(Secret::new(uri.as_str()))),
            expires_at: device.expires_at().unix_millis(),
            interval: u64::try_from(device.interval().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// A hosted login that has begun. Its secrets are bare until Elixir wraps them.
#[derive(NifMap)]
#[rustler(encode)]
pub(crate) struct Hosted {
    id: String,
    account: String,
    authorization_url: Exposed,
    redirect_uri: String,
    deadline: i64,
    cookie: Cookie,
}

#[derive(NifMap)]
#[rustler(encode)]
struct Cookie {
    name: String,
    value: Exposed,
    path: String,
    /// In seconds.
    max_age: u64,
    secure: bool,
}

impl From<HostedLogin> for Hosted {
    fn from(login: HostedLogin) -> Self {
        let cookie = login.cookie();
        Self {
            id: login.id().to_string(),
            account: login.account().to_string(),
            authorization_url: Exposed(Secret::new(login.authorization_url())),
            redirect_uri: login.redirect_uri().to_owned(),
            deadline: login.deadline().unix_millis(),
            cookie: Cookie {
                name: cookie.name().to_owned(),
                value: Exposed(cookie.value().clone()),
                path: cookie.path().to_owned(),
                max_age: cookie.max_age().as_secs(),
                secure: cookie.is_secure(),
            },
        }
    }
}
