//! What can be typed after `loomkin-auth`.

mod examples;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use loomkin_auth::account::AccountKey;
use loomkin_auth::provider::Flow;
use loomkin_auth::store::StaticKind;

use self::examples::*;
use crate::complete;

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
        #[arg(value_parser = account, add = complete::accounts())]
        account: Option<AccountKey>,
    },

    /// Select the active connection
    #[command(after_help = USE_EXAMPLES)]
    Use {
        /// PROVIDER or PROVIDER/ACCOUNT
        #[arg(value_parser = account, required_unless_present = "none", add = complete::accounts())]
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
        #[arg(value_name = "TIER|PROVIDER", add = complete::accounts_and_tiers())]
        name: String,
    },

    /// Say whether the set-up works, and which command mends what does not
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor {
        /// Ask the network too: whether the providers answer, and what time it is there
        #[arg(long)]
        probe: bool,
    },

    /// Bring in logins and keys that another tool has kept in a file
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// The file; it is left as it was
        file: PathBuf,

        /// Overwrite what is there
        #[arg(long)]
        replace: bool,
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

    /// Print a manual page, in the words of man(7)
    #[command(after_help = MAN_EXAMPLES, hide = true)]
    Man {
        /// The command, such as `key set`; the whole program if left out
        command: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Connect {
    /// PROVIDER or PROVIDER/ACCOUNT, as the configuration names it
    #[arg(value_name = "PROVIDER[/ACCOUNT]", value_parser = account, add = complete::accounts())]
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
    #[arg(value_parser = account, add = complete::accounts())]
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
    #[arg(value_name = "PROVIDER[/ACCOUNT]", value_parser = account, add = complete::accounts())]
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
