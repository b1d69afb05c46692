//! Why there is no answer, and what mends that.

use super::candidate::{has_oauth, variables_of};
use super::{PassedOver, Target};
use crate::account::{AccountKey, ProviderId};
use crate::config::{AuthMode, Config, Origin, Sourced};
use crate::error::{Error, ErrorCode};
use crate::secret::Unfit;
use crate::store::{ReconnectReason, StaticKind};

/// Nothing of the kinds that were looked for is anywhere.
pub(super) fn nothing_found(config: &Config, target: &Target, looked_at: &[PassedOver]) -> Error {
    let Target { account, auth_mode, .. } = target;
    let (mode, provider) = (auth_mode.value, &account.provider);
    if mode == AuthMode::Oauth && !has_oauth(config, provider) {
        let place = match &auth_mode.origin {
            Origin::Default => "in the configuration".to_owned(),
            origin => format!("at {origin}"),
        };
        let message = format!("{provider} has no OAuth, and auth_mode is oauth");
        let advice =
            format!("Set auth_mode = \"api_key\" {place}, and run `loomkin-auth key set {account}`.");
        return of_target(target, ErrorCode::ConfigInvalid, &message)
            .with_advice(advice)
            .with_details(details(looked_at));
    }
    let message = match mode {
        AuthMode::ApiKey => format!("{account} has no API key"),
        AuthMode::Oauth => format!("{account} has no auth token, and is not connected"),
        AuthMode::Auto => format!("{account} has no credential"),
    };
    of_target(target, ErrorCode::NotConnected, &message)
        .with_advice(advice(config, mode, account))
        .with_details(details(looked_at))
}

/// A variable that holds no credential.
pub(super) fn unfit_variable(account: &AccountKey, kind: StaticKind, name: &str, unfit: Unfit) -> Error {
    let (noun, provider) = (kind.noun(), &account.provider);
    let message = format!("no {noun} of {provider} is in {name}: {}", unfit.reason);
    Error::new(ErrorCode::ConfigInvalid, message)
        .with_advice(format!("{} Else unset {name}.", unfit.help))
        .with_account(account)
}

/// The connection is at its end.
pub(crate) fn reconnect(account: &AccountKey, reason: ReconnectReason) -> Error {
    let message = format!("{account} has to be connected again: {}", reason.explanation());
    Error::new(ErrorCode::ReconnectRequired, message)
        .with_advice(format!("Run `loomkin-auth connect {account}`."))
        .with_account(account)
}

/// `name` is neither a tier nor a provider; `error` says why not a provider.
pub(super) fn no_name(config: &Config, name: &str, error: &Error) -> Error {
    let tiers: Vec<_> = config.tiers().keys().map(String::as_str).collect();
    let advice = match config.nearest_tier(name) {
        Some(tier) => format!("Did you mean `{tier}`?"),
        None if tiers.is_empty() => error.advice().to_owned(),
        None => format!("{} The tiers are: {}.", error.advice(), tiers.join(", ")),
    };
    Error::new(error.code(), format!("{}, and no tier has that name", error.message())).with_advice(advice)
}

/// Nobody says which provider the tier has.
pub(super) fn tier_without_provider(tier: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, format!("tier `{tier}` has no provider")).with_advice(format!(
        "Give `provider` in [auth.tiers.{tier}], or the tier's model as \"provider:model\" in [model]."
    ))
}

/// The tier's provider is not there; `error` says what was probably meant.
pub(super) fn tier_without_such_provider(
    config: &Config,
    tier: &str,
    provider: &Sourced<ProviderId>,
    error: &Error,
) -> Error {
    let origin = &provider.origin;
    let (message, advice) = match origin {
        Origin::Variable { name, .. } => (
            format!(
                "tier `{tier}` has no provider that is there: the variable {name} names another ({origin})"
            ),
            "Add the provider below [auth] or [provider.endpoints], or name one that is there.".to_owned(),
        ),
        _ if config.tiers().contains_key(provider.as_str()) => (
            format!("tier `{tier}` names the tier `{}` as its provider ({origin})", provider.value),
            "Write the provider of that tier: a tier names a provider, and never another tier.".to_owned(),
        ),
        _ => (
            format!("tier `{tier}` names the provider `{}`, which is not there ({origin})", provider.value),
            error.advice().to_owned(),
        ),
    };
    Error::new(ErrorCode::ConfigInvalid, message).with_advice(advice)
}

fn of_target(target: &Target, code: ErrorCode, message: &str) -> Error {
    let message = match &target.tier {
        Some(tier) => format!("tier `{tier}`: {message}"),
        None => message.to_owned(),
    };
    Error::new(code, message).with_account(&target.account)
}

/// The commands and variables that would give what is missing.
fn advice(config: &Config, mode: AuthMode, account: &AccountKey) -> String {
    let provider = &account.provider;
    let can_log_in = config.provider(provider).is_ok_and(|configured| configured.client_id.is_some());
    let mut ways = Vec::new();
    let mut variables = Vec::new();
    if mode != AuthMode::Oauth {
        ways.push(format!("`loomkin-auth key set {account}`"));
        variables.extend(variables_of(config, provider, StaticKind::ApiKey));
    }
    if mode != AuthMode::ApiKey {
        if can_log_in {
            ways.push(format!("`loomkin-auth connect {account}`"));
        } else if mode == AuthMode::Oauth {
            ways.push(format!("`loomkin-auth key set {account} --token`"));
        }
        variables.extend(variables_of(config, provider, StaticKind::AuthToken));
    }
    let begin = if mode == AuthMode::Oauth && !can_log_in {
        format!("Set client_id in [auth.{provider}] to log in, or run")
    } else {
        "Run".to_owned()
    };
    let run = format!("{begin} {}", ways.join(" or "));
    variables.retain(|variable| !variable.is_withheld);
    if variables.is_empty() || !account.account.is_default() {
        return format!("{run}.");
    }
    let names: Vec<_> = variables.into_iter().map(|variable| variable.shown).collect();
    format!("{run}, or set {}.", names.join(" or "))
}

fn details(looked_at: &[PassedOver]) -> Vec<String> {
    looked_at.iter().map(|passed_over| format!("  {passed_over}")).collect()
}
