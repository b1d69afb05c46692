//! `token`: a token that is good now, alone on stdout.

use loomkin_auth::account::AccountKey;
use loomkin_auth::auth::Auth;

use super::named_or_active;
use crate::failure::Failure;
use crate::output::Output;
use crate::shapes::TokenShape;

pub(super) async fn run(auth: &Auth, account: Option<&AccountKey>, output: Output) -> Result<(), Failure> {
    if let Some(account) = account {
        auth.config().check_known(&account.provider)?;
    }
    let account = named_or_active(auth, account).await?;
    let asked = auth.access_token(&account);
    let token = output.while_waiting(format_args!("Refreshing the token of {account} …"), asked).await?;
    if output.json {
        return output.json(&TokenShape::from(&token));
    }
    // To hand it out is what this command is for.
    output.line(token.secret().expose())
}
