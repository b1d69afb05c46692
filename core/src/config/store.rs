//! `[auth.store]`: where connections are kept, and where the key that seals them comes from.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::choice::Backend;
use super::known::Section;
use super::origin::{Origin, Sourced};
use super::path::Directories;
use super::reader::{Reader, Table};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// `[auth.store]`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreConfig {
    /// Where connections are kept.
    pub backend: Sourced<Backend>,
    /// The file of the sqlite backend; the others have no use for it, and it may be empty then.
    pub path: Sourced<PathBuf>,
    /// The database of the postgres backend; always there for it.
    pub url: Option<Sourced<Secret>>,
    /// Where the key that seals the store comes from; always [`KeySetting::File`] or [`KeySetting::Env`] for postgres.
    pub key: Sourced<KeySetting>,
    /// How long good tokens are served while the database of the postgres backend does not answer: from a second to an
    /// hour.
    pub outage_grace: Duration,
}

/// Where the key that seals the store comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeySetting {
    /// Chosen once, when the store is created: the keychain, else a file beside the store.
    #[default]
    Auto,
    /// The environment variable of this name.
    Env(String),
    /// This file.
    File(PathBuf),
    /// The keychain of the operating system.
    Keychain,
}

impl KeySetting {
    /// Reads what a person typed: `auto`, `keychain`, `file:PATH` or `env:NAME`. A path starts from the working
    /// directory.
    ///
    /// # Errors
    ///
    /// `usage` when it is something else, which is not shown: it may be the key itself.
    pub fn read(text: &str, environment: &Environment) -> Result<Self> {
        let directories = Directories { file: environment.current_dir(), home: environment.home() };
        directories
            .key_source(text)
            .map_err(|fault| Error::new(ErrorCode::Usage, fault.message).with_advice(fault.help))
    }
}

/// As it is written in the file.
impl fmt::Display for KeySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Keychain => f.write_str("keychain"),
        }
    }
}

/// Reads `[auth.store]`; the defaults stand in for what was reported.
pub(super) fn read(reader: &mut Reader<'_>, table: Table<'_, '_>) -> StoreConfig {
    let mut fields = reader.fields(Section::Store, table);
    let backend = fields.take("backend").unwrap_or(Sourced::new(Backend::Sqlite, Origin::Default));
    let key = fields.take("key");
    if *backend == Backend::Postgres {
        if fields.is_missing("url") {
            reader.problem(
                fields.value_at("backend"),
                "the postgres backend needs `url`",
                "Add url = \"${DATABASE_URL}\" to [auth.store].",
            );
        }
        if let Some(KeySetting::Auto | KeySetting::Keychain) = key.as_deref() {
            reader.problem(
                if fields.place("key").is_some() {
                    fields.value_at("key")
                } else {
                    fields.value_at("backend")
                },
                "the hosts that share a PostgreSQL store cannot share a keychain",
                "Add key = \"env:NAME\" or key = \"file:PATH\" to [auth.store].",
            );
        }
    }
    if *backend != Backend::Sqlite {
        reader.forget_row("auth.store.path");
    } else if fields.is_missing("path") {
        reader.problem(
            fields.value_at("path"),
            "the store has no place: the home directory is not known",
            "Set HOME, or add `path` to [auth.store].",
        );
    }
    if *backend != Backend::Postgres {
        reader.forget_row("auth.store.outage_grace");
    }
    let path = fields.take("path");
    let outage_grace = fields.take::<Duration>("outage_grace");
    StoreConfig {
        backend,
        path: path.unwrap_or_else(|| Sourced::new(PathBuf::new(), Origin::Default)),
        url: fields.take("url"),
        key: key.unwrap_or(Sourced::new(KeySetting::Auto, Origin::Default)),
        outage_grace: outage_grace.map(|grace| grace.value).unwrap_or_default(),
    }
}
