//! GitHub: OAuth apps and GitHub Apps.
//!
//! As of 2026-11-21:
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps> (endpoints, device flow,
//! any port on 127.0.0.1),
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps> (which scope covers which, and that
//! the covered ones are left out),
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>
//! (a refresh ends the old refresh token and the old access token at once),
//! <https://docs.github.com/en/rest/apps/oauth-applications> (ending a grant: not RFC 7009),
//! <https://docs.github.com/en/rest/users/users> (the user resource),
//! <https://cli.github.com/manual/gh_help_environment> (the variables, and which of them counts first).

use super::{Covers, IdentitySource, Preset, Quirks, RevocationMethod};
use crate::provider::{ClientAuth, Flow};

pub(super) const GITHUB: Preset = Preset {
    name: "github",
    title: "GitHub",
    documentation: &[
        "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
        "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps",
        "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens",
        "https://docs.github.com/en/rest/apps/oauth-applications",
        "https://docs.github.com/en/rest/users/users",
    ],
    issuer: None,
    authorization_endpoint: Some("https://github.com/login/oauth/authorize"),
    device_authorization_endpoint: Some("https://github.com/login/device/code"),
    revocation_endpoint: Some("https://api.github.com/applications"),
    token_endpoint: Some("https://github.com/login/oauth/access_token"),
    user_endpoint: Some("https://api.github.com/user"),
    jwks_uri: None,
    redirect_uri: None,
    scopes: &["read:user"],
    params: &[],
    flows: &[Flow::Loopback, Flow::Device, Flow::Hosted],
    client_auth: Some(ClientAuth::Body),
    identity: IdentitySource::GitHubUser,
    revocation: RevocationMethod::GitHubGrant,
    quirks: Quirks { scope_covers: COVERS, ..Quirks::NONE },
    domains: &["github.com"],
    api_key_variables: &[],
    auth_token_variables: &["GH_TOKEN", "GITHUB_TOKEN"],
    limits: &["The token of a workflow ends with its job, and reaches the workflow's own repository alone."],
};

const COVERS: &[Covers] = &[
    ("admin:gpg_key", &["write:gpg_key", "read:gpg_key"]),
    ("admin:org", &["write:org", "read:org", "manage_runners:org"]),
    ("admin:public_key", &["write:public_key", "read:public_key"]),
    ("admin:repo_hook", &["write:repo_hook", "read:repo_hook"]),
    ("project", &["read:project"]),
    ("repo", &["repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"]),
    ("user", &["read:user", "user:email", "user:follow"]),
    ("write:gpg_key", &["read:gpg_key"]),
    ("write:org", &["read:org"]),
    ("write:packages", &["read:packages"]),
    ("write:public_key", &["read:public_key"]),
    ("write:repo_hook", &["read:repo_hook"]),
];
