//! Google accounts.
//!
//! As of 2026-11-21: <https://developers.google.com/identity/protocols/oauth2/native-app> (endpoints, loopback,
//! revocation), <https://developers.google.com/identity/protocols/oauth2/web-server> (`access_type=offline`, and
//! `prompt=consent` without which a second login yields no refresh token),
//! <https://developers.google.com/identity/openid-connect/openid-connect> (both spellings of the issuer,
//! `jwks_uri`).

use super::{IdentitySource, Preset, Quirks, RevocationMethod};
use crate::provider::{ClientAuth, Flow};

pub(super) const GOOGLE: Preset = Preset {
    name: "google",
    title: "Google",
    documentation: &[
        "https://developers.google.com/identity/protocols/oauth2/native-app",
        "https://developers.google.com/identity/protocols/oauth2/web-server",
        "https://developers.google.com/identity/openid-connect/openid-connect",
    ],
    issuer: Some("https://accounts.google.com"),
    authorization_endpoint: Some("https://accounts.google.com/o/oauth2/v2/auth"),
    // Google's device flow wants a registration of another type and a short list of scopes.
    device_authorization_endpoint: Some("https://oauth2.googleapis.com/device/code"),
    revocation_endpoint: Some("https://oauth2.googleapis.com/revoke"),
    token_endpoint: Some("https://oauth2.googleapis.com/token"),
    user_endpoint: Some("https://openidconnect.googleapis.com/v1/userinfo"),
    jwks_uri: Some("https://www.googleapis.com/oauth2/v3/certs"),
    redirect_uri: None,
    scopes: &["openid", "email"],
    params: &[("access_type", "offline"), ("prompt", "consent")],
    flows: &[Flow::Loopback, Flow::Hosted],
    client_auth: Some(ClientAuth::Body),
    identity: IdentitySource::OpenId,
    revocation: RevocationMethod::Rfc7009,
    quirks: Quirks {
        // Its refresh tokens stay the same, so that asking again does no harm.
        forgives_repeat: true,
        issuer_aliases: &["accounts.google.com"],
        // It answers with its own names for these scopes of OpenID Connect.
        scope_covers: &[
            ("https://www.googleapis.com/auth/userinfo.email", &["email"]),
            ("https://www.googleapis.com/auth/userinfo.profile", &["profile"]),
        ],
        ..Quirks::NONE
    },
    domains: &["googleapis.com"],
    api_key_variables: &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    auth_token_variables: &[],
    limits: &["An API key stands for a project and not for a person; what belongs to a person needs OAuth."],
};
