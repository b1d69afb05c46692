//! OpenAI accounts.
//!
//! <https://developers.openai.com/codex/auth>, read 2026-11-21, describes the login for people, and
//! <https://auth.openai.com/.well-known/openid-configuration> the endpoints. Refresh tokens are used once; a second
//! use is refused. No revocation is documented for registrations of others.

use super::{IdentitySource, Preset, Quirks, RevocationMethod};
use crate::provider::Flow;

pub(super) const OPENAI: Preset = Preset {
    name: "openai",
    title: "OpenAI",
    documentation: &[
        "https://developers.openai.com/codex/auth",
        "https://auth.openai.com/.well-known/openid-configuration",
    ],
    issuer: Some("https://auth.openai.com"),
    authorization_endpoint: Some("https://auth.openai.com/oauth/authorize"),
    device_authorization_endpoint: None,
    revocation_endpoint: None,
    token_endpoint: Some("https://auth.openai.com/oauth/token"),
    user_endpoint: None,
    redirect_uri: None,
    scopes: &["openid", "profile", "email", "offline_access"],
    params: &[],
    flows: &[Flow::Loopback, Flow::Hosted],
    client_auth: None,
    identity: IdentitySource::OpenId,
    revocation: RevocationMethod::None,
    quirks: Quirks::NONE,
};
