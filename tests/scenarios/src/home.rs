//! A home directory for one scenario, and the place where its canary is asked in the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use tempfile::TempDir;

use crate::canary::Canary;
use crate::logs;

/// A directory with a `.loomkin.toml`, and the only environment that a scenario has.
///
/// When it is dropped, every file in it and every log line is shown to the canary, and a leak fails the test. So no
/// scenario can forget to look.
#[derive(Debug)]
pub struct Home {
    canary: Canary,
    directory: TempDir,
    more_variables: Mutex<Vec<(String, String)>>,
}

impl Home {
    /// The sealing key that every home has in the variable `STORE_KEY`.
    pub const KEY: &str = "canary--key-of-more-than-thirty-two-bytes";

    /// The secret of every confidential client, in the variable `CLIENT_SECRET`. Its end has to be form-encoded inside
    /// `Basic` (RFC 6749 §2.3.1).
    pub const CLIENT_SECRET: &str = "canary--client-p+a s/s:w%&=";

    /// Where a browser reaches the web app of every home. Nobody listens there: a scenario brings what comes back to a
    /// node of its choice.
    pub const BASE_URL: &str = "http://127.0.0.1:4200";

    /// A home with a store that is sealed with [`Home::KEY`], and the tables of `providers`.
    ///
    /// # Panics
    ///
    /// When the directory cannot be written.
    pub fn new(providers: &str) -> Self {
        Self::with_store(STORE, providers)
    }

    /// As [`Home::new`], with another `[auth.store]`.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn with_store(store: &str, providers: &str) -> Self {
        logs::keep();
        let home = Self {
            canary: Canary::default(),
            directory: TempDir::new().unwrap(),
            more_variables: Mutex::default(),
        };
        home.canary.hide(Self::KEY);
        home.canary.hide(Self::CLIENT_SECRET);
        home.write_config(&format!("[auth.store]\n{store}\n\n{providers}"));
        home
    }

    /// Puts other tables of providers into place, with the store of [`Home::new`].
    ///
    /// # Panics
    ///
    /// When they cannot be written.
    pub fn write_providers(&self, providers: &str) {
        self.write_config(&format!("[auth.store]\n{STORE}\n\n{providers}"));
    }

    /// Puts another configuration into place.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write_config(&self, text: &str) {
        fs::write(self.path(".loomkin.toml"), text).unwrap();
    }

    /// Where `name` is in this home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where secrets and sights are collected.
    pub fn canary(&self) -> &Canary {
        &self.canary
    }

    /// All variables there are. The person sits at this machine, in front of a browser that nobody sees.
    pub fn variables(&self) -> Vec<(String, String)> {
        let home = self.directory.path().display().to_string();
        let own = [
            ("BROWSER", "/bin/true"),
            ("CLIENT_SECRET", Self::CLIENT_SECRET),
            ("HOME", &home),
            ("STORE_KEY", Self::KEY),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let more = self.more_variables.lock().unwrap_or_else(PoisonError::into_inner);
        own.into_iter().chain(more.iter().cloned()).collect()
    }

    /// Adds a variable to those of every process that starts here from now on.
    pub fn set_variable(&self, name: &str, value: &str) {
        let mut more = self.more_variables.lock().unwrap_or_else(PoisonError::into_inner);
        more.push((name.to_owned(), value.to_owned()));
    }

    /// The environment of a process that starts here.
    pub fn environment(&self) -> Environment {
        Environment::new(self.variables(), self.directory.path())
    }

    /// The configuration as it stands now.
    ///
    /// # Panics
    ///
    /// When it is wrong.
    pub fn config(&self) -> Config {
        Config::open(Some(&self.path(".loomkin.toml")), &self.environment()).unwrap()
    }

    /// Shows the canary what is left, and says where it found a secret.
    pub fn leaks(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(self.directory.path(), &mut files);
        // A key file may hold its own key, and nothing else may.
        let (keys, others): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|path| path.extension().is_some_and(|suffix| suffix == "key"));
        for key in keys {
            self.canary.hide(fs::read(key).unwrap_or_default().trim_ascii());
        }
        for path in others {
            let name = path.strip_prefix(self.directory.path()).unwrap_or(&path).display().to_string();
            self.canary.see(&name, name.as_bytes());
            self.canary.see(&name, fs::read(&path).unwrap_or_default());
        }
        self.canary.see("a log line", logs::so_far());
        self.canary.leaks()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let leaks = self.leaks();
            assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
        }
    }
}

const STORE: &str = "path = \"store/auth.db\"\nkey = \"env:STORE_KEY\"";

/// Every file below `directory`; links are not followed, what they name is somebody else's.
fn list(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}
