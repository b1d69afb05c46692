//! The store as it is found, and opened only where that makes nothing.

use super::super::{Auth, Ports};
use crate::config::{Backend, Config};
use crate::doctor::store::StoreFacts;
use crate::doctor::{self, Finding, FindingCode};
use crate::environment::Environment;
use crate::error::Result;
use crate::store::key::{Admission, outlook};
use crate::store::sqlite::{Inspection, SqliteStore};

/// What is wrong with the store, and an [`Auth`] where it can be opened.
pub(super) async fn examine(
    config: &Config,
    environment: &Environment,
    ports: &Ports,
) -> (Vec<Finding>, Option<Auth>) {
    let mut facts = StoreFacts { is_there: true, ..StoreFacts::default() };
    let auth = match look(config, environment, ports, &mut facts).await {
        Ok(auth) => auth,
        Err(error) => {
            facts.refused = Some(error);
            None
        }
    };
    (doctor::store::examine(&facts), auth)
}

/// Whether there is no store, and nothing keeps the first command from making one: then it is known what it holds.
pub(super) fn is_new(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.code == FindingCode::StoreNew)
}

async fn look(
    config: &Config,
    environment: &Environment,
    ports: &Ports,
    facts: &mut StoreFacts,
) -> Result<Option<Auth>> {
    let setting = config.store();
    if setting.backend.value == Backend::Sqlite {
        let Inspection { is_there, faults, locks } = SqliteStore::inspect(&setting.path.value).await?;
        (facts.is_there, facts.faults, facts.locks) = (is_there, faults, locks);
        if !facts.faults.is_empty() || facts.locks.is_some() {
            return Ok(None);
        }
        if !is_there {
            facts.outlook =
                Some(outlook(&setting.key.value, environment, &ports.keychain, &*ports.clock).await);
            return Ok(None);
        }
    }
    let store = ports.open_store(config).await?;
    // To open a store that has no key yet would make one. One of this process ends with it.
    if setting.backend.value != Backend::Memory && store.keys().await?.is_empty() && store.is_empty().await? {
        facts.is_there = false;
        facts.outlook = Some(outlook(&setting.key.value, environment, &ports.keychain, &*ports.clock).await);
        return Ok(None);
    }
    let opened = ports.open_vault(store, config, environment, Admission::TheSource).await?;
    Ok(Some(Auth::assemble(config.clone(), environment, ports.clone(), opened)))
}
