//! A new sealing key for the store of an [`Auth`].

use super::{Auth, Ports};
use crate::config::Config;
use crate::environment::Environment;
use crate::error::Result;
use crate::store::key::{Admission, KeySetting};
use crate::store::vault::RotationReport;

impl Auth {
    /// As [`open`](Self::open), to rotate the key: `config` may name the source that the key comes from, or already the
    /// one that it is to come from, as long as the secrets of all keys can be had.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn open_to_rotate(config: Config, environment: &Environment) -> Result<Self> {
        let ports = Ports::of_this_machine(&config, environment)?;
        Self::open_by(config, environment, ports, Admission::AnySource).await
    }

    /// Gives the store a new key from `source`, or from where its key comes from now, while every process goes on; see
    /// [`Vault::rotate_key`](crate::store::vault::Vault::rotate_key).
    ///
    /// With another source, the configuration has to name it from then on.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn rotate_key(
        &self,
        source: Option<&KeySetting>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<RotationReport> {
        self.lifecycle.vault().rotate_key(source, progress).await
    }
}
