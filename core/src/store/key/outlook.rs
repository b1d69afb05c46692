//! Whether a new store would get a key, without making one.

use std::sync::Arc;

use super::{KeySetting, Keychain, env, file, keychain};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::store::StoreId;
use crate::store::blocking::blocking;

/// What a new store's key would come from.
#[derive(Clone, Debug)]
pub enum KeyOutlook {
    /// A file beside the store, because the keychain cannot be had, as part of a sentence: "the keychain is locked".
    KeyFile(String),
    /// What the configuration asks for.
    Ready,
    /// Nothing: the store could not be made.
    Unavailable(Error),
}

/// Looks at the source that `setting` asks for. Nothing is made, and nothing is kept.
pub async fn outlook(
    setting: &KeySetting,
    environment: &Environment,
    keychain: &Arc<dyn Keychain>,
    clock: &dyn Clock,
) -> KeyOutlook {
    // A keychain is asked for an entry that it does not have: whether it answers is the question.
    let ask_keychain = async || keychain::read(keychain, StoreId([0; 16]), clock).await.map(drop);
    let looked: Result<()> = match setting {
        KeySetting::Auto => {
            return match ask_keychain().await {
                Ok(()) => KeyOutlook::Ready,
                Err(error) => KeyOutlook::KeyFile(error.message().to_owned()),
            };
        }
        KeySetting::Env(name) => {
            env::read(name, environment).map(drop).map_err(|error| env::with_recipe(error, name))
        }
        KeySetting::File(path) => {
            let path = environment.current_dir().join(path);
            blocking(move || file::read(&path).map(drop).map_err(|error| file::with_recipe(error, &path)))
                .await
        }
        KeySetting::Keychain => ask_keychain().await,
    };
    match looked {
        Ok(()) => KeyOutlook::Ready,
        Err(error) => KeyOutlook::Unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::store::key::KeychainError;
    use crate::store::key::tests::{FakeKeychain, Mood};

    async fn look(setting: KeySetting, mood: Mood) -> KeyOutlook {
        let directory = tempfile::tempdir().unwrap();
        let environment = Environment::new([("KEY", "k".repeat(32))], directory.path());
        let keychain: Arc<dyn Keychain> = FakeKeychain::new(mood);
        let outlook = outlook(&setting, &environment, &keychain, &SystemClock).await;
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it makes nothing");
        outlook
    }

    #[tokio::test]
    async fn each_source_is_looked_at() {
        let locked = Mood::Refusing(KeychainError::Locked);
        for (setting, mood) in [
            (KeySetting::Auto, Mood::Fine),
            (KeySetting::Keychain, Mood::Fine),
            (KeySetting::Env("KEY".to_owned()), locked),
        ] {
            assert!(matches!(look(setting.clone(), mood).await, KeyOutlook::Ready), "{setting}");
        }
        for (setting, advice) in [
            (KeySetting::Keychain, "Unlock the keychain"),
            (KeySetting::Env("OTHER".to_owned()), "Make a key: export OTHER="),
            (KeySetting::File("key".into()), "Make a key: (umask 077;"),
        ] {
            let KeyOutlook::Unavailable(error) = look(setting.clone(), locked).await else {
                panic!("{setting}")
            };
            assert!(error.advice().contains(advice), "{error:?}");
        }
        let KeyOutlook::KeyFile(reason) = look(KeySetting::Auto, locked).await else { panic!("a keychain") };
        assert_eq!(reason, "the keychain is locked");
    }
}
