//! `use`: selects the active connection.

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::Auth;

use crate::failure::Failure;
use crate::output::Output;
use crate::shapes::UseShape;

pub(super) async fn run(auth: &Auth, account: Option<&AccountKey>, output: Output) -> Result<(), Failure> {
    match account {
        Some(account) => auth.use_provider(account).await?,
        None => auth.use_none(&Owner::default()).await?,
    }
    if output.json {
        return output.json(&UseShape::from(account));
    }
    match account {
        Some(account) => output.line(format_args!("{account} is the active connection now.")),
        None => output.line("No connection is active now. Nothing was disconnected."),
    }
}
