//! The file as a whole: which of its tables are ours, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};
use url::Url;

use super::endpoint::{self, EndpointConfig};
use super::http::{self, HttpConfig};
use super::known::{FIXED_SECTIONS, Section, is_reserved};
use super::origin::Sourced;
use super::provider::{self, ProviderConfig};
use super::reader::{Item, Name, Reader, Table};
use super::refresh::{self, RefreshConfig};
use super::row::join;
use super::store::{self, StoreConfig};
use super::text::clip;
use super::tier::{self, TierConfig};
use crate::account::ProviderId;

/// What the file says, valid or not: the reader knows which.
pub(super) struct Document {
    pub(super) callback_base_url: Option<Sourced<Url>>,
    pub(super) endpoints: BTreeMap<ProviderId, EndpointConfig>,
    pub(super) http: HttpConfig,
    pub(super) providers: BTreeMap<ProviderId, ProviderConfig>,
    pub(super) refresh: RefreshConfig,
    pub(super) store: StoreConfig,
    pub(super) tiers: BTreeMap<String, TierConfig>,
}

/// Reads `[auth]`, and of the app's tables `[model]` and `[provider.endpoints]`.
pub(super) fn read(reader: &mut Reader<'_>, root: &DeTable<'_>) -> Document {
    let nothing = DeTable::new();
    let auth = entry(root, "auth").and_then(|(name, value)| Some((name, reader.table(name, value)?)));
    let (at, auth) = auth.map_or((0, &nothing), |(name, table)| (name.span().start, table));

    let mut fields = reader.fields(Section::Auth, Table { path: "auth", at, table: auth });
    let mut fixed = |section: &str| match entry(auth, section) {
        Some((name, value)) => (name.span().start, reader.table(name, value).unwrap_or(&nothing)),
        None => (at, &nothing),
    };
    let [http, refresh, store, tiers] = ["http", "refresh", "store", "tiers"].map(&mut fixed);
    let table = |path, (at, table)| Table { path, at, table };
    let http = http::read(reader, table("auth.http", http));
    let refresh = refresh::read(reader, table("auth.refresh", refresh));
    let store = store::read(reader, table("auth.store", store));

    let mut providers = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (name, value) in auth {
        let id = name.get_ref().as_ref();
        let DeValue::Table(table) = value.get_ref() else { continue };
        if FIXED_SECTIONS.iter().any(|(section, _)| *section == id) || fields.place(id).is_some() {
            continue;
        }
        names.insert(id);
        let path = join("auth", id);
        if let Some(provider) =
            provider::read(reader, id, Table { path: &path, at: name.span().start, table })
        {
            providers.insert(provider.id.clone(), provider);
        }
    }

    let models = app_table(root, "model").map(|table| tier::read_models(reader, table)).unwrap_or_default();
    let endpoints = app_table(root, "provider").and_then(|table| app_table(table, "endpoints"));
    let local = endpoints.iter().flat_map(|table| table.keys()).map(|name| name.get_ref().as_ref());
    names.extend(local.filter(|name| !is_reserved(name)));
    let below_auth = auth.iter().filter(|(name, _)| names.contains(name.get_ref().as_ref()));
    let below_endpoints = endpoints.iter().flat_map(|table| table.iter());
    note_twins(reader, below_auth.chain(below_endpoints).map(|(name, _)| name));
    let endpoints = endpoints.map(|table| endpoint::read(reader, table, &providers)).unwrap_or_default();
    let tiers = tier::read(reader, tiers.1, models, &names);
    Document {
        callback_base_url: fields.take("callback_base_url"),
        endpoints,
        http,
        providers,
        refresh,
        store,
        tiers,
    }
}

/// Two spellings of what is probably one provider, such as `work-idp` and `work_idp`.
fn note_twins<'a, 'i: 'a>(reader: &mut Reader<'_>, names: impl Iterator<Item = &'a Name<'i>>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        let (at, name) = (name.span().start, name.get_ref().as_ref());
        let folded = name.to_lowercase().replace(['-', '.'], "_");
        match seen.get(&folded) {
            Some(twin) if *twin != name => reader.note(
                at,
                format!(
                    "`{}` and `{}` are two providers, each with credentials of its own",
                    clip(twin),
                    clip(name)
                ),
                "Write both in one way, if one provider is meant.",
            ),
            _ => drop(seen.insert(folded, name)),
        }
    }
}

fn entry<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<(&'a Name<'i>, &'a Item<'i>)> {
    table.iter().find(|(name, _)| name.get_ref() == key)
}

/// A table of the app's. What is there under its name and is no table is the app's business.
fn app_table<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    match entry(table, key)?.1.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}
