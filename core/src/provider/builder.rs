//! From the configuration's words, a preset and a server's metadata to a provider.

use std::collections::BTreeSet;

use url::Url;

use super::{
    Binding, ClientAuth, Endpoints, Flow, IdentitySource, Metadata, Preset, Provider, Quirks,
    RevocationMethod, discovery_urls, read_redirect_uri,
};
use crate::account::ProviderId;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// What the provider knows us by, and what we ask of it.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// The client identifier (RFC 6749 §2.2).
    pub client_id: String,
    /// The client secret; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// How the secret is presented; `None` lets the preset and the metadata decide.
    pub client_auth: Option<ClientAuth>,
    /// The redirect URI, where it is fixed.
    pub redirect_uri: Option<String>,
    /// The scopes; `None` means the preset's.
    pub scopes: Option<Vec<String>>,
    /// Extra parameters of the authorization request.
    pub params: Vec<(String, String)>,
}

/// What is known of a provider before its metadata has been read.
#[derive(Clone, Debug)]
pub struct ProviderBuilder {
    /// Its name in the configuration.
    pub id: ProviderId,
    /// The preset whose endpoints and quirks apply.
    pub preset: Option<&'static Preset>,
    /// The issuer to discover.
    pub issuer: Option<String>,
    /// The endpoints that are spelled out; they win over discovered ones, and those over the preset's.
    pub endpoints: Endpoints,
    /// Our registration.
    pub registration: Registration,
    /// The resource server.
    pub base_url: Option<String>,
}

impl ProviderBuilder {
    /// A provider of which only the name, the preset and the registration are known.
    pub fn new(id: ProviderId, preset: Option<&'static Preset>, registration: Registration) -> Self {
        Self { id, preset, issuer: None, endpoints: Endpoints::default(), registration, base_url: None }
    }

    /// Where its metadata may be, in the order to try; empty when nothing has to be discovered.
    ///
    /// # Errors
    ///
    /// `config_invalid` when the issuer is not one.
    pub fn discovery_urls(&self) -> Result<Vec<Url>> {
        match &self.issuer {
            Some(issuer) if self.endpoints.token.is_none() => {
                discovery_urls(issuer).map_err(|error| error.with_provider(&self.id))
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What a connection made with this configuration remembers. It needs no network, so that a configuration that
    /// points elsewhere is noticed before anything is sent.
    pub fn binding(&self) -> Binding {
        let issuer = self.issuer.clone().or_else(|| self.preset_in_force()?.issuer.map(str::to_owned));
        let endpoints = self.endpoints.clone().or(self.preset_endpoints());
        Binding::new(issuer, &endpoints, &self.registration.client_id, self.base_url.as_deref())
    }

    /// Joins the configuration, the `metadata` where some was read, and the preset.
    ///
    /// # Errors
    ///
    /// `config_invalid` when something that is needed is missing or malformed.
    pub fn build(self, metadata: Option<&Metadata>) -> Result<Provider> {
        let id = self.id.clone();
        self.join(metadata).map_err(|error| error.with_provider(&id))
    }

    fn join(self, metadata: Option<&Metadata>) -> Result<Provider> {
        let in_force = self.preset_in_force();
        let endpoints = self.endpoints.clone();
        let endpoints = match metadata {
            Some(metadata) => endpoints.or(metadata.endpoints.clone()),
            None => endpoints,
        };
        let endpoints = endpoints.or(self.preset_endpoints());
        let token_endpoint = endpoints.token.clone().ok_or_else(|| match self.preset {
            Some(preset) if preset.flows.is_empty() => invalid(
                "the provider takes API keys only",
                "Set api_key for it; there is nothing to connect.",
            ),
            _ => invalid(
                "the provider has no token endpoint",
                "Set issuer, or authorization_endpoint and token_endpoint.",
            ),
        })?;

        let Registration { client_id, client_secret, client_auth, redirect_uri, scopes, params } =
            self.registration;
        if client_id.is_empty() || client_id.chars().any(char::is_control) {
            return Err(invalid(
                "the provider has no client_id",
                "Register an application with the provider and set its client_id.",
            ));
        }
        let scopes = match (scopes, self.preset) {
            (Some(scopes), _) => scopes,
            (None, Some(preset)) => preset.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            (None, None) => Vec::new(),
        };
        check_scopes(&scopes)?;
        let redirect_uri = redirect_uri.or_else(|| Some(self.preset?.redirect_uri?.to_owned()));
        let issuer = metadata.map(|metadata| metadata.issuer.clone()).or(self.issuer);

        Ok(Provider {
            id: self.id,
            issuer: issuer.or_else(|| in_force?.issuer.map(str::to_owned)),
            token_endpoint,
            client_id,
            client_secret: client_secret.filter(|secret| !secret.is_empty()),
            client_auth: client_auth
                .or_else(|| self.preset?.client_auth)
                .or_else(|| metadata?.client_auth)
                .unwrap_or(ClientAuth::Basic),
            redirect_uri: redirect_uri.as_deref().map(read_redirect_uri).transpose()?,
            scopes,
            params: join_params(self.preset, params)?,
            flows: match self.preset {
                Some(preset) => preset.flows.to_vec(),
                None => flows_of(&endpoints),
            },
            identity: self.preset.map_or(IdentitySource::OpenId, |preset| preset.identity),
            revocation: match self.preset.map(|preset| preset.revocation) {
                Some(RevocationMethod::None) | None if endpoints.revocation.is_some() => {
                    RevocationMethod::Rfc7009
                }
                Some(method) if endpoints.revocation.is_some() => method,
                _ => RevocationMethod::None,
            },
            endpoints,
            quirks: self.preset.map_or_else(Quirks::default, |preset| preset.quirks),
            promises_iss: metadata.is_some_and(|metadata| metadata.promises_iss),
            base_url: self.base_url,
        })
    }

    /// The preset, as long as the configuration does not name another server than the preset's.
    ///
    /// The endpoints of a preset come together or not at all: with a company's own GitLab in the token endpoint,
    /// gitlab.com must not be asked who its token belongs to.
    fn preset_in_force(&self) -> Option<&'static Preset> {
        let preset = self.preset?;
        let theirs = preset.endpoints();
        let elsewhere = self.endpoints.named().into_iter().zip(theirs.named()).any(|((_, ours), (_, theirs))| {
            matches!((ours, theirs), (Some(ours), Some(theirs)) if ours.origin() != theirs.origin())
        });
        let other_issuer = self.issuer.is_some() && self.issuer.as_deref() != preset.issuer;
        if elsewhere || other_issuer { None } else { Some(preset) }
    }

    fn preset_endpoints(&self) -> Endpoints {
        self.preset_in_force().map(Preset::endpoints).unwrap_or_default()
    }
}

/// What the flows set themselves (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core §3.1.2.1, §6) and a
/// configuration may therefore not.
pub(crate) const RESERVED_PARAMS: [&str; 11] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_type",
    "scope",
    "state",
];

fn join_params(preset: Option<&Preset>, params: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    if let Some((name, _)) = params.iter().find(|(name, _)| RESERVED_PARAMS.contains(&name.as_str())) {
        return Err(invalid(
            format!("params may not set {name}"),
            "Leave it out; it is set for you, or has a key of its own.",
        ));
    }
    let ours: BTreeSet<_> = params.iter().map(|(name, _)| name.clone()).collect();
    let theirs = preset.map_or(&[][..], |preset| preset.params);
    let mut joined: Vec<_> = theirs
        .iter()
        .filter(|(name, _)| !ours.contains(*name))
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    joined.extend(params);
    Ok(joined)
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
fn check_scopes(scopes: &[String]) -> Result<()> {
    let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if scopes.iter().all(|scope| !scope.is_empty() && scope.bytes().all(allowed)) {
        return Ok(());
    }
    Err(invalid(
        "scopes has an entry that is not a scope",
        "Write one scope per entry, without white space or quotes.",
    ))
}

fn flows_of(endpoints: &Endpoints) -> Vec<Flow> {
    let mut flows = Vec::new();
    if endpoints.authorization.is_some() {
        flows.push(Flow::Loopback);
        flows.push(Flow::Hosted);
    }
    if endpoints.device_authorization.is_some() {
        flows.push(Flow::Device);
    }
    flows
}

fn invalid(message: impl Into<String>, advice: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, message).with_advice(advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::fixture::builder;
    use crate::provider::read_endpoint;

    fn url(text: &str) -> Option<Url> {
        Some(read_endpoint("x", text).unwrap())
    }

    #[test]
    fn a_preset_is_enough_beside_a_client_id() {
        let provider = builder(Preset::find("google")).build(None).unwrap();
        assert_eq!(provider.token_endpoint.as_str(), "https://oauth2.googleapis.com/token");
        assert_eq!(provider.scopes, ["openid", "email"]);
        assert!(
            provider.is_issued_by("https://accounts.google.com")
                && provider.is_issued_by("accounts.google.com")
        );
        assert!(!provider.is_issued_by("https://accounts.google.com/"));
        assert!(!format!("{provider:?}").contains("canary"));
    }

    #[test]
    fn endpoints_of_another_server_bring_none_of_the_presets_along() {
        let mut ours = builder(Preset::find("gitlab"));
        ours.endpoints.token = url("https://git.example.com/oauth/token");
        ours.endpoints.authorization = url("https://git.example.com/oauth/authorize");
        let provider = ours.build(None).unwrap();
        assert_eq!(provider.endpoints.user, None);
        assert_eq!(provider.endpoints.revocation, None);
        assert_eq!(provider.revocation, RevocationMethod::None);
        assert_eq!(provider.issuer, None);
        assert_eq!(provider.identity, IdentitySource::GitLabUser);

        let mut same = builder(Preset::find("gitlab"));
        same.endpoints.token = url("https://gitlab.com/oauth/token2");
        let provider = same.build(None).unwrap();
        assert_eq!(provider.token_endpoint.path(), "/oauth/token2");
        assert_eq!(provider.endpoints.user.unwrap().path(), "/api/v4/user");
    }

    #[test]
    fn spelled_out_endpoints_win_over_discovered_ones() {
        let document = br#"{"issuer":"https://id.example.com","token_endpoint":"https://id.example.com/t",
            "revocation_endpoint":"https://id.example.com/r"}"#;
        let metadata = Metadata::read(document, "https://id.example.com").unwrap();
        let mut ours = builder(None);
        ours.issuer = Some("https://id.example.com".to_owned());
        assert_eq!(ours.discovery_urls().unwrap().len(), 2);
        ours.endpoints.revocation = url("https://id.example.com/mine");
        let provider = ours.build(Some(&metadata)).unwrap();
        assert_eq!(provider.token_endpoint.path(), "/t");
        assert_eq!(provider.endpoints.revocation.unwrap().path(), "/mine");
        assert_eq!(provider.revocation, RevocationMethod::Rfc7009);
        assert_eq!(provider.issuer.as_deref(), Some("https://id.example.com"));
    }

    #[test]
    fn what_is_missing_or_malformed_is_said() {
        let refused = |change: fn(&mut ProviderBuilder)| {
            let mut builder = builder(Preset::find("github"));
            change(&mut builder);
            let error = builder.build(None).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ConfigInvalid);
            error.message().to_owned()
        };
        assert_eq!(refused(|it| it.preset = None), "the provider has no token endpoint");
        assert_eq!(refused(|it| it.preset = Preset::find("zai")), "the provider takes API keys only");
        assert_eq!(refused(|it| it.registration.client_id.clear()), "the provider has no client_id");
        assert_eq!(
            refused(|it| it.registration.scopes = Some(vec!["two words".to_owned()])),
            "scopes has an entry that is not a scope"
        );
        assert_eq!(
            refused(|it| it.registration.params = vec![("state".to_owned(), "x".to_owned())]),
            "params may not set state"
        );
        assert!(
            refused(|it| it.registration.redirect_uri = Some("/x".to_owned())).starts_with("redirect_uri")
        );
    }

    #[test]
    fn our_params_replace_the_presets() {
        let mut ours = builder(Preset::find("google"));
        ours.registration.params = vec![("prompt".to_owned(), "select_account".to_owned())];
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            ours.build(None).unwrap().params,
            [pair("access_type", "offline"), pair("prompt", "select_account")]
        );
    }

    #[test]
    fn an_empty_secret_is_a_public_client() {
        let mut ours = builder(Preset::find("github"));
        ours.registration.client_secret = Some(Secret::new(""));
        assert!(ours.build(None).unwrap().client_secret.is_none());
    }
}
