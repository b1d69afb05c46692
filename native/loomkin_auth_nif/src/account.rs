//! The accounts of an owner: what state they are in, which is the active one, and how they end.

use loomkin_auth::account::Owner;
use loomkin_auth::lifecycle::DisconnectScope;
use rustler::{Env, ResourceArc, Term};

use crate::call::{Begun, answer};
use crate::convert::account::{Ended, Identity};
use crate::convert::error::Failure;
use crate::convert::status::Status;
use crate::handle::{Handle, account_key};

#[rustler::nif]
fn status<'a>(env: Env<'a>, tag: Term<'a>, handle: ResourceArc<Handle>, owner: String) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        let rows = auth.status(&Owner::new(owner)?).await?;
        Ok(rows.into_iter().map(Status::from).collect::<Vec<_>>())
    })
}

#[rustler::nif]
fn disconnect<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    account: String,
    local: bool,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        let account = account_key(&owner, &account)?;
        let disconnected = auth.disconnect(&account, scope(local)).await?;
        Ok(Ended::new(&account, disconnected))
    })
}

/// A list of `{:ok, ended}` and `{:error, error}`; each names its account.
#[rustler::nif]
fn disconnect_all<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    local: bool,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        let all = auth.disconnect_all(&Owner::new(owner)?, scope(local)).await?;
        let each = all.into_iter().map(|(account, result)| match result {
            Ok(disconnected) => Ok(Ended::new(&account, disconnected)),
            Err(error) => Err(Failure::from(error.with_account(&account))),
        });
        Ok(each.collect::<Vec<_>>())
    })
}

#[rustler::nif]
fn use_provider<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    account: String,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        auth.use_provider(&account_key(&owner, &account)?).await?;
        Ok(true)
    })
}

#[rustler::nif]
fn use_none<'a>(env: Env<'a>, tag: Term<'a>, handle: ResourceArc<Handle>, owner: String) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        auth.use_none(&Owner::new(owner)?).await?;
        Ok(true)
    })
}

#[rustler::nif]
fn active<'a>(env: Env<'a>, tag: Term<'a>, handle: ResourceArc<Handle>, owner: String) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        let account = auth.active(&Owner::new(owner)?).await?;
        Ok(account.to_string())
    })
}

#[rustler::nif]
fn me<'a>(env: Env<'a>, tag: Term<'a>, handle: ResourceArc<Handle>, owner: String) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move { auth.me(&Owner::new(owner)?).await.map(Identity::from) })
}

fn scope(local: bool) -> DisconnectScope {
    if local { DisconnectScope::Local } else { DisconnectScope::Everywhere }
}
