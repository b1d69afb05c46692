//! `[auth.<provider>]`: our registration at a provider, and the static credentials for it.

use std::collections::BTreeMap;

use url::Url;

use super::choice::{AuthMethod, Flow};
use super::known::{FIXED_SECTIONS, KEY_ONLY_PRESETS, PRESETS, Section, find, keys};
use super::origin::{Origin, Sourced};
use super::reader::{Fields, Reader, Table};
use super::row::{Row, join};
use super::suggest;
use super::text::clip;
use crate::account::ProviderId;
use crate::secret::Secret;

/// `[auth.<provider>]`. What is `None` is for the preset or the server's metadata to say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderConfig {
    /// The table's name.
    pub id: ProviderId,
    /// The known provider whose endpoints and habits to use.
    pub preset: Option<Sourced<String>>,
    /// The id of our registration.
    pub client_id: Option<Sourced<String>>,
    /// The secret of our registration; `None` for a public client.
    pub client_secret: Option<Sourced<Secret>>,
    /// What to ask for; an empty list asks for nothing by name.
    pub scopes: Option<Sourced<Vec<String>>>,
    /// How the person is sent through the login.
    pub flow: Sourced<Flow>,
    /// The registered redirect URI, where the provider fixes it, as written: servers compare it letter by letter
    /// (RFC 6749 §3.1.2.3).
    pub redirect_uri: Option<Sourced<String>>,
    /// The resource server, as written; handed through to the app.
    pub base_url: Option<Sourced<String>>,
    /// The authorization server's identifier, as written: it is compared letter by letter (RFC 8414 §3.3).
    pub issuer: Option<Sourced<String>>,
    /// Where the person is sent to allow the access.
    pub authorization_endpoint: Option<Sourced<Url>>,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: Option<Sourced<Url>>,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<Sourced<Url>>,
    /// Where it is asked who connected.
    pub userinfo_endpoint: Option<Sourced<Url>>,
    /// Where the keys are that ID tokens are signed with.
    pub jwks_uri: Option<Sourced<Url>>,
    /// Where a device login begins.
    pub device_authorization_endpoint: Option<Sourced<Url>>,
    /// The name of this device on the provider's pages.
    pub device_name: Option<Sourced<String>>,
    /// How the client secret is presented.
    pub auth_method: Option<Sourced<AuthMethod>>,
    /// Extra parameters of the authorization request; none that the login itself sets.
    pub params: BTreeMap<String, Sourced<String>>,
    /// A static API key.
    pub api_key: Option<Sourced<Secret>>,
    /// A static bearer token.
    pub auth_token: Option<Sourced<Secret>>,
    /// The environment variable to look for an API key in.
    pub api_key_env: Option<Sourced<String>>,
    /// The environment variable to look for a bearer token in.
    pub auth_token_env: Option<Sourced<String>>,
    /// The preset's own keys, handed through.
    pub extra: BTreeMap<String, Sourced<String>>,
}

/// Reads `[auth.<name>]`; `None` where it was reported that it cannot be a provider at all.
pub(super) fn read(reader: &mut Reader<'_>, name: &str, table: Table<'_, '_>) -> Option<ProviderConfig> {
    if let Some(section) = meant_section(name, table) {
        reader.problem(
            table.at,
            format!("unknown section [{}]", clip(table.path)),
            format!("Did you mean [auth.{section}]?"),
        );
        return None;
    }
    let id = ProviderId::new(name)
        .map_err(|error| {
            let preset = suggest::nearest(name, PRESETS.iter().copied());
            let help = match preset {
                Some(preset) => format!("Did you mean [auth.{preset}]? {}", error.advice()),
                None => error.advice().to_owned(),
            };
            reader.problem(table.at, format!("[{}]: {}", clip(table.path), error.message()), help);
        })
        .ok();
    let mut fields = reader.fields(Section::Provider, table);
    let preset_failed = !fields.is_missing("preset") && !fields.has_value("preset");
    let mut preset = fields.take::<String>("preset");
    if preset.is_none() && !preset_failed && PRESETS.contains(&name) {
        reader.row(Row::new(join(table.path, "preset"), name, &Origin::Default, false));
        preset = Some(Sourced::new(name.to_owned(), Origin::Default));
    }
    if !preset_failed && id.is_some() {
        check_preset(reader, &fields, name, preset.as_deref().map(String::as_str));
    }
    let auth_method = fields.take::<AuthMethod>("auth_method");
    check_auth_method(reader, &fields, auth_method.as_deref().copied());
    let extra = keys(Section::Provider).filter(|key| key.preset.is_some());
    Some(ProviderConfig {
        id: id?,
        preset,
        client_id: fields.take("client_id"),
        client_secret: fields.take("client_secret"),
        scopes: fields.take("scopes"),
        flow: fields.take("flow").unwrap_or(Sourced::new(Flow::Auto, Origin::Default)),
        redirect_uri: fields.take("redirect_uri"),
        base_url: fields.take("base_url"),
        issuer: fields.take("issuer"),
        authorization_endpoint: fields.take("authorization_endpoint"),
        token_endpoint: fields.take("token_endpoint"),
        revocation_endpoint: fields.take("revocation_endpoint"),
        userinfo_endpoint: fields.take("userinfo_endpoint"),
        jwks_uri: fields.take("jwks_uri"),
        device_authorization_endpoint: fields.take("device_authorization_endpoint"),
        device_name: fields.take("device_name"),
        auth_method,
        params: fields.take("params").map(|params| params.value).unwrap_or_default(),
        api_key: fields.take("api_key"),
        auth_token: fields.take("auth_token"),
        api_key_env: fields.take("api_key_env"),
        auth_token_env: fields.take("auth_token_env"),
        extra: extra.filter_map(|key| Some((key.name.to_owned(), fields.take(key.name)?))).collect(),
    })
}

/// The section that a table was meant to be: its name is nearly that, and all of its keys belong there.
fn meant_section(name: &str, table: Table<'_, '_>) -> Option<&'static str> {
    let meant = suggest::nearest(name, FIXED_SECTIONS.iter().map(|(section, _)| *section))?;
    let (meant, section) = FIXED_SECTIONS.iter().find(|(section, _)| *section == meant)?;
    let belongs = |key: &str| find(*section, key).is_some() && find(Section::Provider, key).is_none();
    let belong = !table.table.is_empty() && table.table.keys().all(|key| belongs(key.get_ref()));
    (belong && !PRESETS.contains(&name)).then_some(meant)
}

/// Whether the keys that are there fit the preset, or make up for having none.
fn check_preset(reader: &mut Reader<'_>, fields: &Fields, name: &str, preset: Option<&str>) {
    let given = fields.given();
    for (at, key) in &given {
        if let Some(owner) = key.preset
            && preset != Some(owner)
        {
            reader.problem(
                *at,
                format!("`{}` belongs to the preset {owner}", key.name),
                format!("Take it out, or add preset = \"{owner}\"."),
            );
        }
    }
    let oauth = given.iter().find(|(_, key)| key.oauth);
    match (preset, oauth) {
        (Some(preset), Some((at, key))) if KEY_ONLY_PRESETS.contains(&preset) => reader.problem(
            *at,
            format!("`{}` has no use here: {preset} has no OAuth", key.name),
            "Take it out, and give `api_key` or `api_key_env`.",
        ),
        (Some(_), Some((at, _))) if fields.is_missing("client_id") => reader.note(
            *at,
            format!("{name} has no `client_id`, so that no login can begin there"),
            "Register an application with the provider, and give its client_id.",
        ),
        (Some(_), _) => {}
        (None, Some(_)) => check_spelled_out(reader, fields, name),
        (None, None) => {
            if !given.iter().any(|(_, key)| key.preset.is_none() && key.name != "preset") {
                reader.problem(
                    fields.at,
                    format!("[auth.{name}] says nothing, and no preset has that name"),
                    meant_preset(name, "Give `preset`, `issuer` and `client_id`, or `api_key`."),
                );
            }
        }
    }
}

/// A provider with OAuth and without a preset: its endpoints and our registration must stand in the file.
fn check_spelled_out(reader: &mut Reader<'_>, fields: &Fields, name: &str) {
    if fields.is_missing("client_id") {
        reader.problem(
            fields.key_at("client_id"),
            format!("[auth.{name}] has no `client_id`"),
            "Register an application with the provider, and give its client_id.",
        );
    }
    let has = |key: &str| !fields.is_missing(key);
    let begins = has("authorization_endpoint") || has("device_authorization_endpoint");
    let is_known = has("issuer") || (begins && has("token_endpoint"));
    if !is_known {
        reader.problem(
            fields.at,
            format!("[auth.{name}] has neither a preset nor an issuer nor the endpoints of a login"),
            meant_preset(
                name,
                "Give `issuer`, or `authorization_endpoint` and `token_endpoint`, or `preset` for a known provider.",
            ),
        );
    }
}

fn check_auth_method(reader: &mut Reader<'_>, fields: &Fields, method: Option<AuthMethod>) {
    let has_secret = !fields.is_missing("client_secret");
    match method {
        Some(AuthMethod::None) if has_secret => reader.problem(
            fields.value_at("auth_method"),
            "`auth_method` is none, and there is a `client_secret`",
            "Take one of the two out.",
        ),
        Some(AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost) if !has_secret => reader.problem(
            fields.value_at("auth_method"),
            "`auth_method` presents a secret, and there is no `client_secret`",
            "Give `client_secret`, or take `auth_method` out.",
        ),
        _ => {}
    }
}

fn meant_preset(name: &str, otherwise: &str) -> String {
    match suggest::nearest(name, PRESETS.iter().copied()) {
        Some(preset) => format!("Did you mean [auth.{preset}], or preset = \"{preset}\"? {otherwise}"),
        None => otherwise.to_owned(),
    }
}
