//! What is left of a process.

use serde_json::Value;

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What was asked for.
    pub stdout: String,
    /// Everything else, log lines included.
    pub stderr: String,
}

impl Ran {
    /// Checks the exit code.
    ///
    /// # Panics
    ///
    /// When it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Its stdout as one JSON value.
    ///
    /// # Panics
    ///
    /// When it is something else.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}\n{}", self.stdout, self.stderr))
    }

    /// The `error` object that `--json` prints on stderr.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn error(&self) -> Value {
        // What a desktop session writes may end without the end of a line.
        let start = self.stderr.rfind("{\"error\"").unwrap_or_else(|| panic!("{}", self.stderr));
        let line = self.stderr[start..].lines().next().unwrap_or_default();
        let value: Value = serde_json::from_str(line).unwrap();
        value["error"].clone()
    }

    /// The token that `token` printed.
    ///
    /// # Panics
    ///
    /// When it printed none.
    #[track_caller]
    pub fn token(&self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        read_token(&self.stdout)
    }
}

pub(super) fn read_token(stdout: &str) -> String {
    match serde_json::from_str::<Value>(stdout) {
        Ok(answer) => answer["token"].as_str().unwrap_or_default().to_owned(),
        Err(_) => stdout.trim_end().to_owned(),
    }
}
