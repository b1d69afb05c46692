//! What the store holds for one account.

use crate::account::ProviderId;
use crate::config::Config;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;
use crate::status::ConnectionState;
use crate::store::StaticKind;
use crate::store::vault::StoredCredential;

/// What the store holds for one account: each is `None` where it is not there, and an error where it is there and cannot
/// be used.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// Its API key.
    pub api_key: Option<Result<Secret>>,
    /// Its auth token.
    pub auth_token: Option<Result<Secret>>,
    /// The state of its connection.
    pub connection: Option<Result<ConnectionState>>,
}

impl Holdings {
    /// Those of one account with this `config`, out of the static credentials that are stored for it, and its connection.
    pub fn new(
        config: &Config,
        stored: Vec<StoredCredential>,
        connection: Option<Result<ConnectionState>>,
    ) -> Self {
        let mut held = Self { connection, ..Self::default() };
        for credential in stored {
            let kind = credential.kind;
            let secret = recognise(config, credential);
            match kind {
                StaticKind::ApiKey => held.api_key = Some(secret),
                StaticKind::AuthToken => held.auth_token = Some(secret),
            }
        }
        held
    }

    pub(super) fn of_kind(&self, kind: StaticKind) -> Option<&Result<Secret>> {
        match kind {
            StaticKind::ApiKey => self.api_key.as_ref(),
            StaticKind::AuthToken => self.auth_token.as_ref(),
        }
    }
}

/// The resource server that `config` names for `provider`. A static credential is bound to it when it is stored.
pub fn base_url(config: &Config, provider: &ProviderId) -> Option<String> {
    let configured = config.providers().get(provider).and_then(|configured| configured.base_url.as_deref());
    let endpoint = config.endpoints().get(provider).and_then(|endpoint| endpoint.url.as_deref());
    configured.cloned().or_else(|| endpoint.map(ToString::to_string))
}

/// A checkout must not steal keys: one that was stored for another resource server is none of ours.
pub fn recognise(config: &Config, credential: StoredCredential) -> Result<Secret> {
    let StoredCredential { account, kind, secret, .. } = credential;
    let bound = secret?;
    if bound.base_url == base_url(config, &account.provider) {
        return Ok(bound.secret);
    }
    let (noun, option) = (kind.noun(), kind.option());
    let message =
        format!("the {noun} of {account} was stored for another server than the configuration has now");
    let advice = format!(
        "Check where this configuration file comes from; if it is right, run `loomkin-auth key set {account}{option} --replace`."
    );
    Err(Error::new(ErrorCode::NotConnected, message).with_advice(advice).with_account(&account))
}
