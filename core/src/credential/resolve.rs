//! The answer, out of the chain.

use super::candidate::{self, Candidate, Found, candidates};
use super::{CredentialKind, EnvironmentFacts, Holdings, PassedOver, Resolution, Source, Target, refusal};
use crate::account::AccountKey;
use crate::config::{AuthMode, Config};
use crate::error::Result;
use crate::store::StaticKind;

/// The credential of `target`, by the chain that [the module](super) tells of. `held` is what the store holds for
/// `target.account`.
///
/// Adding a credential behind the answer never changes the answer; nor does the order in which anything was stored.
///
/// # Errors
///
/// `not_connected` where there is none; its details say where it was looked for, its advice what mends it.
/// `config_invalid` for a variable that holds no credential, and where OAuth is demanded of a provider without it.
/// `reconnect_required`, and what [`Holdings`] say, for one in the store that cannot be used.
pub fn resolve(
    config: &Config,
    facts: &EnvironmentFacts,
    target: &Target,
    held: &Holdings,
) -> Result<Resolution> {
    let mut passed_over = Vec::new();
    let mut answer = None;
    for Candidate { kind, place, found } in candidates(config, facts, &target.account, held) {
        let reason = match found {
            Found::Nothing(_) if answer.is_some() || !looks_for(*target.auth_mode, kind) => continue,
            Found::Nothing(reason) => reason,
            _ if !looks_for(*target.auth_mode, kind) => format!("auth_mode is {}", *target.auth_mode),
            _ if answer.is_some() => "another comes first".to_owned(),
            Found::Unusable(error) => return Err(error),
            Found::Usable(source, secret) => {
                answer = Some((kind, source, secret));
                continue;
            }
        };
        passed_over.push(PassedOver { kind, place, reason });
    }
    if answer.is_none() && needs_none(config, target) {
        answer = Some((CredentialKind::None, Source::Nowhere, None));
    }
    let Some((kind, source, secret)) = answer else {
        return Err(refusal::nothing_found(config, target, &passed_over));
    };
    Ok(Resolution {
        tier: target.tier.clone(),
        account: target.account.clone(),
        auth_mode: target.auth_mode.clone(),
        kind,
        source,
        passed_over,
        limits: candidate::preset(config, &target.account.provider).map_or(&[], |preset| preset.limits),
        secret,
    })
}

/// A credential that is there, whether or not it is used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Present {
    /// Its kind.
    pub kind: CredentialKind,
    /// Where it is; `None` for one that cannot be used.
    pub source: Option<Source>,
}

impl Present {
    /// The one that is the answer.
    pub fn of(answer: &Resolution) -> Self {
        Self { kind: answer.kind, source: Some(answer.source.clone()) }
    }
}

/// Every credential that is there for `account`, in the order of the chain.
pub fn present(
    config: &Config,
    facts: &EnvironmentFacts,
    account: &AccountKey,
    held: &Holdings,
) -> Vec<Present> {
    let there = |Candidate { kind, found, .. }| match found {
        Found::Nothing(_) => None,
        Found::Unusable(_) => Some(Present { kind, source: None }),
        Found::Usable(source, _) => Some(Present { kind, source: Some(source) }),
    };
    candidates(config, facts, account, held).into_iter().filter_map(there).collect()
}

fn looks_for(mode: AuthMode, kind: CredentialKind) -> bool {
    match mode {
        AuthMode::ApiKey => kind == CredentialKind::ApiKey,
        AuthMode::Auto => true,
        AuthMode::Oauth => kind != CredentialKind::ApiKey,
    }
}

/// Whether a local provider can do without: nobody demanded a kind, and nobody named a variable for its key.
fn needs_none(config: &Config, target: &Target) -> bool {
    let provider = &target.account.provider;
    *target.auth_mode == AuthMode::Auto
        && config.endpoints().contains_key(provider)
        && !config.providers().contains_key(provider)
        && candidate::variables_of(config, provider, StaticKind::ApiKey).is_empty()
}
