//! How a dev-provider behaves while nothing is ordered otherwise.

use std::fmt;
use std::time::Duration;

/// The settings of one server; plain data, meant to be written with `..Settings::default()`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long an access token works; an hour by default.
    pub access_token_lifetime: Duration,
    /// Sends everybody back at once as this user, without a page; `login_hint` names another for one request.
    pub auto_approve: Option<String>,
    /// The registrations; [`Client::dev`] and [`Client::dev_confidential`] by default.
    pub clients: Vec<Client>,
    /// How long an authorization code works; a minute by default (RFC 6749 §4.1.2 allows ten).
    pub code_lifetime: Duration,
    /// How long a device code works; ten minutes by default.
    pub device_code_lifetime: Duration,
    /// How long a device has to wait between two polls; five seconds by default (RFC 8628 §3.2).
    pub device_interval: Duration,
    /// Puts the subject alone into ID tokens, as OpenID Connect Core §5.4 has it for the code flow: the name and the address
    /// are at the userinfo endpoint.
    pub lean_id_tokens: bool,
    /// The port on 127.0.0.1; 0, the default, takes any free one.
    pub port: u16,
    /// What happens to a refresh token that is used.
    pub rotation: Rotation,
    /// How ID tokens are signed.
    pub signing: Signing,
    /// What every code and every opaque token begins with, so that a search for it finds any that leaked.
    pub token_prefix: String,
    /// The names that the login page offers; any other can be typed.
    pub users: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_lifetime: Duration::from_secs(3600),
            auto_approve: None,
            clients: vec![Client::dev(), Client::dev_confidential()],
            code_lifetime: Duration::from_secs(60),
            device_code_lifetime: Duration::from_secs(600),
            device_interval: Duration::from_secs(5),
            lean_id_tokens: false,
            port: 0,
            rotation: Rotation::Strict,
            signing: Signing::Es256,
            token_prefix: "dev-".into(),
            users: vec!["ada".into(), "grace".into(), "linus".into()],
        }
    }
}

/// What happens to a refresh token that is used (RFC 9700 §4.14.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Rotation {
    /// As `Strict`, but whoever repeats a token within `grace` gets the same successor again, as long as that
    /// successor was not used: a client that lost the answer can simply ask once more.
    Forgiving {
        /// How long after its first use a token may be repeated.
        grace: Duration,
    },
    /// The same refresh token works for ever.
    Off,
    /// A used token is replaced; using it again ends the grant, the newest tokens included.
    Strict,
}

/// How ID tokens are signed, until the key is rotated; afterwards by ES256.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Signing {
    /// ECDSA by a new key.
    Es256,
    /// RSA by the key of RFC 7515 Appendix A.2, which everybody knows.
    Rs256,
}

/// One client registration.
#[derive(Clone)]
pub struct Client {
    /// The `client_id`.
    pub id: String,
    /// Where it may be sent back to.
    pub redirects: Redirects,
    /// Its secret; `None` makes it a public client (RFC 6749 §2.1).
    pub secret: Option<String>,
}

impl Client {
    /// The `client_id` of [`Client::dev`].
    pub const DEV: &str = "dev-client";

    /// The `client_id` of [`Client::dev_confidential`].
    pub const DEV_CONFIDENTIAL: &str = "dev-confidential";

    /// The secret of [`Client::dev_confidential`]. Its characters arrive whole only from clients that form-encode
    /// the parts of `Basic` credentials (RFC 6749 §2.3.1).
    pub const DEV_SECRET: &str = "p+a s/s:w%&=";

    /// The public client that every server knows unless its settings say otherwise.
    pub fn dev() -> Self {
        Self { id: Self::DEV.into(), redirects: Redirects::Any, secret: None }
    }

    /// The client with a secret that every server knows unless its settings say otherwise.
    pub fn dev_confidential() -> Self {
        Self {
            id: Self::DEV_CONFIDENTIAL.into(),
            redirects: Redirects::Any,
            secret: Some(Self::DEV_SECRET.into()),
        }
    }
}

/// Says whether there is a secret, never which.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirects", &self.redirects)
            .field("confidential", &self.secret.is_some())
            .finish()
    }
}

/// The redirect URIs that a client may ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Redirects {
    /// Any absolute URI without a fragment. No real provider does this; it spares a developer the registering.
    Any,
    /// Exactly these; only the port of a loopback address may differ (RFC 8252 §7.3).
    Registered(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_text_of_the_settings_has_no_client_secret() {
        let text = format!("{:?}", Settings::default());
        assert!(text.contains("dev-confidential") && !text.contains("p+a"), "{text}");
    }
}
