//! The whole life of a connection, offline, in a few seconds: `cargo run -p quickstart`.
//!
//! Every chapter is a few calls of the public API, in the order in which an app meets them. `stage.rs` holds what an
//! app does not need: a provider to log in to, and somebody who clicks.
#![expect(clippy::print_stdout, reason = "it tells a story on the screen")]

mod stage;

use std::error::Error as StdError;

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::{Auth, ConnectOptions};
use loomkin_auth::config::Config;
use loomkin_auth::lifecycle::DisconnectScope;
use loomkin_auth::protocol::revocation::RevocationAnswer;
use loomkin_auth_dev_provider::{Endpoint, Fault};
use stage::{LIFETIME, Stage};

type Result<T> = std::result::Result<T, Box<dyn StdError>>;

#[tokio::main]
async fn main() -> Result<()> {
    let stage = Stage::set().await?;
    println!("A provider on this machine plays the other side: {}", stage.provider.issuer());

    explain_mistakes(&stage);
    let auth = connect(&stage).await?;
    look_into_the_store(&stage, &auth).await?;
    show_status(&auth).await?;
    refresh_by_itself(&stage, &auth).await?;
    ask_eight_times_at_once(&stage, &auth).await?;
    survive_an_outage(&stage, &auth).await?;
    disconnect(&stage, &auth).await?;

    auth.close().await;
    stage.provider.stop().await;
    println!("\nThat is all there is to it. examples/quickstart/src/main.rs is what you have just seen.");
    Ok(())
}

fn explain_mistakes(stage: &Stage) {
    chapter("A configuration with mistakes is explained, all of them at once");
    let mistaken = "[auth.github]\n\
                    client_idd = \"Iv1.abc\"\n\
                    client_secret = \"${GITHUB_SECRET}\"\n\
                    token_url = \"http://github.example/token\"\n";
    if let Err(problems) = Config::parse(mistaken, ".loomkin.toml".as_ref(), &stage.environment) {
        problems.to_string().lines().for_each(|line| println!("  {line}"));
    }
}

async fn connect(stage: &Stage) -> Result<Auth> {
    chapter("Connect: the browser opens, the person agrees, the app goes on");
    let config = stage.config()?;
    let ports = stage.ports(&config)?;
    let auth = Auth::open_with(config, &stage.environment, ports).await?;

    let mut login = auth.connect(&demo()?, ConnectOptions::default()).await?;
    login.open_browser().await?;
    let connected = login.wait().await?;

    println!("  connected {} as {}", connected.account, connected.account_login.unwrap_or_default());
    Ok(auth)
}

async fn look_into_the_store(stage: &Stage, auth: &Auth) -> Result<()> {
    chapter("The tokens are sealed: no byte of them is on the disk");
    let token = auth.access_token(&demo()?).await?;
    // Exposed to search for it.
    let needle = token.secret().expose().as_bytes();
    for file in std::fs::read_dir(stage.store_folder())?.filter_map(|file| file.ok()) {
        if file.file_type()?.is_file() {
            let bytes = std::fs::read(file.path())?;
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            let found = if found { "FOUND" } else { "not in it" };
            println!(
                "  {:<16} {:>7} bytes   the access token is {found}",
                file.file_name().display(),
                bytes.len()
            );
        }
    }
    println!("  and what can be printed of it is {token:?}");
    Ok(())
}

async fn show_status(auth: &Auth) -> Result<()> {
    chapter("Status: what every account is, and what to do next");
    for row in auth.status(&Owner::default()).await? {
        let next = row.next_step.as_deref().unwrap_or("nothing to do");
        println!("  {:<8} {:<12} {}", row.account.to_string(), row.state.to_string(), next);
    }
    Ok(())
}

async fn refresh_by_itself(stage: &Stage, auth: &Auth) -> Result<()> {
    chapter("An access token ends; the next call has a new one");
    let before = auth.access_token(&demo()?).await?;
    tokio::time::sleep(LIFETIME).await;
    let after = auth.access_token(&demo()?).await?;
    println!("  the same token: {}", before.secret().matches(after.secret()));
    println!("  refresh requests the provider has seen: {}", refreshes(stage));
    Ok(())
}

async fn ask_eight_times_at_once(stage: &Stage, auth: &Auth) -> Result<()> {
    chapter(
        "Eight callers at once, one refresh: the provider ends the login when a refresh token comes twice",
    );
    let seen = refreshes(stage);
    tokio::time::sleep(LIFETIME).await;
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (auth, demo) = (auth.clone(), demo());
            tokio::spawn(async move { auth.access_token(&demo?).await })
        })
        .collect();
    let mut served = 0;
    for caller in callers {
        served += usize::from(caller.await?.is_ok());
    }
    println!("  callers with a token: {served}, refresh requests: {}", refreshes(stage) - seen);
    Ok(())
}

async fn survive_an_outage(stage: &Stage, auth: &Auth) -> Result<()> {
    chapter("The provider is away; nobody is logged out");
    tokio::time::sleep(LIFETIME).await;
    let outage = Fault::HtmlError { status: 503 };
    stage.provider.fault(Endpoint::Token, outage).until_cleared();
    if let Err(error) = auth.access_token(&demo()?).await {
        println!("  {}: {error}. {}", error.code(), error.advice());
        show_states(auth).await?;
        stage.provider.clear_faults();
        tokio::time::sleep(error.retry_after().unwrap_or_default()).await;
    }
    auth.access_token(&demo()?).await?;
    println!("  it is back:");
    show_states(auth).await
}

async fn disconnect(stage: &Stage, auth: &Auth) -> Result<()> {
    chapter("Disconnect: gone here, revoked there, and said honestly");
    let token = auth.access_token(&demo()?).await?;
    let disconnected = auth.disconnect(&demo()?, DisconnectScope::Everywhere).await?;
    match disconnected.revocation {
        RevocationAnswer::Revoked => println!("  the provider says: revoked"),
        RevocationAnswer::NotRevoked { reason, .. } => println!("  not revoked: {reason}"),
    }
    // Exposed to ask the provider about it.
    let active = stage.provider.is_active(token.secret().expose());
    println!("  the old token still works at the provider: {active}");
    if let Err(error) = auth.access_token(&demo()?).await {
        println!("  {}: {error}. {}", error.code(), error.advice());
    }
    Ok(())
}

async fn show_states(auth: &Auth) -> Result<()> {
    for row in auth.status(&Owner::default()).await? {
        println!("  {} is {}", row.account, row.state);
    }
    Ok(())
}

fn demo() -> loomkin_auth::error::Result<AccountKey> {
    "demo".parse()
}

fn refreshes(stage: &Stage) -> usize {
    stage.provider.count_token_requests("refresh_token")
}

fn chapter(title: &str) {
    println!("\n{title}");
}
