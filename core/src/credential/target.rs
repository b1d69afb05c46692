//! Who is asked: a tier, or an account of a provider.

use super::refusal;
use crate::account::{AccountKey, Owner};
use crate::config::{AuthMode, Config, Origin, Sourced, TierConfig};
use crate::error::Result;

/// Whose credential is wanted, and of which kinds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// The tier; `None` where a provider was named.
    pub tier: Option<String>,
    /// The account.
    pub account: AccountKey,
    /// Which kinds are looked for, and who said so.
    pub auth_mode: Sourced<AuthMode>,
}

impl Target {
    /// Reads the name of a tier, else `provider` or `provider/account`, for one of the app's users.
    ///
    /// A tier's own `auth_mode` counts first, then that of the local provider, then `auto`.
    ///
    /// # Errors
    ///
    /// `usage` for a name that is neither; `config_invalid` for a tier without a provider, or with one that is not there.
    pub fn find(config: &Config, name: &str, owner: &Owner) -> Result<Self> {
        if let Some(tier) = config.tiers().get(name) {
            return Self::of_tier(config, name, tier, owner);
        }
        let account = name.parse::<AccountKey>().map_err(|error| refusal::no_name(config, name, &error))?;
        config.check_known(&account.provider).map_err(|error| refusal::no_name(config, name, &error))?;
        Ok(Self::of_account(config, account.for_owner(owner.clone())))
    }

    /// An account by itself, whatever tiers there are.
    pub fn of_account(config: &Config, account: AccountKey) -> Self {
        let auth_mode = mode_of_endpoint(config, &account);
        Self { tier: None, account, auth_mode }
    }

    fn of_tier(config: &Config, name: &str, tier: &TierConfig, owner: &Owner) -> Result<Self> {
        let provider = tier.provider.as_ref().ok_or_else(|| refusal::tier_without_provider(name))?;
        config
            .check_known(provider)
            .map_err(|error| refusal::tier_without_such_provider(config, name, provider, &error))?;
        let account = AccountKey::from(provider.value.clone()).for_owner(owner.clone());
        let auth_mode = match tier.auth_mode.origin {
            Origin::Default => mode_of_endpoint(config, &account),
            _ => tier.auth_mode.clone(),
        };
        Ok(Self { tier: Some(name.to_owned()), account, auth_mode })
    }
}

fn mode_of_endpoint(config: &Config, account: &AccountKey) -> Sourced<AuthMode> {
    let endpoint = config.endpoints().get(&account.provider);
    endpoint
        .and_then(|endpoint| endpoint.auth_mode.clone())
        .unwrap_or(Sourced::new(AuthMode::Auto, Origin::Default))
}
