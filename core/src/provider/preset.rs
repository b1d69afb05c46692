//! What is publicly known about some providers: endpoints, scopes and departures from the specifications.
//!
//! A preset never holds a client identifier: registering an application is the app's business. Each file cites the
//! provider's documentation and the day it was read.

mod anthropic;
mod codeberg;
mod github;
mod gitlab;
mod google;
mod openai;
mod zai;

use url::Url;

use super::{ClientAuth, Covers, Endpoints, Flow};

/// One provider's public facts. The texts are checked by a test, not at run time.
#[derive(Debug)]
#[non_exhaustive]
pub struct Preset {
    /// The name that the configuration uses.
    pub name: &'static str,
    /// The name that people use.
    pub title: &'static str,
    /// Where these facts are documented; the day they were read is in the source.
    pub documentation: &'static [&'static str],
    /// The issuer identifier, where the provider has one. One without endpoints is discovered.
    pub issuer: Option<&'static str>,
    /// The authorization endpoint.
    pub authorization_endpoint: Option<&'static str>,
    /// The device authorization endpoint.
    pub device_authorization_endpoint: Option<&'static str>,
    /// The revocation endpoint, of the kind that `revocation` says.
    pub revocation_endpoint: Option<&'static str>,
    /// The token endpoint.
    pub token_endpoint: Option<&'static str>,
    /// The endpoint that says whose account it is.
    pub user_endpoint: Option<&'static str>,
    /// Where its keys are.
    pub jwks_uri: Option<&'static str>,
    /// The redirect URI, where the provider fixes it.
    pub redirect_uri: Option<&'static str>,
    /// The scopes that are asked for when the configuration names none.
    pub scopes: &'static [&'static str],
    /// Extra parameters of the authorization request.
    pub params: &'static [(&'static str, &'static str)],
    /// The flows it offers; none means that it takes API keys only.
    pub flows: &'static [Flow],
    /// How it wants a client secret; `None` leaves it to the metadata.
    pub client_auth: Option<ClientAuth>,
    /// Who says whose account it is.
    pub identity: IdentitySource,
    /// How a grant is ended.
    pub revocation: RevocationMethod,
    /// Where it departs from the specifications.
    pub quirks: Quirks,
    /// The domains that its resource servers are in.
    pub domains: &'static [&'static str],
    /// The environment variables that its own tools read an API key from, the one that counts first.
    pub api_key_variables: &'static [&'static str],
    /// The same for a bearer token.
    pub auth_token_variables: &'static [&'static str],
    /// What is to be known of its credentials before one is used, in whole sentences.
    pub limits: &'static [&'static str],
}

/// Every preset, sorted by name.
pub const PRESETS: [&Preset; 7] = [
    &anthropic::ANTHROPIC,
    &codeberg::CODEBERG,
    &github::GITHUB,
    &gitlab::GITLAB,
    &google::GOOGLE,
    &openai::OPENAI,
    &zai::ZAI,
];

impl Preset {
    /// The preset called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        PRESETS.into_iter().find(|preset| preset.name == name)
    }

    /// Whether `host` is one of its resource servers.
    pub fn serves(&self, host: &str) -> bool {
        let is_in = |domain: &&str| {
            host.strip_suffix(*domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.domains.iter().any(is_in)
    }

    /// Its endpoints as addresses.
    pub fn endpoints(&self) -> Endpoints {
        // A test parses every one of these texts, so none is lost here.
        let url = |text: Option<&str>| text.and_then(|text| Url::parse(text).ok());
        Endpoints {
            authorization: url(self.authorization_endpoint),
            device_authorization: url(self.device_authorization_endpoint),
            keys: url(self.jwks_uri),
            revocation: url(self.revocation_endpoint),
            token: url(self.token_endpoint),
            user: url(self.user_endpoint),
        }
    }
}

/// Who says whose account it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IdentitySource {
    /// Forgejo's and Gitea's user resource: `id`, `login`.
    ForgejoUser,
    /// GitHub's user resource: `id`, `login`.
    GitHubUser,
    /// GitLab's user resource: `id`, `username`.
    GitLabUser,
    /// Nobody; such accounts cannot be told apart.
    None,
    /// The ID token (OpenID Connect Core §2) and the userinfo endpoint (§5.3), as far as there are any.
    OpenId,
    /// Objects beside the tokens: `account`, `user`, `organization`.
    TokenAnswer,
}

/// How a grant is ended at the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationMethod {
    /// GitHub's `DELETE /applications/{client_id}/grant`.
    GitHubGrant,
    /// Not at all: the person does it in the provider's settings.
    None,
    /// The revocation endpoint of RFC 7009.
    Rfc7009,
}

/// Departures from the specifications, each off by default.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Quirks {
    /// It promises `iss` in authorization responses (RFC 9207) and leaves it out of those with an `error`.
    pub error_redirects_lack_iss: bool,
    /// It answers a quick repeat of a refresh as it answered the first: a lost answer may be asked for again at once.
    pub forgives_repeat: bool,
    /// Other spellings of its issuer that it puts into ID tokens.
    pub issuer_aliases: &'static [&'static str],
    /// Its token endpoint wants JSON where RFC 6749 Appendix B asks for a form.
    pub json_token_requests: bool,
    /// What its token answers leave out because another scope in them covers it.
    pub scope_covers: &'static [Covers],
    /// Its token endpoint wants to see the `state` beside the code.
    pub state_in_token_request: bool,
}

impl Quirks {
    /// None at all.
    pub const NONE: Self = Self {
        error_redirects_lack_iss: false,
        forgives_repeat: false,
        issuer_aliases: &[],
        json_token_requests: false,
        scope_covers: &[],
        state_in_token_request: false,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{RevocationMethod, read_endpoint, read_redirect_uri};

    #[test]
    fn every_preset_is_found_by_its_name_and_they_are_sorted() {
        let names = PRESETS.map(|preset| preset.name);
        assert!(names.is_sorted());
        for preset in PRESETS {
            assert_eq!(Preset::find(preset.name).unwrap().title, preset.title);
            assert!(!preset.documentation.is_empty(), "{}", preset.name);
        }
    }

    #[test]
    fn the_configuration_knows_the_same_presets() {
        let schema = crate::config::Config::json_schema();
        let known = &schema["definitions"]["provider"]["properties"]["preset"]["anyOf"][0]["enum"];
        assert_eq!(*known, serde_json::json!(PRESETS.map(|preset| preset.name)));
    }

    #[test]
    fn every_text_of_a_preset_is_an_address() {
        for preset in PRESETS {
            let texts = [
                preset.issuer,
                preset.authorization_endpoint,
                preset.device_authorization_endpoint,
                preset.revocation_endpoint,
                preset.token_endpoint,
                preset.user_endpoint,
                preset.jwks_uri,
            ];
            for text in texts.into_iter().flatten() {
                assert_eq!(read_endpoint("x", text).unwrap().scheme(), "https", "{text}");
            }
            assert!(preset.redirect_uri.is_none_or(|text| read_redirect_uri(text).is_ok()));
        }
    }

    #[test]
    fn a_preset_is_whole() {
        for preset in PRESETS {
            let name = preset.name;
            let endpoints = preset.endpoints();
            let discovered = preset.issuer.is_some() && endpoints == Endpoints::default();
            assert_eq!(preset.flows.is_empty(), endpoints.token.is_none() && !discovered, "{name}");
            assert_eq!(preset.revocation == RevocationMethod::None, endpoints.revocation.is_none(), "{name}");
            for flow in preset.flows {
                match flow {
                    Flow::Device => assert!(endpoints.device_authorization.is_some(), "{name}"),
                    Flow::Hosted | Flow::Loopback => {
                        assert!(endpoints.authorization.is_some() || discovered, "{name}");
                    }
                    Flow::Paste => assert!(preset.redirect_uri.is_some(), "{name}"),
                }
            }
        }
    }
}
