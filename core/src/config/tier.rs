//! `[auth.tiers.<name>]` and the strings of `[model]`: which provider a tier uses, and how it is let in there.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::choice::AuthMode;
use super::interpolate::Text;
use super::known::{PRESETS, Section, find, is_reserved};
use super::mode::{self, Mode};
use super::origin::{Origin, Sourced};
use super::reader::{Item, Reader, Table};
use super::row::{Row, join};
use super::suggest;
use super::text::{cannot_be, clip};
use crate::account::ProviderId;

/// A tier of models: `fast`, `complex`, any name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TierConfig {
    /// Its provider; `None` where neither `[auth.tiers]` nor `[model]` says.
    pub provider: Option<Sourced<ProviderId>>,
    /// The kind of credential it uses.
    pub auth_mode: Sourced<AuthMode>,
    /// What the old spelling `use_oauth` says, where it stands beside `auth_mode`, which wins.
    pub use_oauth: Option<Sourced<AuthMode>>,
    /// What `[model]` says: `provider:model`.
    pub model: Option<Sourced<String>>,
}

/// Reads `[auth.tiers]`. `providers` are the names of all providers of the file, those with problems included.
pub(super) fn read(
    reader: &mut Reader<'_>,
    tiers: &DeTable<'_>,
    mut models: BTreeMap<String, Sourced<String>>,
    providers: &BTreeSet<&str>,
) -> BTreeMap<String, TierConfig> {
    let mut read = BTreeMap::new();
    for (name, value) in tiers {
        let Some(table) = reader.table(name, value) else { continue };
        let (path, at) = (join("auth.tiers", name.get_ref()), name.span().start);
        let model = models.remove(name.get_ref().as_ref());
        let tier = read_one(reader, Table { path: &path, at, table }, model, providers, tiers);
        if tier.provider.is_none() {
            reader.note(
                at,
                "this tier has no provider",
                "Give `provider`, or the tier's model as \"provider:model\" in [model].",
            );
        }
        read.insert(name.get_ref().to_string(), tier);
    }
    for (name, model) in models {
        let provider = provider_of(&model);
        let auth_mode = Sourced::new(AuthMode::Auto, Origin::Default);
        read.insert(name, TierConfig { provider, auth_mode, use_oauth: None, model: Some(model) });
    }
    read
}

/// The strings of `[model]` that name a provider and a model. The rest of that table is the app's alone.
pub(super) fn read_models(reader: &mut Reader<'_>, model: &DeTable<'_>) -> BTreeMap<String, Sourced<String>> {
    let mut models = BTreeMap::new();
    for (name, value) in model {
        let Some(model) = read_model(reader, value) else { continue };
        if provider_of(&model).is_some() {
            reader.row(Row::new(join("model", name.get_ref()), &model, &model.origin, false));
            models.insert(name.get_ref().to_string(), model);
        } else if may_be_model(&model) {
            reader.note(
                name.span().start,
                format!("`{}` names no provider: what stands before its colon cannot be one", clip(name.get_ref())),
                "A tier's model is \"provider:model\", with the provider as it is named below [auth], in lower case.",
            );
        }
    }
    models
}

/// The string at `value`, filled in, if it is one that could name a model. A text of the app's may hold what looks like a
/// variable and is none.
fn read_model(reader: &mut Reader<'_>, value: &Item<'_>) -> Option<Sourced<String>> {
    let DeValue::String(text) = value.get_ref() else { return None };
    if !text.starts_with("${") && !may_be_model(text) {
        return None;
    }
    let (text, origin) = reader.text(value, text)?;
    Some(Sourced::new(text.value, origin))
}

/// Whether `text` looks like `provider:model`, however the provider is spelled. White space around the colon is prose.
fn may_be_model(text: &str) -> bool {
    text.split_once(':').is_some_and(|(provider, model)| {
        !provider.is_empty()
            && !provider.contains(char::is_whitespace)
            && !model.starts_with(char::is_whitespace)
    })
}

fn read_one(
    reader: &mut Reader<'_>,
    table: Table<'_, '_>,
    model: Option<Sourced<String>>,
    providers: &BTreeSet<&str>,
    tiers: &DeTable<'_>,
) -> TierConfig {
    let mut fields = reader.fields(Section::Tier, table);
    let provider = fields.take::<ProviderId>("provider");
    if let Some(provider) = &provider {
        check_exists(reader, fields.value_at("provider"), provider, providers, tiers);
    }
    let Mode { wanted, beside } = mode::read(reader, &mut fields, table.path);
    let auth_mode = wanted.unwrap_or(Sourced::new(AuthMode::Auto, Origin::Default));
    let provider = provider.or_else(|| provider_of(model.as_ref()?));
    TierConfig { provider, auth_mode, use_oauth: beside, model }
}

fn check_exists(
    reader: &mut Reader<'_>,
    at: usize,
    provider: &Sourced<ProviderId>,
    providers: &BTreeSet<&str>,
    tiers: &DeTable<'_>,
) {
    let name = provider.as_str();
    let known = || providers.iter().copied().chain(PRESETS.iter().copied());
    if known().any(|other| other == name) {
        return;
    }
    let variable = match &provider.origin {
        Origin::Variable { name, .. } => Some(name.clone()),
        _ => None,
    };
    let otherwise =
        || "Add the provider below [auth] or [provider.endpoints], or name one that is there.".to_owned();
    let help = match variable {
        Some(_) => otherwise(),
        None if tiers.keys().any(|tier| tier.get_ref() == name) => {
            format!("`{name}` is a tier, and a tier names a provider: write the provider of that tier.")
        }
        None => suggest::did_you_mean(name, known(), otherwise),
    };
    let text = Text { value: name.to_owned(), variable };
    if let Some(key) = find(Section::Tier, "provider") {
        reader.problem(at, format!("{}: there is no such provider", cannot_be(key, &text)), help);
    }
}

fn provider_of(model: &Sourced<String>) -> Option<Sourced<ProviderId>> {
    let (provider, _) = model.split_once(':')?;
    let id = ProviderId::new(provider).ok().filter(|id| !is_reserved(id.as_str()))?;
    Some(Sourced::new(id, model.origin.clone()))
}
