//! Gathering what a doctor looks at, also where the configuration or the store cannot be used.

mod probe;
mod store;
mod surroundings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Auth, Ports};
use crate::account::{AccountKey, Owner};
use crate::config::{Config, ConfigFault};
use crate::credential::{EnvironmentFacts, Holdings};
use crate::doctor::connection::ConnectionFacts;
use crate::doctor::credential::CredentialFacts;
use crate::doctor::{self, Diagnosis, Finding};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::status::ConnectionState;
use crate::store::{Record, Revocation};

/// How far a doctor may go.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DoctorOptions {
    /// The configuration file; the one that is found where it is left out.
    pub config: Option<PathBuf>,
    /// Whose accounts are looked at.
    pub owner: Owner,
    /// The network, the keychain and the clock; those of this machine where they are left out.
    pub ports: Option<Ports>,
    /// Whether the network may be asked. Nothing of the person's is sent.
    pub probe: bool,
    /// The file of the program that asks, to look for others of its name on the path.
    pub program: Option<PathBuf>,
}

impl Auth {
    /// Says whether the set-up works, and which command mends what does not. It works where an [`Auth`] cannot be opened,
    /// which is when people need it.
    ///
    /// Nothing is changed: no file, no key, no store is made, and no token is refreshed. Two things are outside of that
    /// promise, because merely to open a store may do them: one of an earlier version is brought to this one, and a
    /// PostgreSQL database without tables gets them.
    pub async fn doctor(environment: &Environment, options: DoctorOptions) -> Diagnosis {
        let path = options.config.clone().or_else(|| Config::discover(environment));
        let Some(path) = path else {
            return Diagnosis::new(vec![doctor::config::missing(environment)], Vec::new());
        };
        match Config::try_load(&path, environment) {
            Err(fault) => Diagnosis::new(doctor::config::unusable(&fault), Vec::new()),
            Ok(config) => examine(config, &path, environment, options).await,
        }
    }
}

async fn examine(
    config: Config,
    path: &Path,
    environment: &Environment,
    options: DoctorOptions,
) -> Diagnosis {
    let mut findings = doctor::config::examine(&config, is_open(path));
    let variables = EnvironmentFacts::of(&config, environment);
    findings.extend(doctor::environment::examine(&config, &variables));
    findings.extend(surroundings::examine(&config, environment, options.program.as_deref()).await);
    let ports = match options.ports.map_or_else(|| Ports::of_this_machine(&config, environment), Ok) {
        Ok(ports) => ports,
        Err(error) => {
            findings.extend(doctor::config::unusable(&ConfigFault::Unreadable(error)));
            return Diagnosis::new(findings, Vec::new());
        }
    };
    let (of_store, auth) = store::examine(&config, environment, &ports).await;
    findings.extend(of_store);
    let held = match auth {
        Some(auth) => match auth.look_at_accounts(&options.owner).await {
            Ok((held, connections)) => {
                let now = ports.clock.now();
                findings.extend(connections.iter().flat_map(|one| doctor::connection::examine(one, now)));
                Some(held)
            }
            Err(error) => {
                findings.push(Finding::of_error(doctor::FindingCode::StoreUnusable, &error));
                None
            }
        },
        None => store::is_new(&findings).then(BTreeMap::new),
    };
    let facts = CredentialFacts {
        config: &config,
        environment: &variables,
        owner: &options.owner,
        held: held.as_ref(),
    };
    let (proofs, of_credentials) = doctor::credential::examine(&facts);
    findings.extend(of_credentials);
    if options.probe {
        findings.extend(probe::examine(&config, environment, &ports).await);
    }
    Diagnosis::new(findings, proofs)
}

impl Auth {
    /// What the store holds of the owner, by account, and what its connections look like.
    async fn look_at_accounts(
        &self,
        owner: &Owner,
    ) -> Result<(BTreeMap<AccountKey, Holdings>, Vec<ConnectionFacts>)> {
        let vault = self.lifecycle.vault();
        let mut stored: BTreeMap<AccountKey, Vec<_>> = BTreeMap::new();
        for credential in vault.credentials(owner).await? {
            stored.entry(credential.account.clone()).or_default().push(credential);
        }
        let mut connections = Vec::new();
        for record in vault.list(owner).await? {
            connections.push(self.look_at(&record).await);
            stored.entry(record.account).or_default();
        }
        let states: BTreeMap<_, _> =
            connections.iter().map(|facts| (facts.account.clone(), facts.state.clone())).collect();
        let held = stored.into_iter().map(|(account, stored)| {
            let holdings = Holdings::new(&self.config, stored, states.get(&account).cloned());
            (account, holdings)
        });
        let held = held.collect();
        for Revocation { record, until, .. } in vault.revocations_of(owner).await? {
            let state = Ok(ConnectionState::Disconnected);
            let facts = self.connection_facts(record.account, state);
            connections.push(ConnectionFacts { revocation_until: Some(until), ..facts });
        }
        Ok((held, connections))
    }

    async fn look_at(&self, record: &Record) -> ConnectionFacts {
        // Reading it in full checks the seal and the binding, as every other call would.
        let checked = self.lifecycle.check(&record.account).await;
        let state = checked.map(|()| ConnectionState::derive(record, self.ports.clock.now()));
        let facts = self.connection_facts(record.account.clone(), state);
        let server = self.lifecycle.server(&record.account);
        let missing_scopes = server.map_or_else(
            |_| Vec::new(),
            |server| server.missing_scopes(&server.scopes(), &record.columns.scopes),
        );
        let ends_at = record.columns.expires_at.filter(|_| record.refresh_digest.is_none());
        ConnectionFacts { ends_at, missing_scopes, ..facts }
    }

    fn connection_facts(
        &self,
        account: AccountKey,
        state: Result<ConnectionState, Error>,
    ) -> ConnectionFacts {
        ConnectionFacts {
            is_configured: self.lifecycle.server(&account).is_ok(),
            account,
            state,
            ends_at: None,
            missing_scopes: Vec::new(),
            revocation_until: None,
        }
    }
}

/// Whether others than its owner can read the file.
#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    path.metadata().is_ok_and(|found| found.mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}
