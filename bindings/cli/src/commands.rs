//! One file for each command.

mod choose;
mod completions;
mod config;
mod connect;
mod disconnect;
mod doctor;
mod import;
mod key;
mod man;
mod me;
mod redact;
mod resolve;
mod rotate_key;
mod status;
mod token;
mod use_provider;
mod watch;

use std::time::Duration;

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::Auth;
use loomkin_auth::store::key::KeySetting;

use crate::arguments::{Arguments, Command, StoreCommand};
use crate::context::Context;
use crate::failure::Failure;

/// Does what was asked.
pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let output = context.output;
    let path = arguments.config.as_ref();
    match &arguments.command {
        Command::Completions { shell } => completions::run(*shell, output),
        Command::Config(command) => config::run(command, path, context),
        Command::Connect(connect) => connect::run(&context.open(path).await?, connect, output).await,
        Command::Disconnect(disconnect) => {
            disconnect::run(&context.open(path).await?, disconnect, output).await
        }
        Command::Doctor { probe } => doctor::run(*probe, path, context).await,
        Command::Import { file, replace } => {
            import::run(&context.open(path).await?, file, *replace, output).await
        }
        Command::Key(command) => {
            let auth = context.open_for(path, Some(&command.place().account.provider)).await?;
            key::run(&auth, command, output).await
        }
        Command::Man { command } => man::run(command, output),
        Command::Me => me::run(&context.open(path).await?, output).await,
        Command::Redact => redact::run().await,
        Command::Resolve { name } => {
            let provider = name.parse::<AccountKey>().ok().map(|account| account.provider);
            let config = context.config_for(path, provider.as_ref())?;
            resolve::run(config, &context.environment, name, output).await
        }
        Command::Status { watch: true } => watch::run(&context.open(path).await?, output).await,
        Command::Status { watch: false } => status::run(&context.open_for(path, None).await?, output).await,
        Command::Store(StoreCommand::RotateKey { key }) => {
            let key = key.as_deref().map(|text| KeySetting::read(text, &context.environment)).transpose()?;
            rotate_key::run(&context.open_to_rotate(path).await?, key.as_ref(), output).await
        }
        Command::Token { account } => {
            let provider = account.as_ref().map(|account| &account.provider);
            token::run(&context.open_for(path, provider).await?, account.as_ref(), output).await
        }
        Command::Use { account, .. } => {
            use_provider::run(&context.open(path).await?, account.as_ref(), output).await
        }
    }
}

/// Gives what could not be revoked earlier a moment at the end of a command that uses the network. What comes of it is
/// not what the command was asked for.
async fn retry_revocations(auth: &Auth) {
    match tokio::time::timeout(A_MOMENT, auth.retry_revocations()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(code = %error.code(), "revocations could not be tried again"),
        Err(_) => tracing::debug!("there is no time to try more revocations again"),
    }
}

/// The account that was named, or the active one.
async fn named_or_active(auth: &Auth, account: Option<&AccountKey>) -> Result<AccountKey, Failure> {
    match account {
        Some(account) => Ok(account.clone()),
        None => Ok(auth.active(&Owner::default()).await?),
    }
}

const A_MOMENT: Duration = Duration::from_secs(2);
