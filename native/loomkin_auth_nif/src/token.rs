//! Tokens that are good now.

use loomkin_auth::error::Error;
use loomkin_auth::lifecycle::Answer;
use loomkin_auth::secret::Secret;
use rustler::{Env, ResourceArc, Term};

use crate::call::{Begun, answer};
use crate::convert::token::Given;
use crate::handle::{Handle, account_key};

/// A fresh token out of memory, or `nil`. What is wrong with the arguments is told by `access_token`.
#[rustler::nif]
fn fresh_token(handle: ResourceArc<Handle>, owner: &str, account: &str) -> Option<Given> {
    let account = account_key(owner, account).ok()?;
    handle.here().fresh_token(&account).map(Given)
}

#[rustler::nif]
fn access_token<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    account: String,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move { auth.access_token(&account_key(&owner, &account)?).await.map(Given) })
}

/// Another token than `rejected`, which a resource server did not accept; the same where that is too young to be renewed.
#[rustler::nif]
fn renew_rejected<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    owner: String,
    account: String,
    rejected: String,
) -> Begun {
    let (auth, rejected) = (handle.auth(), Secret::new(rejected));
    answer(env, tag, async move {
        let account = account_key(&owner, &account)?;
        let judge = async |token: loomkin_auth::lifecycle::AccessToken| {
            let is_rejected = token.secret().matches(&rejected);
            Ok::<_, Error>(if is_rejected { Answer::TokenRejected(token) } else { Answer::Accepted(token) })
        };
        auth.with_token(&account, judge).await.map(Given)
    })
}
