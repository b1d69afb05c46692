//! Logins whose redirect comes to the web app.

use std::time::Duration;

use loomkin_auth::account::{Owner, ProviderId};
use loomkin_auth::auth::{HostedCallback, HostedOptions};
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::protocol::state::StateDigest;
use loomkin_auth::secret::Secret;
use rustler::{Env, ResourceArc, Term};

use crate::call::{Begun, answer};
use crate::convert::login::{Hosted, Made};
use crate::handle::{Handle, account_key};

#[rustler::nif]
fn begin_hosted<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    account: String,
    scopes: Vec<String>,
    timeout: Option<u64>,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        let mut options = HostedOptions::default();
        options.scopes = scopes;
        options.timeout = timeout.map(Duration::from_millis);
        auth.begin_hosted(&account_key(&owner, &account)?, options).await.map(Hosted::from)
    })
}

/// `query` and `cookies` are as they came.
#[rustler::nif]
fn finish_hosted<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    provider: String,
    query: String,
    cookies: String,
) -> Begun {
    let (auth, query, cookies) = (handle.auth(), Secret::new(query), Secret::new(cookies));
    answer(env, tag, async move {
        let callback = HostedCallback::read(ProviderId::new(provider)?, &query)?.with_cookies(&cookies);
        auth.finish_hosted(&Owner::new(owner)?, callback).await.map(Made::from)
    })
}

/// Whether it was open.
#[rustler::nif]
fn cancel_hosted<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    id: String,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        let id: StateDigest =
            id.parse().map_err(|_| Error::new(ErrorCode::Usage, "that is no login's id"))?;
        auth.cancel_hosted(&Owner::new(owner)?, id).await
    })
}
