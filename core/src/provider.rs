//! An authorization server together with our registration at it.
//!
//! A [`ProviderBuilder`] holds what the configuration says; [`ProviderBuilder::build`] joins it with the preset and,
//! where an issuer is to be discovered, with its metadata, and yields a [`Provider`] that can be used as it is.

mod algorithm;
mod binding;
mod builder;
mod client_auth;
mod endpoint;
#[cfg(test)]
pub(crate) mod fixture;
mod metadata;
mod preset;
mod scope;

use std::fmt;

use url::Url;

pub use algorithm::SignatureAlgorithm;
pub use binding::Binding;
pub use builder::{ProviderBuilder, Registration};
pub use client_auth::{ClientAuth, OfferedMethods};
pub use endpoint::{Endpoints, read_endpoint, read_redirect_uri};
pub use metadata::Metadata;
pub use preset::{IdentitySource, PRESETS, Preset, Quirks, RevocationMethod};
pub use scope::{Covers, asks_for_id_token, is_scope, join_scopes, missing_scopes};

use crate::account::ProviderId;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// An authorization server and our registration there, checked: every address is https or loopback, every scope is
/// well formed, and there is a token endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provider {
    /// Its name in the configuration.
    pub id: ProviderId,
    /// The issuer identifier (RFC 8414 §2), compared character by character; `None` where nobody states it.
    pub issuer: Option<String>,
    /// Where codes and refresh tokens are exchanged (RFC 6749 §3.2).
    pub token_endpoint: Url,
    /// The other endpoints, as far as the server has them.
    pub endpoints: Endpoints,
    /// The identifier of our registration (RFC 6749 §2.2).
    pub client_id: String,
    /// The secret of our registration; `None` for a public client (RFC 6749 §2.1).
    pub client_secret: Option<Secret>,
    /// How the secret is presented at the token endpoint, and at the device authorization endpoint.
    pub client_auth: ClientAuth,
    /// How the secret is presented at the revocation endpoint.
    pub revocation_auth: ClientAuth,
    /// The redirect URI, where the provider or the configuration fixes it.
    pub redirect_uri: Option<String>,
    /// The name of this device on the server's pages, sent along with a device authorization request.
    pub device_name: Option<String>,
    /// What every login asks for (RFC 6749 §3.3).
    pub scopes: Vec<String>,
    /// Extra parameters of the authorization request, in the order in which they are sent.
    pub params: Vec<(String, String)>,
    /// The flows that the server offers.
    pub flows: Vec<Flow>,
    /// Who says whose account it is.
    pub identity: IdentitySource,
    /// How a grant is ended at the server.
    pub revocation: RevocationMethod,
    /// Where the server departs from the specifications.
    pub quirks: Quirks,
    /// Whether the server promises `iss` in every authorization response (RFC 9207 §3).
    pub promises_iss: bool,
    /// The algorithms that the server may sign ID tokens by, as far as they are known here; `None` where it does not say.
    pub id_token_algorithms: Option<Vec<SignatureAlgorithm>>,
    /// The resource server, handed through to the app.
    pub base_url: Option<String>,
}

impl Provider {
    /// The authorization endpoint (RFC 6749 §3.1).
    ///
    /// # Errors
    ///
    /// `config_invalid` where the server has none: it offers no flow with a redirect.
    pub fn authorization_endpoint(&self) -> Result<&Url> {
        self.endpoints.authorization.as_ref().ok_or_else(|| {
            Error::new(ErrorCode::ConfigInvalid, "the provider has no authorization endpoint")
                .with_advice("Set authorization_endpoint or issuer, or choose the device flow.")
                .with_provider(&self.id)
        })
    }

    /// The device authorization endpoint (RFC 8628 §3.1).
    ///
    /// # Errors
    ///
    /// `config_invalid` where nobody names one.
    pub fn device_authorization_endpoint(&self) -> Result<&Url> {
        self.endpoints.device_authorization.as_ref().ok_or_else(|| {
            Error::new(ErrorCode::ConfigInvalid, "the provider has no device authorization endpoint")
                .with_advice("Set device_authorization_endpoint if it has one, or choose another flow.")
                .with_provider(&self.id)
        })
    }

    /// Whether `issuer` is this server's own, or one of the other names it is known to use for itself.
    pub fn is_issued_by(&self, issuer: &str) -> bool {
        self.issuer.as_deref() == Some(issuer)
            || self.issuer.is_some() && self.quirks.issuer_aliases.contains(&issuer)
    }

    /// Whether an ID token may be signed by `algorithm`. Where the server names none, by each that leaves the secret half
    /// of the key with the server; by the client secret only where it names nothing else.
    pub fn signs_by(&self, algorithm: SignatureAlgorithm) -> bool {
        match &self.id_token_algorithms {
            None => !algorithm.is_symmetric(),
            Some(named) if algorithm.is_symmetric() => {
                self.signs_by_client_secret() && named.contains(&algorithm)
            }
            Some(named) => named.contains(&algorithm),
        }
    }

    /// Whether ID tokens are signed by the client secret alone, so that no published key has anything to do with it.
    pub fn signs_by_client_secret(&self) -> bool {
        self.id_token_algorithms
            .as_ref()
            .is_some_and(|named| !named.is_empty() && named.iter().all(|one| one.is_symmetric()))
    }

    /// Whether an ID token of this server could be checked, as far as its metadata says: a code is not to be spent on one
    /// that must be refused.
    ///
    /// # Errors
    ///
    /// `server_misbehaved` where the server has keys, and names no algorithm that is known here; and where it signs by a
    /// client secret alone, and there is none.
    pub fn check_signing(&self) -> Result<()> {
        let names_none_known = self.id_token_algorithms.as_ref().is_some_and(Vec::is_empty);
        let what = if names_none_known && self.endpoints.keys.is_some() {
            "by algorithms that are not known here"
        } else if self.signs_by_client_secret() && self.client_secret.is_none() {
            "with a client secret, and there is none"
        } else {
            return Ok(());
        };
        let message = format!("the provider signs ID tokens only {what}");
        Err(Error::new(ErrorCode::ServerMisbehaved, message)
            .with_advice("Ask the provider to sign ID tokens for this client with RS256 or ES256.")
            .with_provider(&self.id))
    }
}

/// A way to a grant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Flow {
    /// A code shown here and typed in elsewhere (RFC 8628).
    Device,
    /// A redirect to the web app that began the login.
    Hosted,
    /// A redirect to this machine (RFC 8252 §7.3).
    Loopback,
    /// A redirect to a page of the provider's, which shows a code to copy.
    Paste,
}

impl Flow {
    /// The name that the configuration uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Hosted => "hosted",
            Self::Loopback => "loopback",
            Self::Paste => "paste",
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
