//! Anthropic: accounts of Claude subscriptions and of the developer platform.
//!
//! <https://code.claude.com/docs/en/authentication>, read 2026-11-21, describes the login for people, with a page of
//! Anthropic's own that shows a code to paste. It states neither endpoints nor revocation: those below are the ones
//! that this login visits, and may change without notice; the configuration can spell out others.

use super::{IdentitySource, Preset, Quirks, RevocationMethod};
use crate::provider::Flow;

pub(super) const ANTHROPIC: Preset = Preset {
    name: "anthropic",
    title: "Anthropic",
    documentation: &["https://code.claude.com/docs/en/authentication"],
    issuer: None,
    authorization_endpoint: Some("https://claude.ai/oauth/authorize"),
    device_authorization_endpoint: None,
    revocation_endpoint: None,
    token_endpoint: Some("https://platform.claude.com/v1/oauth/token"),
    user_endpoint: None,
    jwks_uri: None,
    redirect_uri: Some("https://platform.claude.com/oauth/code/callback"),
    scopes: &["user:profile", "user:inference"],
    // Asks the callback page to show the code instead of passing it on.
    params: &[("code", "true")],
    flows: &[Flow::Paste],
    client_auth: None,
    identity: IdentitySource::TokenAnswer,
    revocation: RevocationMethod::None,
    quirks: Quirks { json_token_requests: true, state_in_token_request: true, ..Quirks::NONE },
    domains: &["anthropic.com"],
    api_key_variables: &["ANTHROPIC_API_KEY"],
    auth_token_variables: &["ANTHROPIC_AUTH_TOKEN"],
    limits: &["An API key goes into the header x-api-key, a token into Authorization."],
};
