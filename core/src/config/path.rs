//! The paths of the file, and the key sources that may be one.

use std::path::{Path, PathBuf};

use super::interpolate::{Fault, is_variable_name};
use crate::config::KeySetting;

/// What a path in the file starts from.
pub(super) struct Directories<'a> {
    /// The directory of the file.
    pub(super) file: &'a Path,
    /// The person's home, where it is known.
    pub(super) home: Option<PathBuf>,
}

impl Directories<'_> {
    /// The whole path that `value`, the value of the key `name`, stands for.
    pub(super) fn path(&self, name: &str, value: &str) -> Result<PathBuf, Fault> {
        let Some(below_home) = value.strip_prefix('~') else {
            return Ok(self.file.join(value));
        };
        if !below_home.is_empty() && !below_home.starts_with('/') {
            return Err(Fault::new(
                format!("`{name}` begins with `~` and a name"),
                "Only your own home is known: write `~/…`, or the whole path.",
            ));
        }
        match &self.home {
            Some(home) => Ok(home.join(below_home.trim_start_matches('/'))),
            None => Err(Fault::new(
                format!("`{name}` begins with `~`, and the home directory is not known"),
                "Set HOME, or write the whole path.",
            )),
        }
    }

    /// The source of the sealing key that `value` names. What it is instead is not shown: it may be the key.
    pub(super) fn key_source(&self, value: &str) -> Result<KeySetting, Fault> {
        match (value, value.split_once(':')) {
            ("auto", _) => Ok(KeySetting::Auto),
            ("keychain", _) => Ok(KeySetting::Keychain),
            (_, Some(("file", path))) if !path.is_empty() => Ok(KeySetting::File(self.path("key", path)?)),
            (_, Some(("env", name))) if is_variable_name(name) => Ok(KeySetting::Env(name.to_owned())),
            _ => Err(Fault::new(
                "`key` names no source of a key",
                "Use auto, keychain, file:PATH or env:NAME; the key itself never stands in this file.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories() -> Directories<'static> {
        Directories { file: Path::new("/app"), home: Some("/home/ada".into()) }
    }

    #[test]
    fn a_path_starts_from_the_file_or_from_home() {
        for (value, whole) in [
            ("auth.db", "/app/auth.db"),
            ("../auth.db", "/app/../auth.db"),
            ("/var/auth.db", "/var/auth.db"),
            ("~/auth.db", "/home/ada/auth.db"),
            ("~//etc/auth.db", "/home/ada/etc/auth.db"),
            ("~", "/home/ada"),
        ] {
            assert_eq!(directories().path("path", value).unwrap(), Path::new(whole), "{value}");
        }
        assert!(directories().path("path", "~bob/auth.db").is_err());
        assert!(Directories { home: None, ..directories() }.path("path", "~/auth.db").is_err());
    }

    #[test]
    fn a_key_source_is_one_of_four() {
        for (value, key) in [
            ("auto", KeySetting::Auto),
            ("keychain", KeySetting::Keychain),
            ("file:~/key", KeySetting::File("/home/ada/key".into())),
            ("file:secrets/a:b", KeySetting::File("/app/secrets/a:b".into())),
            ("env:AUTH_KEY", KeySetting::Env("AUTH_KEY".into())),
        ] {
            assert_eq!(directories().key_source(value).unwrap(), key, "{value}");
        }
        for value in ["Auto", "file:", "env:", "env:A-B", "env:${A}", "canary", "canary:x"] {
            let fault = directories().key_source(value).unwrap_err();
            assert!(!format!("{fault:?}").contains("canary"), "{value}");
        }
    }
}
