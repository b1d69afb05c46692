//! The names that can be typed, for a shell that completes them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Auth;
use crate::account::{AccountKey, Owner};
use crate::clock::SystemClock;
use crate::config::{Backend, Config};
use crate::environment::Environment;
use crate::error::Result;
use crate::random::SystemRandom;
use crate::store::sqlite::SqliteStore;
use crate::store::{CredentialStore as _, TokenStore as _};

/// What a person may mean.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Names {
    /// The unnamed account of every configured provider, and whatever is stored.
    pub accounts: BTreeSet<AccountKey>,
    /// The tiers.
    pub tiers: BTreeSet<String>,
}

impl Auth {
    /// The names of `owner`'s accounts and of the tiers. No key is asked for and no network, because a person waits at the
    /// keyboard; so a store in a database has no say. Whatever cannot be read just has no names.
    pub async fn names(environment: &Environment, owner: &Owner) -> Names {
        let Ok(config) = Config::open(None, environment) else { return Names::default() };
        let providers = config.providers().keys().chain(config.endpoints().keys());
        let mut accounts: BTreeSet<_> =
            providers.map(|id| AccountKey::from(id.clone()).for_owner(owner.clone())).collect();
        accounts.extend(stored(&config, owner).await.unwrap_or_default());
        Names { accounts, tiers: config.tiers().keys().cloned().collect() }
    }
}

/// The accounts of a store on this machine. Their names stand beside what is sealed.
async fn stored(config: &Config, owner: &Owner) -> Result<Vec<AccountKey>> {
    let path = &config.store().path.value;
    if config.store().backend.value != Backend::Sqlite || !SqliteStore::inspect(path).await?.is_there {
        return Ok(Vec::new());
    }
    let store = SqliteStore::open(path, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let connections = store.list(owner).await?.into_iter().map(|record| record.account);
    let keys = store.credentials(owner).await?.into_iter().map(|credential| credential.account);
    Ok(connections.chain(keys).collect())
}
