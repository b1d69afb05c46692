//! From the configuration's words, a preset and a server's metadata to a provider.

use std::collections::BTreeSet;

use url::Url;

use super::{
    Binding, ClientAuth, Endpoints, Flow, IdentitySource, Metadata, Preset, Provider, Quirks,
    RevocationMethod, asks_for_id_token, is_scope, metadata, read_redirect_uri,
};
use crate::account::ProviderId;
use crate::config::RESERVED_PARAMETERS;
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
    /// The name of this device on the provider's pages.
    pub device_name: Option<String>,
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
        match self.issuer_to_discover() {
            Some(issuer) => metadata::discovery_urls(issuer, self.wants_id_token())
                .map_err(|error| error.with_provider(&self.id)),
            None => Ok(Vec::new()),
        }
    }

    /// The issuer whose metadata is needed: the configured one, or that of a preset that leaves its endpoints to its
    /// metadata. None when the token endpoint is known without.
    pub fn issuer_to_discover(&self) -> Option<&str> {
        if self.endpoints.token.is_some() {
            return None;
        }
        match (&self.issuer, self.preset_in_force()) {
            (_, Some(preset)) if preset.token_endpoint.is_none() => preset.issuer,
            (issuer, _) => issuer.as_deref(),
        }
    }

    /// Whether a login asks for an ID token (OpenID Connect Core §3.1.2.1), unless the person asks for more.
    fn wants_id_token(&self) -> bool {
        asks_for_id_token(&self.scopes())
    }

    /// What every login asks for: the configured scopes, or else the preset's. Like the binding, it needs no network.
    pub fn scopes(&self) -> Vec<String> {
        let theirs = self.preset.map_or(&[][..], |preset| preset.scopes);
        let configured = self.registration.scopes.clone();
        configured.unwrap_or_else(|| theirs.iter().map(|scope| (*scope).to_owned()).collect())
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
        let (client_auth, revocation_auth) = self.choose_client_auth(metadata)?;
        let flows = match self.preset {
            Some(preset) => preset.flows.to_vec(),
            None => self.flows_of(&endpoints, metadata),
        };
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

        let scopes = self.scopes();
        let Registration { client_id, client_secret, redirect_uri, device_name, params, .. } =
            self.registration;
        if client_id.is_empty() || client_id.chars().any(char::is_control) {
            return Err(invalid(
                "the provider has no client_id",
                "Register an application with the provider and set its client_id.",
            ));
        }
        check_scopes(&scopes)?;
        let redirect_uri = redirect_uri.or_else(|| Some(self.preset?.redirect_uri?.to_owned()));
        let issuer = metadata.map(|metadata| metadata.issuer.clone()).or(self.issuer);

        Ok(Provider {
            id: self.id,
            issuer: issuer.or_else(|| in_force?.issuer.map(str::to_owned)),
            token_endpoint,
            client_id,
            client_secret: client_secret.filter(|secret| !secret.is_empty()),
            client_auth,
            revocation_auth,
            redirect_uri: redirect_uri.as_deref().map(read_redirect_uri).transpose()?,
            device_name: device_name.filter(|name| !name.is_empty()),
            scopes,
            params: join_params(self.preset, params)?,
            flows,
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
            id_token_algorithms: metadata.and_then(|metadata| metadata.id_token_algorithms.clone()),
            base_url: self.base_url,
        })
    }

    /// How the secret is presented at the token and at the revocation endpoint: by the configuration, else by the preset,
    /// else by the metadata, else in the header.
    ///
    /// Where nothing is listed for revocations, they follow the token endpoint and not the default of RFC 8414 §2: a
    /// registration has one method (RFC 7591 §2), and that one works there.
    fn choose_client_auth(&self, metadata: Option<&Metadata>) -> Result<(ClientAuth, ClientAuth)> {
        let registration = &self.registration;
        if let Some(decided) = registration.client_auth.or_else(|| self.preset?.client_auth) {
            return Ok((decided, decided));
        }
        let is_public = registration.client_secret.as_ref().is_none_or(Secret::is_empty);
        let at_token_endpoint = match metadata.and_then(|metadata| metadata.token_auth.as_ref()) {
            Some(offered) if !is_public => offered.preferred().ok_or_else(|| {
                let words = offered.words();
                invalid(
                    format!("the provider takes no client secret as it is presented here; it offers {words}"),
                    "Take client_secret out if the registration is public, or set auth_method if the provider takes it \
                     all the same.",
                )
            })?,
            _ => ClientAuth::Basic,
        };
        let at_revocation = metadata.and_then(|metadata| metadata.revocation_auth.as_ref()?.preferred());
        Ok((at_token_endpoint, at_revocation.unwrap_or(at_token_endpoint)))
    }

    /// The flows of a provider without a preset: those that have an endpoint. A device flow whose endpoint is not spelled
    /// out is not offered where the metadata lists the grants and leaves it out; it can still be asked for.
    fn flows_of(&self, endpoints: &Endpoints, metadata: Option<&Metadata>) -> Vec<Flow> {
        let mut flows = Vec::new();
        if endpoints.authorization.is_some() {
            flows.push(Flow::Loopback);
            flows.push(Flow::Hosted);
        }
        let is_spelled_out = self.endpoints.device_authorization.is_some();
        if endpoints.device_authorization.is_some()
            && (is_spelled_out || metadata.is_none_or(|metadata| metadata.grants_to_devices))
        {
            flows.push(Flow::Device);
        }
        flows
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

fn join_params(preset: Option<&Preset>, params: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    if let Some((name, _)) = params.iter().find(|(name, _)| RESERVED_PARAMETERS.contains(&name.as_str())) {
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

fn check_scopes(scopes: &[String]) -> Result<()> {
    if scopes.iter().all(|scope| is_scope(scope)) {
        return Ok(());
    }
    Err(invalid(
        "scopes has an entry that is not a scope",
        "Write one scope per entry, without white space or quotes.",
    ))
}

fn invalid(message: impl Into<String>, advice: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, message).with_advice(advice)
}

#[cfg(test)]
mod tests;
