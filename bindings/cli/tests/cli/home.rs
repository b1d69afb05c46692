//! A home directory for one test, and the command run in it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Two providers, and a key that no keychain is asked for.
pub(crate) const TWO_PROVIDERS: &str = r#"
[auth.store]
path = "store/auth.db"
key = "env:STORE_KEY"

[auth.github]
client_id = "Iv1.abc"

[auth.work-idp]
client_id = "cli"
authorization_endpoint = "https://id.example.com/authorize"
token_endpoint = "https://id.example.com/token"
"#;

/// A home of its own, removed at the end of the test.
pub(crate) struct Home(TempDir);

impl Home {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// One with this `.loomkin.toml`.
    pub(crate) fn with_config(text: &str) -> Self {
        let home = Self::new();
        std::fs::write(home.path(".loomkin.toml"), text).unwrap();
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command in this home, with nothing else of the environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loomkin-auth"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .env("STORE_KEY", "0123456789abcdef0123456789abcdef")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit_code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { exit_code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, exit_code: i32) -> Self {
        assert_eq!(self.exit_code, Some(exit_code), "{self:#?}");
        self
    }

    /// The object that a program finds on stderr.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        let value: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{self:#?}"));
        value["error"].clone()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self:#?}"))
    }
}
