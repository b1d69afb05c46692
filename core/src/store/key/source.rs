//! One source of a wrapping key: how it is written down, and how its secret is fetched or made.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{KeySetting, Keychain, env, file, keychain, wrap};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::random::Random;
use crate::store::blocking::blocking;
use crate::store::seal::DataKey;
use crate::store::{Reach, StoreId, TokenStore, WrappedKey};

/// The secret of a source: what the wrapping key is derived from. At least 32 bytes.
pub(super) type SourceSecret = Zeroizing<Vec<u8>>;

/// A source as a wrapped key records it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Source {
    Env(String),
    /// A relative path starts from the store's directory, so that the two can be moved together.
    File(PathBuf),
    Keychain,
    /// The store object itself, for a store that ends with its process.
    Process,
}

impl Source {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "keychain" => Ok(Self::Keychain),
            None if text == "process" => Ok(Self::Process),
            Some(("env", name)) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) => Ok(Self::File(PathBuf::from(path))),
            _ => Err(Error::new(
                ErrorCode::KeyUnavailable,
                "the store's key comes from a source that this version does not know",
            )
            .with_advice("Update Loomkin Auth.")),
        }
    }

    /// The setting that asks for this source; `None` for one that no setting can ask for.
    pub(super) fn setting(&self, reach: &Reach) -> KeySetting {
        match self {
            Self::Env(name) => KeySetting::Env(name.clone()),
            Self::File(path) => KeySetting::File(beside_store(path, reach)),
            Self::Keychain => KeySetting::Keychain,
            Self::Process => KeySetting::Auto,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Keychain => f.write_str("keychain"),
            Self::Process => f.write_str("process"),
        }
    }
}

/// Everything that sources draw from.
pub(crate) struct Sources {
    store: StoreId,
    pub(super) reach: Reach,
    environment: Environment,
    keychain: Arc<dyn Keychain>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The secrets that have been fetched, each once: a keychain may ask the person for every time.
#[derive(Default)]
pub(super) struct Secrets(Vec<(Source, SourceSecret)>);

impl Sources {
    /// The sources of the keys of `store`.
    pub(crate) async fn of(
        store: &dyn TokenStore,
        environment: &Environment,
        keychain: Arc<dyn Keychain>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let (store, reach) = (store.id().await?, store.reach());
        Ok(Self { store, reach, environment: environment.clone(), keychain, random, clock })
    }

    /// The data key inside `key`, and the secret that it was wrapped under.
    pub(super) async fn unwrap(
        &self,
        key: &WrappedKey,
        setting: &KeySetting,
        secrets: &mut Secrets,
    ) -> Result<(DataKey, SourceSecret)> {
        let recorded = Source::parse(&key.source)?;
        let mut places = vec![self.locate(recorded.clone(), setting)];
        // While the key moves from one file to another, the configuration can name one of them only.
        if places[0] != recorded {
            places.push(recorded.clone());
        }
        let mut first_failure = None;
        for source in places {
            let failure = match self.fetch_once(&source, secrets).await {
                Ok(secret) => match wrap::unwrap(key, &secret) {
                    Some(data) => return Ok((data, secret)),
                    None => self.does_not_open(&recorded),
                },
                Err(failure) => failure,
            };
            first_failure.get_or_insert(failure);
        }
        Err(first_failure.unwrap_or_else(|| self.does_not_open(&recorded)))
    }

    fn does_not_open(&self, recorded: &Source) -> Error {
        Error::new(ErrorCode::KeyUnavailable, "the key does not open this store").with_advice(format!(
            "Provide the key that the store is sealed with; it came from {}.",
            recorded.setting(&self.reach)
        ))
    }

    async fn fetch_once(&self, source: &Source, secrets: &mut Secrets) -> Result<SourceSecret> {
        if let Some((_, secret)) = secrets.0.iter().find(|(fetched, _)| fetched == source) {
            return Ok(secret.clone());
        }
        let secret = self.fetch(source).await?;
        secrets.0.push((source.clone(), secret.clone()));
        Ok(secret)
    }

    /// The secret that `source` has; it is never made here.
    pub(super) async fn fetch(&self, source: &Source) -> Result<SourceSecret> {
        match source {
            Source::Env(name) => env::read(name, &self.environment),
            Source::File(path) => {
                let path = beside_store(path, &self.reach);
                blocking(move || file::read(&path)).await
            }
            Source::Keychain => match keychain::read(&self.keychain, self.store, &*self.clock).await? {
                Some(secret) => Ok(secret),
                None => Err(Error::new(ErrorCode::KeyUnavailable, "the keychain has no key of this store")
                    .with_advice(
                        "Restore the keychain, or use the machine and login that the store was made with.",
                    )),
            },
            Source::Process => match &self.reach {
                // It becomes the wrapping key of the store that made it.
                Reach::Process { secret } => Ok(Zeroizing::new(secret.expose().to_vec())),
                Reach::Host { .. } | Reach::Hosts => Err(Error::new(
                    ErrorCode::KeyUnavailable,
                    "the store's key ended with the process that made it",
                )),
            },
        }
    }

    /// Refuses the settings that cannot hold for a store of many hosts: each would have another key.
    pub(super) fn check(&self, setting: &KeySetting) -> Result<()> {
        match (setting, &self.reach) {
            (KeySetting::Auto | KeySetting::Keychain, Reach::Hosts) => Err(no_shared_keychain()),
            _ => Ok(()),
        }
    }

    /// Refuses a setting that asks for another source than that of `newest`.
    pub(super) fn demand(&self, setting: &KeySetting, newest: &WrappedKey) -> Result<()> {
        let recorded = Source::parse(&newest.source)?;
        if self.agrees(setting, &recorded) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::KeyUnavailable,
            "the configuration names another source than the store's key comes from",
        )
        .with_advice(format!("Set key = \"{}\" under [auth.store].", recorded.setting(&self.reach))))
    }

    /// Where the secret of `recorded` is on this machine. Each host may keep its copy of the key file elsewhere.
    fn locate(&self, recorded: Source, setting: &KeySetting) -> Source {
        match (recorded, setting, &self.reach) {
            (Source::File(_), KeySetting::File(path), Reach::Hosts) => {
                Source::File(self.environment.current_dir().join(path))
            }
            (recorded, ..) => recorded,
        }
    }

    /// The source for a new store, whose secret exists when this returns, and why the keychain was passed over.
    pub(super) async fn choose(&self, setting: &KeySetting) -> Result<(Source, Option<String>)> {
        match (setting, &self.reach) {
            (KeySetting::Env(name), _) => {
                env::read(name, &self.environment).map_err(|error| env::with_recipe(error, name))?;
                Ok((Source::Env(name.clone()), None))
            }
            (KeySetting::File(path), _) => {
                let path = self.environment.current_dir().join(path);
                let wanted = path.clone();
                blocking(move || file::read(&path).map_err(|error| file::with_recipe(error, &path))).await?;
                Ok((Source::File(wanted), None))
            }
            (KeySetting::Keychain, Reach::Hosts) => Err(no_shared_keychain()),
            (KeySetting::Keychain, _) => {
                keychain::read_or_make(&self.keychain, self.store, &*self.random, &*self.clock).await?;
                Ok((Source::Keychain, None))
            }
            (KeySetting::Auto, Reach::Process { .. }) => Ok((Source::Process, None)),
            (KeySetting::Auto, Reach::Hosts) => Err(no_shared_keychain()),
            (KeySetting::Auto, Reach::Host { key_file }) => {
                let made =
                    keychain::read_or_make(&self.keychain, self.store, &*self.random, &*self.clock).await;
                let Err(error) = made else { return Ok((Source::Keychain, None)) };
                let (path, text) = (key_file.clone(), file::make_text(&*self.random)?);
                blocking(move || file::read_or_make(&path, &text)).await?;
                let name = key_file.file_name().map_or_else(|| key_file.clone(), PathBuf::from);
                Ok((Source::File(name), Some(error.message().to_owned())))
            }
        }
    }

    /// Whether `setting` asks for `source`.
    pub(super) fn agrees(&self, setting: &KeySetting, source: &Source) -> bool {
        match (setting, source) {
            (KeySetting::Auto, _) => true,
            (KeySetting::File(_), Source::File(_)) if matches!(self.reach, Reach::Hosts) => true,
            (KeySetting::File(path), Source::File(recorded)) => {
                self.environment.current_dir().join(path) == beside_store(recorded, &self.reach)
            }
            _ => *setting == source.setting(&self.reach),
        }
    }
}

fn beside_store(path: &Path, reach: &Reach) -> PathBuf {
    match reach {
        Reach::Host { key_file } => key_file.parent().map_or_else(|| path.to_owned(), |dir| dir.join(path)),
        Reach::Hosts | Reach::Process { .. } => path.to_owned(),
    }
}

fn no_shared_keychain() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "the hosts that share a store cannot share a keychain")
        .with_advice("Add key = \"env:NAME\" or key = \"file:PATH\" to [auth.store].")
}
