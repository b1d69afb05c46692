//! The chain: every place that a credential of an account is looked for in, in order.

use std::collections::BTreeSet;

use url::Url;

use super::facts::Content;
use super::{CredentialKind, EnvironmentFacts, Holdings, Source, refusal};
use crate::account::{AccountKey, ProviderId};
use crate::config::{Config, Origin, Sourced};
use crate::error::Error;
use crate::provider::Preset;
use crate::secret::{Secret, Unfit, unfit};
use crate::status::ConnectionState;
use crate::store::StaticKind;

/// One place, and what is there.
pub(super) struct Candidate {
    pub(super) kind: CredentialKind,
    /// As part of a sentence.
    pub(super) place: String,
    pub(super) found: Found,
}

pub(super) enum Found {
    /// Nothing, and why that is so.
    Nothing(String),
    /// This; a connection gives its token later.
    Usable(Source, Option<Secret>),
    /// Something that cannot be used.
    Unusable(Error),
}

/// The chain of `account`.
pub(super) fn candidates(
    config: &Config,
    facts: &EnvironmentFacts,
    account: &AccountKey,
    held: &Holdings,
) -> Vec<Candidate> {
    let mut chain = Vec::new();
    for kind in StaticKind::ALL {
        let outside = in_config(config, account, kind)
            .into_iter()
            .chain(in_environment(config, facts, account, kind))
            // Where there is nothing, nobody wonders why it is not taken.
            .filter(|candidate| account.account.is_default() || candidate.found.is_there());
        chain.extend(outside.map(|candidate| candidate.of(account)));
        chain.push(in_store(account, kind, held));
    }
    chain.push(connection(config, account, held));
    chain
}

/// An environment variable that a credential is looked for in.
pub(super) struct Variable {
    pub(super) name: String,
    /// How a sentence names it. A name that came out of a variable itself may be the key that somebody put there.
    pub(super) shown: String,
    is_configured: bool,
    /// Whether what it holds is meant for another server than the configuration names.
    pub(super) is_withheld: bool,
}

impl Variable {
    fn conventional(name: &str, is_withheld: bool) -> Self {
        Self { name: name.to_owned(), shown: name.to_owned(), is_configured: false, is_withheld }
    }

    fn named(name: &Sourced<String>) -> Self {
        let shown = match &name.origin {
            Origin::Variable { .. } => format!("the variable that {} names", name.origin),
            _ => name.value.clone(),
        };
        Self { name: name.value.clone(), shown, is_configured: true, is_withheld: false }
    }
}

/// The variables that credentials of `provider` are looked for in.
pub(super) fn variables(config: &Config, provider: &ProviderId) -> Vec<String> {
    let of_kind = |kind| variables_of(config, provider, kind);
    StaticKind::ALL.into_iter().flat_map(of_kind).map(|variable| variable.name).collect()
}

/// A variable that a credential of a configured provider is looked for in.
#[derive(Clone, Debug)]
pub struct VariableUse {
    /// The provider's unnamed account.
    pub account: AccountKey,
    /// What it would hold.
    pub kind: StaticKind,
    /// Its name. One that came out of a variable itself may be the key that somebody put there.
    pub(crate) name: String,
    /// How a sentence names it.
    pub shown: String,
    /// Whether the configuration names it, and not a convention.
    pub is_configured: bool,
}

/// Every variable that credentials of the configured providers are looked for in, by provider and kind.
pub fn variables_in_use(config: &Config) -> Vec<VariableUse> {
    let providers: BTreeSet<_> = config.providers().keys().chain(config.endpoints().keys()).collect();
    let uses = |provider: &ProviderId, kind: StaticKind| {
        let account = AccountKey::from(provider.clone());
        variables_of(config, provider, kind).into_iter().map(
            move |Variable { name, shown, is_configured, .. }| VariableUse {
                account: account.clone(),
                kind,
                name,
                shown,
                is_configured,
            },
        )
    };
    providers
        .into_iter()
        .flat_map(|provider| StaticKind::ALL.into_iter().flat_map(move |kind| uses(provider, kind)))
        .collect()
}

/// Those of one kind, the one that counts first.
pub(super) fn variables_of(config: &Config, provider: &ProviderId, kind: StaticKind) -> Vec<Variable> {
    let (configured, endpoint) = (config.providers().get(provider), config.endpoints().get(provider));
    let named = match kind {
        StaticKind::ApiKey => configured
            .and_then(|configured| configured.api_key_env.as_ref())
            .or_else(|| endpoint?.auth_key_env.as_ref()),
        StaticKind::AuthToken => configured.and_then(|configured| configured.auth_token_env.as_ref()),
    };
    let conventional = preset(config, provider).map_or(&[][..], |preset| match kind {
        StaticKind::ApiKey => preset.api_key_variables,
        StaticKind::AuthToken => preset.auth_token_variables,
    });
    match named {
        Some(name) => vec![Variable::named(name)],
        None => {
            let is_withheld = names_another_server(config, provider);
            conventional.iter().map(|name| Variable::conventional(name, is_withheld)).collect()
        }
    }
}

/// A checkout must not steal keys: what the environment holds by convention is for the well-known server. Whoever means
/// another one names the variable.
fn names_another_server(config: &Config, provider: &ProviderId) -> bool {
    let base_url = config.providers().get(provider).and_then(|configured| configured.base_url.as_deref());
    match (base_url.and_then(|url| Url::parse(url).ok()), preset(config, provider)) {
        (Some(url), Some(preset)) => !url.host_str().is_some_and(|host| preset.serves(host)),
        _ => false,
    }
}

fn withheld(provider: &ProviderId, kind: StaticKind) -> String {
    format!(
        "base_url of {provider} names another server than the provider's; to send it there, set {}_env",
        kind.as_str()
    )
}

/// What is publicly known of `provider`, configured or not.
pub(super) fn preset(config: &Config, provider: &ProviderId) -> Option<&'static Preset> {
    match config.providers().get(provider) {
        Some(configured) => Preset::find(configured.preset.as_deref()?),
        // A local provider that has a well-known name is not the well-known one.
        None if config.endpoints().contains_key(provider) => None,
        None => Preset::find(provider.as_str()),
    }
}

/// Whether anybody could ever log in there.
pub(crate) fn has_oauth(config: &Config, provider: &ProviderId) -> bool {
    let can_log_in =
        config.providers().get(provider).is_some_and(|configured| configured.client_id.is_some());
    can_log_in || preset(config, provider).is_some_and(|preset| !preset.flows.is_empty())
}

fn in_config(config: &Config, account: &AccountKey, kind: StaticKind) -> Vec<Candidate> {
    let provider = &account.provider;
    let mut places: Vec<(String, Option<&Sourced<Secret>>)> = Vec::new();
    if let Some(configured) = config.providers().get(provider) {
        let secret = match kind {
            StaticKind::ApiKey => &configured.api_key,
            StaticKind::AuthToken => &configured.auth_token,
        };
        places.push((format!("[auth.{provider}]"), secret.as_ref()));
    }
    if let (Some(endpoint), StaticKind::ApiKey) = (config.endpoints().get(provider), kind) {
        places.push((format!("[provider.endpoints.{provider}]"), endpoint.auth_key.as_ref()));
    }
    let candidate = |(place, secret): (String, Option<&Sourced<Secret>>)| {
        let found = match secret {
            Some(secret) => Found::Usable(Source::Config(secret.origin.clone()), Some(secret.value.clone())),
            None => Found::nothing("not set"),
        };
        Candidate { kind: kind.into(), place, found }
    };
    places.into_iter().map(candidate).collect()
}

fn in_environment(
    config: &Config,
    facts: &EnvironmentFacts,
    account: &AccountKey,
    kind: StaticKind,
) -> Vec<Candidate> {
    let candidate = |Variable { name, shown, is_withheld, .. }: Variable| {
        let found = match facts.variable(&name) {
            None => Found::nothing("not set"),
            Some(Content::Nothing) => Found::nothing("empty, which counts as not set"),
            Some(_) if is_withheld => Found::Nothing(withheld(&account.provider, kind)),
            Some(Content::NoText) => Found::Unusable(refusal::unfit_variable(account, kind, &shown, NO_TEXT)),
            // It is looked at, and goes nowhere but into the answer.
            Some(Content::Text(secret)) => match unfit(secret.expose()) {
                Some(unfit) => Found::Unusable(refusal::unfit_variable(account, kind, &shown, unfit)),
                None => Found::Usable(Source::Environment(name), Some(secret.clone())),
            },
        };
        Candidate { kind: kind.into(), place: shown, found }
    };
    variables_of(config, &account.provider, kind).into_iter().map(candidate).collect()
}

fn in_store(account: &AccountKey, kind: StaticKind, held: &Holdings) -> Candidate {
    let found = match held.of_kind(kind) {
        None => Found::nothing("none is stored"),
        Some(Ok(secret)) => Found::Usable(Source::Store, Some(secret.clone())),
        Some(Err(error)) => Found::Unusable(error.clone().with_account(account)),
    };
    Candidate { kind: kind.into(), place: THE_STORE.to_owned(), found }
}

fn connection(config: &Config, account: &AccountKey, held: &Holdings) -> Candidate {
    let found = match &held.connection {
        None if !has_oauth(config, &account.provider) => {
            Found::Nothing(format!("{} has no OAuth", account.provider))
        }
        None => Found::nothing("not connected"),
        Some(Ok(ConnectionState::Disconnected)) => Found::nothing("not connected"),
        Some(Ok(ConnectionState::ReconnectRequired { reason })) => {
            Found::Unusable(refusal::reconnect(account, *reason))
        }
        Some(Ok(_)) => Found::Usable(Source::Store, None),
        Some(Err(error)) => Found::Unusable(error.clone().with_account(account)),
    };
    Candidate { kind: CredentialKind::Oauth, place: THE_STORE.to_owned(), found }
}

impl Candidate {
    /// As the account sees it: configuration and environment speak of the unnamed one.
    fn of(self, account: &AccountKey) -> Self {
        if account.account.is_default() {
            return self;
        }
        let reason = format!("it is {}'s unnamed account's", account.provider);
        Self { found: Found::Nothing(reason), ..self }
    }
}

impl Found {
    fn nothing(reason: &str) -> Self {
        Self::Nothing(reason.to_owned())
    }

    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::Nothing(_))
    }
}

const NO_TEXT: Unfit = Unfit { reason: "it is not UTF-8", help: "Copy it again from the provider's page." };

/// How a sentence names the store.
pub(crate) const THE_STORE: &str = "the store";
