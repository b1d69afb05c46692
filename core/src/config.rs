//! `.loomkin.toml`: the configuration of the whole app, of which `[auth]` is ours.
//!
//! A [`Config`] is valid: reading one finds all problems of the file at once and yields nothing if there is any.
//! Of the app's own tables, the strings of `[model]` and the entries of `[provider.endpoints]` are read too; the rest
//! is left alone.
//!
//! A value that is empty once its variables are filled in counts as absent, so that `"${NAME:-}"` makes a key optional.

mod check;
mod choice;
mod discover;
mod document;
mod endpoint;
mod file;
mod http;
mod interpolate;
mod known;
mod mode;
mod origin;
mod path;
mod problem;
mod provider;
mod reader;
mod refresh;
mod row;
mod schema;
mod store;
mod suggest;
mod text;
mod tier;
mod uri;
mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use url::Url;

pub use choice::{AuthMethod, AuthMode, Backend, Flow};
pub use endpoint::EndpointConfig;
pub use http::HttpConfig;
use known::PRESETS;
pub(crate) use known::RESERVED_PARAMETERS;
pub use origin::{Origin, Sourced};
pub use problem::{ConfigFault, Problem, Problems};
pub use provider::ProviderConfig;
pub use refresh::RefreshConfig;
pub use row::Row;
pub use store::{KeySetting, StoreConfig};
pub use tier::TierConfig;
pub(crate) use uri::is_loopback;

use crate::account::ProviderId;
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::redact::Redactor;
use document::Document;
use file::File;
use reader::Reader;

/// A valid configuration, with every variable filled in. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    path: Option<PathBuf>,
    callback_base_url: Option<Sourced<Url>>,
    endpoints: BTreeMap<ProviderId, EndpointConfig>,
    http: HttpConfig,
    notes: Vec<Problem>,
    providers: BTreeMap<ProviderId, ProviderConfig>,
    refresh: RefreshConfig,
    rows: Vec<Row>,
    store: StoreConfig,
    tiers: BTreeMap<String, TierConfig>,
}

impl Config {
    /// The configuration that counts: the file named by `path`, else the one that is [discovered](Self::discover),
    /// else the defaults.
    ///
    /// Where there was no file at all, [`Config::path`] is `None`. The file is read with blocking calls.
    ///
    /// # Errors
    ///
    /// `config_invalid`, with all problems in its details.
    pub fn open(path: Option<&Path>, environment: &Environment) -> Result<Self> {
        match path.map(Path::to_owned).or_else(|| Self::discover(environment)) {
            Some(path) => Self::load(&path, environment),
            None => Self::without_file(environment),
        }
    }

    /// Finds the one file that counts; files are not merged.
    ///
    /// `.loomkin.toml` in the working directory, else in its parents up to the repository's root (which holds `.git`)
    /// or home, whichever is nearer; where neither lies above, in the working directory alone. Else the user's own:
    /// `$XDG_CONFIG_HOME/loomkin/loomkin.toml`, without that variable `~/.config/loomkin/loomkin.toml`
    /// (`~/Library/Application Support/…` on macOS; `%APPDATA%\loomkin\loomkin.toml` on Windows).
    pub fn discover(environment: &Environment) -> Option<PathBuf> {
        discover::discover(environment)
    }

    /// Reads the file at `path`, with blocking calls. It may have 1 MiB at most.
    ///
    /// # Errors
    ///
    /// `config_invalid` when it cannot be read, or has problems; these are in the details.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self> {
        Ok(Self::try_load(path, environment)?)
    }

    /// As [`load`](Self::load), for those who show each problem by itself.
    ///
    /// # Errors
    ///
    /// All problems at once, or why the file cannot be read.
    pub fn try_load(path: &Path, environment: &Environment) -> Result<Self, ConfigFault> {
        let shown = File::new("", path, environment).shown;
        let bytes = discover::read(path, &shown)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            // What comes before the first bad byte is text, and tells where that byte stands.
            let before = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
            let reader = Reader::new(environment, File::new(before, path, environment));
            reader.fail(error.valid_up_to(), "this is not UTF-8", "Save the file as UTF-8.")
        })?;
        Ok(Self::parse(text, path, environment)?)
    }

    /// Reads `text` as the content of the file at `path`, which decides what relative paths in it start from.
    ///
    /// # Errors
    ///
    /// All problems at once; an error of TOML syntax is the only one then.
    pub fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Self, Problems> {
        let mut config = Self::read(text, path, environment)?;
        config.path = Some(environment.current_dir().join(path));
        Ok(config)
    }

    /// The defaults, for an app without a file.
    ///
    /// # Errors
    ///
    /// A problem when the home directory is not known, for the store lies there.
    pub fn without_file(environment: &Environment) -> Result<Self> {
        Ok(Self::read("", Path::new("(no file)"), environment)?)
    }

    /// The JSON Schema (draft 7) of the tables that are read here, for editors.
    pub fn json_schema() -> serde_json::Value {
        schema::json_schema()
    }

    /// The file it was read from; `None` where there was none and everything is a default.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Where this app is reached from a browser, for hosted callbacks.
    pub fn callback_base_url(&self) -> Option<&Url> {
        self.callback_base_url.as_deref()
    }

    /// The local providers of the app.
    pub fn endpoints(&self) -> &BTreeMap<ProviderId, EndpointConfig> {
        &self.endpoints
    }

    /// How the network is reached.
    pub fn http(&self) -> &HttpConfig {
        &self.http
    }

    /// What is no problem and yet worth knowing, in the order of the places.
    pub fn notes(&self) -> &[Problem] {
        &self.notes
    }

    /// The provider of that name.
    ///
    /// # Errors
    ///
    /// `usage` when it is not configured, with what was probably meant.
    pub fn provider(&self, id: &ProviderId) -> Result<&ProviderConfig> {
        let names: Vec<_> = self.providers.keys().map(ProviderId::as_str).collect();
        self.providers.get(id).ok_or_else(|| unknown_provider(id, &names, names.iter().copied()))
    }

    /// Checks that `id` can have credentials: that it stands below `[auth]` or `[provider.endpoints]`, or is a preset.
    ///
    /// # Errors
    ///
    /// `usage` when it is none of these, with what was probably meant.
    pub fn check_known(&self, id: &ProviderId) -> Result<()> {
        let configured = self.providers.keys().chain(self.endpoints.keys()).map(ProviderId::as_str);
        let mut names: Vec<_> = configured.collect();
        names.sort_unstable();
        names.dedup();
        if names.iter().chain(PRESETS).any(|name| *name == id.as_str()) {
            return Ok(());
        }
        Err(unknown_provider(id, &names, names.iter().chain(PRESETS).copied()))
    }

    /// Every configured provider.
    pub fn providers(&self) -> &BTreeMap<ProviderId, ProviderConfig> {
        &self.providers
    }

    /// When tokens are renewed.
    pub fn refresh(&self) -> &RefreshConfig {
        &self.refresh
    }

    /// Every value in force and where it came from, fit to be shown, sorted by key.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Where connections are kept.
    pub fn store(&self) -> &StoreConfig {
        &self.store
    }

    /// The tiers that `[auth.tiers]` or `[model]` name.
    pub fn tiers(&self) -> &BTreeMap<String, TierConfig> {
        &self.tiers
    }

    /// The tier that was probably meant by `name`.
    pub(crate) fn nearest_tier(&self, name: &str) -> Option<&str> {
        suggest::nearest(name, self.tiers.keys().map(String::as_str))
    }

    fn read(text: &str, path: &Path, environment: &Environment) -> Result<Self, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::new(environment, File::new(text, path, environment));
        let document = match DeTable::parse(text) {
            Ok(table) => document::read(&mut reader, table.get_ref()),
            Err(error) => {
                // The message is made of the parser's own words; its `Display` would show the line, secrets included.
                let at = error.span().map_or(0, |span| span.start);
                let message = format!("this is not TOML: {}", error.message());
                return Err(reader.fail(at, message, "See https://toml.io for how it is written."));
            }
        };
        let (notes, rows) = reader.finish()?;
        let Document { callback_base_url, endpoints, http, providers, refresh, store, tiers } = document;
        Ok(Self {
            path: None,
            callback_base_url,
            endpoints,
            http,
            notes,
            providers,
            refresh,
            rows,
            store,
            tiers,
        })
    }
}

/// `configured` are those that are there, `candidates` those that may have been meant.
fn unknown_provider<'a>(
    id: &ProviderId,
    configured: &[&str],
    candidates: impl IntoIterator<Item = &'a str>,
) -> Error {
    // A key that was typed in the place of a name is not repeated.
    if let Cow::Owned(_) = Redactor::default().redact(id.as_str()) {
        return Error::new(ErrorCode::Usage, "that is no provider's name: it looks like a key").with_advice(
            "Name a provider; a key is never an argument, so replace it at the provider if it is a real one.",
        );
    }
    let all = || match configured {
        [] => format!("Add [auth.{id}] to .loomkin.toml; no provider is configured."),
        names => format!("Add [auth.{id}] to .loomkin.toml, or use one that is there: {}.", names.join(", ")),
    };
    Error::new(ErrorCode::Usage, format!("no provider `{id}` is configured"))
        .with_advice(suggest::did_you_mean(id.as_str(), candidates, all))
        .with_provider(id)
}
