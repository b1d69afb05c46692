//! `[provider.endpoints]`: the app's local providers, which have tiers and credentials too.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};
use url::Url;

use super::choice::AuthMode;
use super::known::{Section, is_reserved};
use super::mode;
use super::origin::Sourced;
use super::provider::ProviderConfig;
use super::reader::{Reader, Table};
use super::row::join;
use super::text::clip;
use crate::account::ProviderId;
use crate::secret::Secret;

/// An entry of `[provider.endpoints]`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointConfig {
    /// Where it is.
    pub url: Option<Sourced<Url>>,
    /// The key that it asks for.
    pub auth_key: Option<Sourced<Secret>>,
    /// The environment variable to look for that key in.
    pub auth_key_env: Option<Sourced<String>>,
    /// The kind of credential that it uses, where a tier does not say.
    pub auth_mode: Option<Sourced<AuthMode>>,
}

/// Reads the entries that are tables; the app may have others. `providers` are those of `[auth]`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    endpoints: &DeTable<'_>,
    providers: &BTreeMap<ProviderId, ProviderConfig>,
) -> BTreeMap<ProviderId, EndpointConfig> {
    let mut read = BTreeMap::new();
    for (name, value) in endpoints {
        let DeValue::Table(table) = value.get_ref() else { continue };
        let (path, at) = (join("provider.endpoints", name.get_ref()), name.span().start);
        let id = match ProviderId::new(name.get_ref().as_ref()) {
            Ok(id) if !is_reserved(id.as_str()) => id,
            _ => {
                reader.note(
                    at,
                    format!("no credential can be had for `{}`: no provider can be called that", clip(name.get_ref())),
                    "Rename it, if it needs one: lower-case letters, digits, '-', '_' and '.', no name that [auth] uses.",
                );
                continue;
            }
        };
        let mut fields = reader.fields(Section::Endpoint, Table { path: &path, at, table });
        if fields.has_value("auth_key") && providers.get(&id).is_some_and(|other| other.api_key.is_some()) {
            reader.problem(
                fields.key_at("auth_key"),
                format!("`auth_key` and the `api_key` of [auth.{id}] are two keys of one provider"),
                "Keep one of the two.",
            );
        }
        if fields.has_value("auth_key_env")
            && providers.get(&id).is_some_and(|other| other.api_key_env.is_some())
        {
            reader.problem(
                fields.key_at("auth_key_env"),
                format!("`auth_key_env` and the `api_key_env` of [auth.{id}] are two variables for one key"),
                "Keep one of the two.",
            );
        }
        let endpoint = EndpointConfig {
            url: fields.take("url"),
            auth_key: fields.take("auth_key"),
            auth_key_env: fields.take("auth_key_env"),
            auth_mode: mode::read(reader, &mut fields, &path).wanted,
        };
        read.insert(id, endpoint);
    }
    read
}
