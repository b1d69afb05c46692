//! `[provider.endpoints]`: the app's local providers, which have tiers and credentials too.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};
use url::Url;

use super::known::{Section, is_reserved};
use super::origin::Sourced;
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
}

/// Reads the entries that are tables; the app may have others.
pub(super) fn read(reader: &mut Reader<'_>, endpoints: &DeTable<'_>) -> BTreeMap<ProviderId, EndpointConfig> {
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
        read.insert(id, EndpointConfig { url: fields.take("url"), auth_key: fields.take("auth_key") });
    }
    read
}
