//! Codeberg, which runs Forgejo.
//!
//! <https://forgejo.org/docs/latest/user/oauth2-provider/>, read 2026-11-21: the endpoints, PKCE, any port on 127.0.0.1
//! for public clients. Scopes are accepted and not yet honoured there: a token may do all that its owner may. Forgejo
//! has no revocation endpoint; a grant is ended under Settings → Applications.

use super::{IdentitySource, Preset, Quirks, RevocationMethod};
use crate::provider::Flow;

pub(super) const CODEBERG: Preset = Preset {
    name: "codeberg",
    title: "Codeberg",
    documentation: &["https://forgejo.org/docs/latest/user/oauth2-provider/"],
    issuer: None,
    authorization_endpoint: Some("https://codeberg.org/login/oauth/authorize"),
    device_authorization_endpoint: None,
    revocation_endpoint: None,
    token_endpoint: Some("https://codeberg.org/login/oauth/access_token"),
    user_endpoint: Some("https://codeberg.org/api/v1/user"),
    jwks_uri: None,
    redirect_uri: None,
    scopes: &["read:user"],
    params: &[],
    flows: &[Flow::Loopback, Flow::Hosted],
    client_auth: None,
    identity: IdentitySource::ForgejoUser,
    revocation: RevocationMethod::None,
    quirks: Quirks::NONE,
    domains: &["codeberg.org"],
    api_key_variables: &[],
    auth_token_variables: &[],
    limits: &[],
};
