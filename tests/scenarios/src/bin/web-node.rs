//! A node of a web app that answers one request of a browser's.
//!
//! ```text
//! web-node begin OWNER ACCOUNT     in a directory with a `.loomkin.toml`
//! web-node finish OWNER PROVIDER
//! web-node cancel OWNER ID
//! ```
//!
//! It says `ready` once it has opened the store. `finish` then reads two lines, the query of the callback and the `Cookie`
//! header. The answer is a line of JSON, `error` with its code where it has none; then it waits for the end of its stdin.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program of the scenarios: what it cannot do ends it, and its output is read by them"
)]

use std::io::{BufRead as _, Read as _};

use loomkin_auth::account::{AccountKey, Owner, ProviderId};
use loomkin_auth::auth::{Auth, HostedCallback, HostedOptions};
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::Result;
use loomkin_auth::secret::Secret;
use serde_json::{Value, json};

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter("loomkin_auth=trace").init();
    let environment = Environment::from_process();
    let auth = Auth::open(Config::open(None, &environment).unwrap(), &environment).await.unwrap();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [request, owner, subject] = &arguments[..] else { panic!("see the source for what it takes") };
    let owner = Owner::new(owner).unwrap();
    println!("ready");
    let answer = match request.as_str() {
        "begin" => begin(&auth, subject.parse().unwrap(), owner).await,
        "finish" => finish(&auth, ProviderId::new(subject).unwrap(), owner).await,
        _ => auth
            .cancel_hosted(&owner, subject.parse().unwrap())
            .await
            .map(|was_open| json!({ "was_open": was_open })),
    };
    println!("{}", answer.unwrap_or_else(|error| json!({ "error": error.code().as_str() })));
    let _ended = std::io::stdin().read_to_end(&mut Vec::new());
    auth.close().await;
}

async fn begin(auth: &Auth, account: AccountKey, owner: Owner) -> Result<Value> {
    let login = auth.begin_hosted(&account.for_owner(owner), HostedOptions::default()).await?;
    Ok(json!({
        "id": login.id().to_string(),
        "url": login.authorization_url(),
        "redirect_uri": login.redirect_uri(),
        // This is the answer to the browser that gets the cookie.
        "cookie": login.cookie().set_cookie().expose(),
    }))
}

async fn finish(auth: &Auth, provider: ProviderId, owner: Owner) -> Result<Value> {
    let mut lines = std::io::stdin().lock().lines().map(|line| Secret::new(line.unwrap()));
    let (query, cookies) = (lines.next().unwrap(), lines.next().unwrap());
    let callback = HostedCallback::read(provider, &query)?.with_cookies(&cookies);
    let connected = auth.finish_hosted(&owner, callback).await?;
    Ok(json!({ "connected": connected.account.to_string(), "account_login": connected.account_login }))
}
