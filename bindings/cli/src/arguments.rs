//! What can be typed after `loomkin-auth`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use loomkin_auth::account::AccountKey;
use loomkin_auth::provider::Flow;
use loomkin_auth::store::StaticKind;

/// Connect an account once; its token stays good.
#[derive(Debug, Parser)]
#[command(
    name = "loomkin-auth",
    version,
    after_help = EXAMPLES,
    after_long_help = LONG_EXAMPLES,
    disable_help_subcommand = true,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    /// Write JSON for programs, errors included
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Use this configuration file, and look for no other
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in at a provider and keep the connection
    #[command(after_help = CONNECT_EXAMPLES, visible_alias = "login")]
    Connect(Connect),

    /// End a connection, here and at the provider
    #[command(after_help = DISCONNECT_EXAMPLES, visible_alias = "logout")]
    Disconnect(Disconnect),

    /// Show every connection and what to do next
    #[command(after_help = STATUS_EXAMPLES)]
    Status {
        /// Stay, and show changes as they happen
        #[arg(long)]
        watch: bool,
    },

    /// Print an access token that is good now
    #[command(after_help = TOKEN_EXAMPLES)]
    Token {
        /// PROVIDER or PROVIDER/ACCOUNT; the active one if left out
        #[arg(value_parser = account)]
        account: Option<AccountKey>,
    },

    /// Select the active connection
    #[command(after_help = USE_EXAMPLES)]
    Use {
        /// PROVIDER or PROVIDER/ACCOUNT
        #[arg(value_parser = account, required_unless_present = "none")]
        account: Option<AccountKey>,

        /// Select none; nothing is disconnected
        #[arg(long, conflicts_with = "account")]
        none: bool,
    },

    /// Show who you are at the active provider
    #[command(after_help = ME_EXAMPLES)]
    Me,

    /// Keep API keys and auth tokens, sealed like everything else
    #[command(subcommand, disable_help_subcommand = true)]
    Key(KeyCommand),

    /// Say which credential a tier or a provider uses, and why
    #[command(after_help = RESOLVE_EXAMPLES)]
    Resolve {
        /// A tier; or PROVIDER or PROVIDER/ACCOUNT
        #[arg(value_name = "TIER|PROVIDER")]
        name: String,
    },

    /// Mask the secrets in a log: from stdin to stdout
    #[command(after_help = REDACT_EXAMPLES)]
    Redact,

    /// Check, show or describe the configuration
    #[command(subcommand, disable_help_subcommand = true)]
    Config(ConfigCommand),

    /// Look after the store of all connections
    #[command(subcommand, disable_help_subcommand = true)]
    Store(StoreCommand),

    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell that will read it
        shell: Shell,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Connect {
    /// PROVIDER or PROVIDER/ACCOUNT, as the configuration names it
    #[arg(value_name = "PROVIDER[/ACCOUNT]", value_parser = account)]
    pub(crate) account: Option<AccountKey>,

    /// How to log in; if left out, the configuration decides, or else where you are
    #[arg(long)]
    pub(crate) flow: Option<FlowName>,

    /// Ask for this beside what is granted already; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,

    /// Print the address, and leave opening it to you
    #[arg(long)]
    pub(crate) no_browser: bool,

    /// Wait no longer than this, such as 90s or 5m; never longer than the provider or ten minutes allow
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Disconnect {
    /// PROVIDER or PROVIDER/ACCOUNT; the active one if left out
    #[arg(value_parser = account)]
    pub(crate) account: Option<AccountKey>,

    /// End every connection
    #[arg(long, conflicts_with = "account")]
    pub(crate) all: bool,

    /// Delete it here alone; at the provider it lives on
    #[arg(long)]
    pub(crate) local: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Store a key: from a hidden prompt, or from stdin
    #[command(after_help = KEY_SET_EXAMPLES)]
    Set {
        #[command(flatten)]
        place: KeyPlace,

        /// Overwrite the one that is there
        #[arg(long)]
        replace: bool,

        /// A key that somebody typed all the same: taken, so that it can be refused without being repeated
        #[arg(hide = true)]
        typed: Vec<OsString>,
    },

    /// Remove a stored key; a login stays
    #[command(after_help = KEY_REMOVE_EXAMPLES)]
    Remove {
        #[command(flatten)]
        place: KeyPlace,
    },
}

impl KeyCommand {
    pub(crate) fn place(&self) -> &KeyPlace {
        match self {
            Self::Set { place, .. } | Self::Remove { place } => place,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct KeyPlace {
    /// PROVIDER or PROVIDER/ACCOUNT
    #[arg(value_name = "PROVIDER[/ACCOUNT]", value_parser = account)]
    pub(crate) account: AccountKey,

    /// A bearer token in place of an API key
    #[arg(long)]
    token: bool,
}

impl KeyPlace {
    pub(crate) fn kind(&self) -> StaticKind {
        if self.token { StaticKind::AuthToken } else { StaticKind::ApiKey }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// List everything that is wrong with a configuration file
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The file; the one that would be used if left out
        path: Option<PathBuf>,
    },

    /// Show the values in force and where each comes from; secrets are masked
    #[command(after_help = SHOW_EXAMPLES)]
    Show,

    /// Print the JSON Schema of the configuration, for editors
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Seal everything under a new key; every process goes on meanwhile
    #[command(after_help = ROTATE_KEY_EXAMPLES)]
    RotateKey {
        /// Where the key comes from afterwards: keychain, file:PATH or env:NAME; as now if left out
        #[arg(long, value_name = "SOURCE")]
        key: Option<String>,
    },
}

/// The flows that a terminal can carry out.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FlowName {
    /// The best one where you are, whatever the configuration says
    Auto,
    /// You enter a code on any device, such as your phone
    Device,
    /// The browser comes back to this machine by itself
    Loopback,
    /// You paste what the provider's page shows
    Paste,
}

impl FlowName {
    /// `None` for the best one.
    pub(crate) fn flow(self) -> Option<Flow> {
        match self {
            Self::Auto => None,
            Self::Device => Some(Flow::Device),
            Self::Loopback => Some(Flow::Loopback),
            Self::Paste => Some(Flow::Paste),
        }
    }
}

impl Connect {
    /// Whether anything is said that only a login has a use for.
    pub(crate) fn is_of_a_login(&self) -> bool {
        self.flow.is_some() || !self.scope.is_empty() || self.no_browser || self.timeout.is_some()
    }
}

/// clap shows one text for a bad value, so the advice goes into it.
fn account(text: &str) -> Result<AccountKey, String> {
    text.parse().map_err(|error: loomkin_auth::error::Error| format!("{error}\n\n  tip: {}", error.advice()))
}

const EXAMPLES: &str = "\
Examples:
  loomkin-auth connect github       log in with your browser
  loomkin-auth status               see every connection
  loomkin-auth token github         print a token that is good now";

const LONG_EXAMPLES: &str = "\
Examples:
  loomkin-auth connect github       log in with your browser
  loomkin-auth status               see every connection
  loomkin-auth token github         print a token that is good now

Configuration:
  .loomkin.toml in this directory or one above it, up to the root of the repository;
  else the one in your configuration directory. `loomkin-auth config check` explains it.

Environment:
  LOOMKIN_AUTH_LOG   log to stderr, such as `debug` or `loomkin_auth=trace`; never any secret
  NO_COLOR           no colours

Exit status:
   0  done                                75  try again later
   1  the login was not finished in time  76  the server broke the protocol
  64  the command is wrong                77  connect, or connect again
  74  the store or its key               78  the configuration
 130  stopped by Ctrl-C";

const CONNECT_EXAMPLES: &str = "\
Examples:
  loomkin-auth connect github                  log in with your browser
  loomkin-auth connect github/work             keep a second account beside it
  loomkin-auth connect                         choose from the configured providers
  loomkin-auth connect github --flow device    enter a code on any device, such as your phone
  loomkin-auth connect anthropic --flow paste  paste a code, where no browser comes back
  loomkin-auth connect github --scope gist     add a scope to those that you have granted

Without --flow it depends on where you are: at a desktop your browser comes back by itself; over
SSH, in a container and where there is no display, you enter a code on any device if the provider
has such codes, or else paste the address that your browser ends up at. It says what it chose.

At a terminal it asks for the way where a key would do as well; --flow answers that, and so does
every other option of a login. What it offers first falls back on the next if it cannot begin.
The address to open is printed alone on a line of stderr.
What was connected before stays as it is until the new login is stored.";

const DISCONNECT_EXAMPLES: &str = "\
Examples:
  loomkin-auth disconnect github/work   end this connection
  loomkin-auth disconnect               end the active one
  loomkin-auth disconnect --all         end all of them
  loomkin-auth disconnect --local       delete it here, and let it live on at the provider

What a provider that is away cannot revoke now is tried again for a day, unless you connect again.";

const STATUS_EXAMPLES: &str = "\
Examples:
  loomkin-auth status
  loomkin-auth status --watch
  loomkin-auth status --json | jq -r '.[] | select(.state != \"connected\") | .next_step'";

const TOKEN_EXAMPLES: &str = "\
Examples:
  curl -H \"Authorization: Bearer $(loomkin-auth token github)\" https://api.github.com/user
  loomkin-auth token --json | jq -r .expires_at

The token is refreshed if need be, once, however many ask at the same time.";

const USE_EXAMPLES: &str = "\
Examples:
  loomkin-auth use github/work   make this the active connection
  loomkin-auth use --none        have none";

const ME_EXAMPLES: &str = "\
Examples:
  loomkin-auth me
  loomkin-auth me --json | jq -r .account_login";

const KEY_SET_EXAMPLES: &str = "\
Examples:
  loomkin-auth key set openai                        paste the key; it stays hidden
  loomkin-auth key set github --token < token.txt    a bearer token, from a file
  pass show openai | loomkin-auth key set openai     from a password manager

A key is never an argument: every user of the machine could read it.
One that is there already stays, unless you say --replace.";

const KEY_REMOVE_EXAMPLES: &str = "\
Examples:
  loomkin-auth key remove openai
  loomkin-auth key remove github --token

The provider still accepts the key: revoke it on the provider's pages if it has leaked.";

const RESOLVE_EXAMPLES: &str = "\
Examples:
  loomkin-auth resolve fast            of the tier [auth.tiers.fast]
  loomkin-auth resolve openai          of a provider
  loomkin-auth resolve fast --json | jq -r .source

It never prints the credential: `loomkin-auth token` does, of what is stored.
API keys count first, then auth tokens, then the login; of each, the configuration, then the
environment, then the store. auth_mode of the tier says which of them are looked for.";

const REDACT_EXAMPLES: &str = "\
Examples:
  loomkin-auth redact < app.log > clean.log
  tail -f app.log | loomkin-auth redact
  curl -v https://api.github.com/user 2>&1 | loomkin-auth redact

It masks what looks like a secret: tokens, codes, keys, passwords, headers, JWTs, private keys and
e-mail addresses. Read the result before you show it to anybody: no one knows every secret's looks.
No configuration and no store is needed. A line appears when it ends.";

const CHECK_EXAMPLES: &str = "\
Examples:
  loomkin-auth config check
  loomkin-auth config check ../app/.loomkin.toml";

const SHOW_EXAMPLES: &str = "\
Examples:
  loomkin-auth config show
  loomkin-auth config show --json | jq -r '.[] | select(.origin == \"default\") | .key'";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  loomkin-auth config schema > loomkin.schema.json";

const ROTATE_KEY_EXAMPLES: &str = "\
Examples:
  loomkin-auth store rotate-key                      a new key from the same place
  loomkin-auth store rotate-key --key keychain       and from now on from the keychain
  loomkin-auth store rotate-key --key env:AUTH_KEY2  and from now on from this variable

Nobody has to log in again. It may be stopped at any moment: run it again, and it finishes.
With another SOURCE, change key under [auth.store] too.
To replace the secret behind a variable or a file, put the new one under another name and
rotate to that: the old one is needed until the end.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  loomkin-auth completions bash > ~/.local/share/bash-completion/completions/loomkin-auth
  loomkin-auth completions zsh > \"${fpath[1]}/_loomkin-auth\"
  loomkin-auth completions fish > ~/.config/fish/completions/loomkin-auth.fish";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_command_is_without_an_example() {
        fn check(command: &clap::Command) {
            for inner in command.get_subcommands() {
                assert!(inner.get_about().is_some(), "{}", inner.get_name());
                assert!(inner.has_subcommands() || inner.get_after_help().is_some(), "{}", inner.get_name());
                check(inner);
            }
        }
        check(&Arguments::command());
    }
}
