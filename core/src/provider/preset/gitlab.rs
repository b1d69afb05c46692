//! GitLab.com. A company's own GitLab has the same paths under its own origin: spell the endpoints out, or its issuer.
//!
//! As of 2026-11-21: <https://docs.gitlab.com/api/oauth2/> (endpoints, PKCE, device flow, revocation, rotation),
//! <https://docs.gitlab.com/api/users/> (the user resource).

use super::{IdentitySource, Preset, Quirks, RevocationMethod};
use crate::provider::{ClientAuth, Flow};

pub(super) const GITLAB: Preset = Preset {
    name: "gitlab",
    title: "GitLab",
    documentation: &["https://docs.gitlab.com/api/oauth2/", "https://docs.gitlab.com/api/users/"],
    issuer: Some("https://gitlab.com"),
    authorization_endpoint: Some("https://gitlab.com/oauth/authorize"),
    device_authorization_endpoint: Some("https://gitlab.com/oauth/authorize_device"),
    revocation_endpoint: Some("https://gitlab.com/oauth/revoke"),
    token_endpoint: Some("https://gitlab.com/oauth/token"),
    user_endpoint: Some("https://gitlab.com/api/v4/user"),
    jwks_uri: None,
    redirect_uri: None,
    scopes: &["read_user"],
    params: &[],
    flows: &[Flow::Loopback, Flow::Device, Flow::Hosted],
    client_auth: Some(ClientAuth::Body),
    identity: IdentitySource::GitLabUser,
    revocation: RevocationMethod::Rfc7009,
    quirks: Quirks::NONE,
    domains: &["gitlab.com"],
    api_key_variables: &[],
    auth_token_variables: &["GITLAB_TOKEN"],
    limits: &[],
};
