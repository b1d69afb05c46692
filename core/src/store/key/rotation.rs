//! The store gets another key. Moving what the older ones sealed is the vault's part.

use super::keys::Keys;
use super::source::{Secrets, Source};
use super::{KeySetting, wrap};
use crate::error::{Error, ErrorCode, Result};

/// How a rotation begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Beginning {
    /// The store has a new key.
    New,
    /// The store had older keys already: an earlier rotation was broken off, or is going on.
    Unfinished {
        /// Whether its new key comes from the source that was asked for.
        is_the_same: bool,
    },
}

impl Keys {
    /// Adds a key from `source`, or from where the newest comes from, unless there are older keys besides the newest.
    pub(crate) async fn begin_rotation(&self, source: Option<&KeySetting>) -> Result<Beginning> {
        let beginning = self.add_newer(source).await?;
        self.newer(&self.ring()).await?;
        Ok(beginning)
    }

    /// Where the newest key comes from, and how many older ones the store has.
    pub(crate) async fn standing(&self) -> Result<(KeySetting, usize)> {
        let keys = self.store.keys().await?;
        let (newest, older) = keys.split_last().ok_or_else(lost)?;
        Ok((Source::parse(&newest.source)?.setting(&self.sources.reach), older.len()))
    }

    async fn add_newer(&self, setting: Option<&KeySetting>) -> Result<Beginning> {
        let sources = &self.sources;
        // Whatever is wrong with the source is said before anything is changed.
        let wanted = match setting {
            Some(setting) => {
                sources.check(setting)?;
                Some(sources.choose(setting).await?.0)
            }
            None => None,
        };
        // Of two rotations that begin at once, the second finds the key of the first.
        let _guard = self.store.lock_keys().await?;
        let keys = self.store.keys().await?;
        let newest = keys.last().ok_or_else(lost)?;
        let recorded = Source::parse(&newest.source)?;
        if keys.len() > 1 {
            let setting_of = |source: &Source| source.setting(&sources.reach);
            let is_the_same = wanted.is_none_or(|wanted| setting_of(&wanted) == setting_of(&recorded));
            return Ok(Beginning::Unfinished { is_the_same });
        }
        let (source, secret) = match wanted {
            Some(source) => {
                let secret = sources.fetch(&source).await?;
                (source, secret)
            }
            None => (recorded, sources.unwrap(newest, &self.setting, &mut Secrets::default()).await?.1),
        };
        let key = wrap::make(&secret, source.to_string(), sources.clock.now(), &*sources.random)?;
        // Others will seal under it at once: a key that cannot be had again must not get that far.
        sources.unwrap(&key, &self.setting, &mut Secrets::default()).await?;
        if self.store.add_key(key, false).await? {
            Ok(Beginning::New)
        } else {
            Err(Error::new(ErrorCode::StoreFailed, "the store did not take the new key"))
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorCode::KeyUnavailable, "the store has lost its keys")
}
