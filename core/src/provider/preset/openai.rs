//! OpenAI accounts.
//!
//! <https://developers.openai.com/siwc/website> and <https://developers.openai.com/siwc/quickstart>, read 2026-11-21:
//! "Sign in with ChatGPT" is OpenID Connect with PKCE for registrations of one's own, and its endpoints are to be
//! loaded from <https://auth.openai.com/.well-known/openid-configuration>. So they are not written down here; a
//! revocation endpoint is used when that document names one. Refresh tokens are used once.

use super::{IdentitySource, Preset, Quirks, RevocationMethod};
use crate::provider::Flow;

pub(super) const OPENAI: Preset = Preset {
    name: "openai",
    title: "OpenAI",
    documentation: &[
        "https://developers.openai.com/siwc/quickstart",
        "https://developers.openai.com/siwc/website",
    ],
    issuer: Some("https://auth.openai.com"),
    authorization_endpoint: None,
    device_authorization_endpoint: None,
    revocation_endpoint: None,
    token_endpoint: None,
    user_endpoint: None,
    jwks_uri: None,
    redirect_uri: None,
    scopes: &["openid", "profile", "email", "offline_access"],
    params: &[],
    flows: &[Flow::Loopback, Flow::Hosted],
    client_auth: None,
    identity: IdentitySource::OpenId,
    revocation: RevocationMethod::None,
    quirks: Quirks::NONE,
    domains: &["openai.com"],
    api_key_variables: &["OPENAI_API_KEY"],
    auth_token_variables: &[],
    limits: &[],
};
