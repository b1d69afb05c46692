//! Reading out the state of an owner's accounts.

use std::collections::BTreeMap;

use super::Auth;
use crate::account::{AccountKey, Owner};
use crate::credential::{Way, recognise, ways};
use crate::error::Result;
use crate::lifecycle::{Lifecycle, not_connected};
use crate::status::{ConnectionState, ConnectionStatus, Me};
use crate::store::vault::StoredCredential;
use crate::store::{Record, Revocation};

/// Every stored connection and every stored key of `owner`, and every configured provider that has neither.
pub(super) async fn of_all(auth: &Auth, owner: &Owner) -> Result<Vec<ConnectionStatus>> {
    let active = auth.lifecycle.vault().active(owner).await?;
    let mut rows = BTreeMap::new();
    for record in auth.lifecycle.vault().list(owner).await? {
        let row = of_record(auth, &record).await;
        rows.insert(record.account, row);
    }
    for Revocation { record, until, .. } in auth.lifecycle.vault().revocations_of(owner).await? {
        let row = rows.entry(record.account.clone()).or_insert_with(|| disconnected(record.account, None));
        row.revocation_until = row.revocation_until.max(Some(until));
        row.note.get_or_insert_with(|| {
            format!("disconnected here; its revocation is still to be sent to the provider, until {until}")
        });
    }
    let stored = auth.lifecycle.vault().credentials(owner).await?;
    for credential in &stored {
        rows.entry(credential.account.clone())
            .or_insert_with_key(|account| of_key(auth, account, credential));
    }
    for provider in auth.config.providers().keys() {
        if !rows.keys().any(|account| account.provider == *provider) {
            let account = AccountKey::from(provider.clone()).for_owner(owner.clone());
            rows.insert(account.clone(), without_anything(auth, account));
        }
    }
    Ok(rows
        .into_values()
        .map(|row| ConnectionStatus {
            active: Some(&row.account) == active.as_ref(),
            credentials: auth.present(&row.account, &stored),
            ..row
        })
        .collect())
}

/// An account that has no connection, and this key: the one that [`Auth::access_token`] gives.
fn of_key(auth: &Auth, account: &AccountKey, credential: &StoredCredential) -> ConnectionStatus {
    let row = disconnected(account.clone(), None);
    match recognise(&auth.config, credential.clone()) {
        Ok(_) => ConnectionStatus {
            state: ConnectionState::Connected,
            since: Some(credential.created_at),
            next_step: None,
            ..row
        },
        Err(error) => ConnectionStatus {
            note: Some(error.message().to_owned()),
            next_step: Some(error.advice().to_owned()),
            ..row
        },
    }
}

/// A configured account for which nothing is stored. Where nobody can log in, there is nothing to do for one whose key is
/// in the configuration or the environment.
fn without_anything(auth: &Auth, account: AccountKey) -> ConnectionStatus {
    let row = disconnected(account, None);
    let can_log_in = auth.lifecycle.configured().any(|provider| *provider == row.account.provider);
    if can_log_in {
        return row;
    }
    let next_step = match (
        ways(&auth.config, &row.account.provider, auth.place).first(),
        auth.present(&row.account, &[]),
    ) {
        (Some(Way::Key(kind)), present) if present.is_empty() => {
            Some(format!("Run `loomkin-auth key set {}{}`.", row.account, kind.option()))
        }
        _ => None,
    };
    ConnectionStatus { next_step, ..row }
}

async fn of_record(auth: &Auth, record: &Record) -> ConnectionStatus {
    // Reading it in full checks the seal and the binding, as every other call would.
    if let Err(error) = auth.lifecycle.check(&record.account).await {
        let row = disconnected(record.account.clone(), Some(error.message().to_owned()));
        return ConnectionStatus { next_step: Some(error.advice().to_owned()), ..row };
    }
    let state = ConnectionState::derive(record, auth.ports.clock.now());
    let columns = record.columns.clone();
    let server = auth.lifecycle.server(&record.account);
    let missing_scopes =
        server.map_or_else(|_| Vec::new(), |server| server.missing_scopes(&server.scopes(), &columns.scopes));
    ConnectionStatus {
        account: record.account.clone(),
        state,
        active: false,
        account_login: columns.account_login,
        account_id: columns.account_id,
        scopes: columns.scopes,
        expires_at: columns.expires_at,
        base_url: columns.base_url,
        since: Some(columns.created_at),
        revocation_until: None,
        note: note(state).or_else(|| missing_note(&missing_scopes)),
        next_step: next_step(state, &record.account)
            .or_else(|| ask_for_missing(&record.account, &missing_scopes)),
        missing_scopes,
        credentials: Vec::new(),
    }
}

/// Who `account` is at its provider.
pub(super) async fn me(lifecycle: &Lifecycle, account: &AccountKey) -> Result<Me> {
    lifecycle.check(account).await?;
    let record = lifecycle.vault().record(account).await?.ok_or_else(|| not_connected(account))?;
    Ok(Me {
        account: record.account,
        account_login: record.columns.account_login,
        account_id: record.columns.account_id,
        base_url: record.columns.base_url,
        since: record.columns.created_at,
    })
}

fn disconnected(account: AccountKey, note: Option<String>) -> ConnectionStatus {
    let state = ConnectionState::Disconnected;
    ConnectionStatus {
        next_step: next_step(state, &account),
        account,
        state,
        active: false,
        account_login: None,
        account_id: None,
        scopes: Vec::new(),
        missing_scopes: Vec::new(),
        expires_at: None,
        base_url: None,
        since: None,
        revocation_until: None,
        credentials: Vec::new(),
        note,
    }
}

fn note(state: ConnectionState) -> Option<String> {
    let note = match state {
        ConnectionState::Degraded { usable: true, .. } => {
            "the provider cannot be reached for a refresh; the present token still works"
        }
        ConnectionState::Degraded { usable: false, .. } => "the provider cannot be reached for a refresh",
        ConnectionState::ReconnectRequired { reason } => reason.explanation(),
        _ => return None,
    };
    Some(note.to_owned())
}

fn missing_note(missing: &[String]) -> Option<String> {
    (!missing.is_empty()).then(|| format!("configured and not granted: {}", missing.join(", ")))
}

/// The scopes are named, because only then is what is granted beyond the configuration asked for again.
fn ask_for_missing(account: &AccountKey, missing: &[String]) -> Option<String> {
    let options: String = missing.iter().map(|scope| format!(" --scope {scope}")).collect();
    (!missing.is_empty()).then(|| format!("Run `loomkin-auth connect {account}{options}`."))
}

fn next_step(state: ConnectionState, account: &AccountKey) -> Option<String> {
    match state {
        ConnectionState::Disconnected | ConnectionState::ReconnectRequired { .. } => {
            Some(format!("Run `loomkin-auth connect {account}`."))
        }
        ConnectionState::Degraded { .. } => Some("Wait; it is tried again by itself.".to_owned()),
        _ => None,
    }
}
