//! Logins that a device began and a person decides on elsewhere (RFC 8628).

use std::time::{Duration, SystemTime};

use super::grant::{Approval, Grant, Issued};
use super::{State, Terms};
use crate::endpoints::answer::OAuthError;

/// What a device asks for.
#[derive(Clone)]
pub(crate) struct DeviceRequest {
    pub(crate) client_id: String,
    /// What the device calls itself.
    pub(crate) device_name: Option<String>,
    pub(crate) interval: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) scopes: Vec<String>,
}

pub(super) struct DeviceLogin {
    /// When the device asked last, and was not told to slow down.
    asked_at: Option<SystemTime>,
    decision: Decision,
    expires_at: SystemTime,
    request: DeviceRequest,
    user_code: String,
}

enum Decision {
    /// By this grant.
    Allowed(usize),
    Denied,
    /// Allowed, and the device has its tokens.
    Spent,
    Waiting,
}

impl State {
    /// Begins a login; returns the device's code and the person's.
    pub(crate) fn begin_device(&mut self, request: DeviceRequest, terms: &Terms<'_>) -> (String, String) {
        let (device_code, user_code) = (terms.tokens.make("device"), terms.tokens.make_user_code());
        let login = DeviceLogin {
            asked_at: None,
            decision: Decision::Waiting,
            expires_at: terms.now + request.lifetime,
            request,
            user_code: user_code.clone(),
        };
        self.device_logins.insert(device_code.clone(), login);
        (device_code, user_code)
    }

    /// What the person is asked to allow who enters `user_code`, while nobody has decided on it, and how the device
    /// spells that code.
    pub(crate) fn device_request(&self, user_code: &str, now: SystemTime) -> Option<(String, DeviceRequest)> {
        let mut logins = self.device_logins.values();
        logins
            .find(|login| login.can_be_decided(user_code, now))
            .map(|login| (login.user_code.clone(), login.request.clone()))
    }

    /// Decides on the login of `user_code`, for `user` or against it; false when there is nothing to decide.
    pub(crate) fn decide_device(&mut self, user_code: &str, user: Option<String>, terms: &Terms<'_>) -> bool {
        let mut logins = self.device_logins.values_mut();
        let Some(login) = logins.find(|login| login.can_be_decided(user_code, terms.now)) else {
            return false;
        };
        login.decision = match user {
            None => Decision::Denied,
            Some(user) => {
                let approval = Approval {
                    client_id: login.request.client_id.clone(),
                    code_challenge: String::new(),
                    nonce: None,
                    redirect_uri: String::new(),
                    scopes: login.request.scopes.clone(),
                    user,
                };
                self.grants.push(Grant { alive: true, approval });
                Decision::Allowed(self.grants.len() - 1)
            }
        };
        true
    }

    /// Answers a device that asks whether the person has decided (RFC 8628 §3.5).
    pub(crate) fn redeem_device(
        &mut self,
        device_code: &str,
        client_id: &str,
        terms: &Terms<'_>,
    ) -> Result<Issued, OAuthError> {
        let error = |code, description: &str| Err(OAuthError { code, description: description.into() });
        let Some(login) = self.device_logins.get_mut(device_code) else {
            return error("invalid_grant", "unknown device code");
        };
        if login.request.client_id != client_id {
            return error("invalid_grant", "the device code was given to another client");
        }
        let grant = match login.decision {
            Decision::Spent => return error("invalid_grant", "the device code was used before"),
            Decision::Denied => return error("access_denied", "the person said no"),
            _ if login.expires_at <= terms.now => {
                return error("expired_token", "the device code has expired");
            }
            Decision::Waiting if login.is_too_soon(terms.now) => {
                login.request.interval += SLOW_DOWN;
                return error("slow_down", "the device asks too often");
            }
            Decision::Waiting => {
                login.asked_at = Some(terms.now);
                return error("authorization_pending", "the person has not decided yet");
            }
            Decision::Allowed(grant) => grant,
        };
        login.decision = Decision::Spent;
        let refresh_token = self.add_refresh_token(grant, 1, terms);
        Ok(self.issue(grant, refresh_token, None, terms))
    }
}

impl DeviceLogin {
    fn can_be_decided(&self, user_code: &str, now: SystemTime) -> bool {
        matches!(self.decision, Decision::Waiting)
            && now < self.expires_at
            && letters(user_code).eq(letters(&self.user_code))
    }

    fn is_too_soon(&self, now: SystemTime) -> bool {
        self.asked_at.is_some_and(|asked_at| now < asked_at + self.request.interval)
    }
}

/// What counts of a code that a person typed (RFC 8628 §6.1).
fn letters(code: &str) -> impl Iterator<Item = char> {
    code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase())
}

const SLOW_DOWN: Duration = Duration::from_secs(5);
