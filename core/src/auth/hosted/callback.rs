//! What the person's browser brings back.

use std::fmt;

use super::cookie;
use crate::account::ProviderId;
use crate::error::Result;
use crate::protocol::redirect::AuthorizationResponse;
use crate::secret::Secret;

/// A request to the callback of a provider: the answer of the server, and the proof that it comes from the browser that
/// began the login. `Debug` shows nothing of either.
pub struct HostedCallback {
    pub(super) provider: ProviderId,
    pub(super) response: AuthorizationResponse,
    pub(super) browser: Option<Secret>,
}

impl HostedCallback {
    /// Reads `parameters`, which came to the callback of `provider`: the query of the request, or its body where the
    /// server posts a form.
    ///
    /// # Errors
    ///
    /// `callback_rejected` when one of the parameters is there twice (RFC 6749 §3.1) or they are too long.
    pub fn read(provider: ProviderId, parameters: &Secret) -> Result<Self> {
        // The parameters are read to find the answer in them.
        let response = AuthorizationResponse::read(parameters.expose())?;
        Ok(Self { provider, response, browser: None })
    }

    /// Finds the cookie of this login in `header`, the value of a `Cookie` header (RFC 6265 §4.2.1). A browser may have
    /// several logins open, and each has a cookie of its own. With several headers, call it for each.
    #[must_use]
    pub fn with_cookies(mut self, header: &Secret) -> Self {
        if let Some(id) = self.response.state_digest() {
            let name = cookie::name_of(id);
            // The cookies are read to find one of them.
            let pairs = header.expose().split(';').filter_map(|pair| pair.trim().split_once('='));
            let found = pairs.filter(|(other, _)| *other == name).map(|(_, value)| Secret::new(value)).next();
            self.browser = self.browser.or(found);
        }
        self
    }

    /// Takes the value of the cookie of this login from an app that has found it by itself.
    #[must_use]
    pub fn with_binding(mut self, binding: Secret) -> Self {
        self.browser = Some(binding);
        self
    }
}

impl fmt::Debug for HostedCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostedCallback({})", self.provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::state::StateDigest;

    fn callback(query: &str) -> HostedCallback {
        HostedCallback::read(ProviderId::new("idp").unwrap(), &Secret::new(query)).unwrap()
    }

    fn binding(query: &str, header: &str) -> Option<String> {
        let callback = callback(query).with_cookies(&Secret::new(header));
        callback.browser.map(|browser| browser.expose().to_owned()) // a throw-away value of this test
    }

    #[test]
    fn the_cookie_of_this_login_is_found_among_others() {
        let name = |state: &str| cookie::name_of(StateDigest::derive(&Secret::new(state)));
        let (one, two) = (name("S1"), name("S2"));
        let header = format!("session=x; {one}=first;{two}=second ; y; {one}=again; =z");
        assert_eq!(binding("code=c&state=S1", &header).as_deref(), Some("first"));
        assert_eq!(binding("code=c&state=S2", &header).as_deref(), Some("second"));
        assert_eq!(binding("code=c&state=S3", &header), None);
        assert_eq!(binding("code=c", &header), None);
        assert_eq!(binding("code=c&state=S1", ""), None);
    }

    #[test]
    fn nothing_of_a_callback_is_shown() {
        let callback = callback("code=canary1&state=canary2").with_binding(Secret::new("canary3"));
        assert_eq!(format!("{callback:?}"), "HostedCallback(idp)");
    }
}
