//! Z.ai, which takes API keys only.
//!
//! <https://docs.z.ai/api-reference/introduction>, read 2026-11-21: keys as bearer tokens, no OAuth for third parties.
//! <https://docs.z.ai/guides/develop/openai/python>, read the same day: the variable.

use super::{IdentitySource, Preset, Quirks, RevocationMethod};

pub(super) const ZAI: Preset = Preset {
    name: "zai",
    title: "Z.ai",
    documentation: &["https://docs.z.ai/api-reference/introduction"],
    issuer: None,
    authorization_endpoint: None,
    device_authorization_endpoint: None,
    revocation_endpoint: None,
    token_endpoint: None,
    user_endpoint: None,
    jwks_uri: None,
    redirect_uri: None,
    scopes: &[],
    params: &[],
    flows: &[],
    client_auth: None,
    identity: IdentitySource::None,
    revocation: RevocationMethod::None,
    quirks: Quirks::NONE,
    domains: &["z.ai", "bigmodel.cn"],
    api_key_variables: &["ZAI_API_KEY"],
    auth_token_variables: &[],
    limits: &["It has no OAuth; an API key is all it takes."],
};
