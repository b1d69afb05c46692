//! A process that lives long: an app that keeps asking the library for the tokens of some accounts.
//!
//! ```text
//! resident ACCOUNT…    in a directory with a `.loomkin.toml`
//! ```
//!
//! Whenever what an account is answered changes, it writes a line such as `{"account":"dev","error":"unavailable"}`
//! (`null` for a token) on standard output. Log lines go to standard error. It ends in order, as an app should, when its
//! standard input does; the scenarios kill it before that.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program of the scenarios: what it cannot do ends it, and its output is read by them"
)]

use std::time::Duration;

use loomkin_auth::account::AccountKey;
use loomkin_auth::auth::Auth;
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() {
    let ours = filter_fn(|metadata| metadata.target().starts_with("loomkin_auth"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(LevelFilter::TRACE);
    tracing_subscriber::registry().with(lines.with_filter(ours)).init();
    let environment = Environment::from_process();
    let auth = Auth::open(Config::open(None, &environment).unwrap(), &environment).await.unwrap();
    for account in std::env::args().skip(1) {
        tokio::spawn(ask_for_ever(auth.clone(), account.parse().unwrap()));
    }
    let mut nothing = Vec::new();
    // Its end is what counts, however it comes.
    let _ended = tokio::io::stdin().read_to_end(&mut nothing).await;
    auth.close().await;
}

async fn ask_for_ever(auth: Auth, account: AccountKey) {
    let mut last = None;
    loop {
        let error = auth.access_token(&account).await.err().map(|error| error.code().as_str());
        if last != Some(error) {
            println!("{}", json!({"account": account.to_string(), "error": error}));
            last = Some(error);
        }
        tokio::time::sleep(BREATH).await;
    }
}

const BREATH: Duration = Duration::from_millis(20);
