//! Reading out the state of an owner's accounts.

use std::collections::BTreeMap;

use super::Auth;
use crate::account::{AccountKey, Owner};
use crate::error::Result;
use crate::lifecycle::{Lifecycle, not_connected};
use crate::status::{ConnectionState, ConnectionStatus, Me};
use crate::store::{Record, Revocation};

/// Every stored connection of `owner`, and every configured provider that has none.
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
    for provider in auth.lifecycle.configured() {
        if !rows.keys().any(|account| account.provider == *provider) {
            let account = AccountKey::from(provider.clone()).for_owner(owner.clone());
            rows.insert(account.clone(), disconnected(account, None));
        }
    }
    Ok(rows
        .into_values()
        .map(|row| ConnectionStatus { active: Some(&row.account) == active.as_ref(), ..row })
        .collect())
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
