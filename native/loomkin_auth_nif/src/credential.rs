//! Static credentials, and which credential is used.

use loomkin_auth::account::Owner;
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::secret::Secret;
use loomkin_auth::store::{Replace, StaticKind};
use rustler::{Env, ResourceArc, Term};

use crate::call::{Begun, answer};
use crate::convert::credential::{Kept, Resolved};
use crate::handle::{Handle, account_key};

#[rustler::nif]
fn set_key<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    account: (String, String),
    kind: String,
    secret: String,
    replace: bool,
) -> Begun {
    let (auth, secret) = (handle.auth(), Secret::new(secret));
    let replace = if replace { Replace::Yes } else { Replace::No };
    answer(env, tag, async move {
        let account = account_key(&account.0, &account.1)?;
        auth.set_key(&account, static_kind(&kind)?, secret, replace).await.map(Kept)
    })
}

/// Whether it was there.
#[rustler::nif]
fn remove_key<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    account: String,
    kind: String,
) -> Begun {
    let auth = handle.auth();
    answer(
        env,
        tag,
        async move { auth.remove_key(&account_key(&owner, &account)?, static_kind(&kind)?).await },
    )
}

#[rustler::nif]
fn resolve<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    name: String,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move { auth.resolve(&Owner::new(owner)?, &name).await.map(Resolved::from) })
}

fn static_kind(kind: &str) -> Result<StaticKind> {
    StaticKind::from_text(kind).ok_or_else(|| {
        Error::new(ErrorCode::Usage, "that is no kind of static credential")
            .with_advice("Use :api_key or :auth_token.")
    })
}
