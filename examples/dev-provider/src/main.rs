//! `loomkin-dev-provider`: the server as a command, for people and for tests in other languages.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use loomkin_auth_dev_provider::{Client, DevProvider, Rotation, Settings};
use tokio::sync::oneshot;

/// A local authorization server with switchable faults. Nothing it says is real; it listens on 127.0.0.1 only.
#[derive(Parser)]
#[command(name = "loomkin-dev-provider", version)]
struct Arguments {
    /// The port; 0 takes any free one
    #[arg(long, default_value_t = 4455)]
    port: u16,

    /// How long an access token works, such as 5s or 10m
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = humantime::parse_duration)]
    access_token_lifetime: Duration,

    /// How long a device has to wait between two polls
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    device_interval: Duration,

    /// Sends everybody back at once as USER, without showing the page
    #[arg(long, value_name = "USER")]
    auto_approve: Option<String>,

    /// Lets a refresh token work for ever
    #[arg(long, conflicts_with = "forgive_repeats")]
    no_rotation: bool,

    /// Answers a repeated refresh token with the same successor for this long, instead of ending the grant
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    forgive_repeats: Option<Duration>,

    /// What every code and opaque token begins with
    #[arg(long, value_name = "TEXT", default_value = "dev-")]
    token_prefix: String,

    /// Stops when standard input closes, so that a test that dies leaves no server behind
    #[arg(long)]
    stop_with_stdin: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let rotation = match arguments.forgive_repeats {
        Some(grace) => Rotation::Forgiving { grace },
        None if arguments.no_rotation => Rotation::Off,
        None => Rotation::Strict,
    };
    let settings = Settings {
        access_token_lifetime: arguments.access_token_lifetime,
        auto_approve: arguments.auto_approve,
        device_interval: arguments.device_interval,
        port: arguments.port,
        rotation,
        token_prefix: arguments.token_prefix,
        ..Settings::default()
    };
    match run(settings, arguments.stop_with_stdin).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let port = arguments.port;
            // Standard error is the last resort; where it is closed, the exit code has to do.
            let _ = writeln!(io::stderr(), "loomkin-dev-provider: port {port}: {error}\nTry --port 0.");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings, stop_with_stdin: bool) -> io::Result<()> {
    let provider = DevProvider::start(settings).await?;
    announce(provider.issuer())?;
    tokio::select! {
        stopped = stop_signal() => stopped?,
        () = stdin_closed(), if stop_with_stdin => {}
    }
    provider.stop().await;
    Ok(())
}

/// One line for programs on standard output; for people, what to put into their configuration.
fn announce(issuer: &str) -> io::Result<()> {
    let ready = serde_json::json!({"ready": true, "issuer": issuer});
    writeln!(io::stdout(), "{ready}")?;
    let client = Client::DEV;
    writeln!(
        io::stderr(),
        "Listening. In .loomkin.toml:\n\n\
         [auth.dev]\n\
         issuer = \"{issuer}\"\n\
         client_id = \"{client}\"\n\
         scopes = [\"openid\", \"profile\"]\n\n\
         Ctrl-C stops it."
    )
}

async fn stdin_closed() {
    let (closed, closing) = oneshot::channel::<()>();
    // A thread of its own, because a read that is under way would keep the runtime from shutting down.
    std::thread::spawn(move || {
        // A stream that cannot be read is as good as closed.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(closed);
    });
    // Ends by the sender's being dropped.
    let _ = closing.await;
}

#[cfg(unix)]
async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
