//! A value that passed the check of its key's kind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::choice::{AuthMethod, AuthMode, Backend, Flow};
use super::origin::Sourced;
use crate::account::ProviderId;
use crate::config::KeySetting;
use crate::secret::Secret;

/// A value that passed the check of its key's kind.
pub(super) enum Value {
    Duration(Duration),
    Flag(bool),
    Key(KeySetting),
    List(Vec<String>),
    Parameters(BTreeMap<String, Sourced<String>>),
    Path(PathBuf),
    Provider(ProviderId),
    Secret(Secret),
    Text(String),
    /// As it was written, and as it is understood.
    Url(String, Url),
    Word(&'static str),
}

impl Value {
    /// How `config show` writes it, where it may be shown.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Duration(duration) => humantime::format_duration(*duration).to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Key(key) => key.to_string(),
            Self::List(list) => list.join(" "),
            Self::Parameters(_) | Self::Secret(_) => MASK.to_owned(),
            Self::Path(path) => path.display().to_string(),
            Self::Provider(provider) => provider.to_string(),
            Self::Text(text) | Self::Url(text, _) => text.clone(),
            Self::Word(word) => (*word).to_owned(),
        }
    }
}

/// A Rust type that one kind of value becomes.
pub(super) trait FromValue: Sized {
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $pattern:pat => $result:expr,)+) => {
        $(impl FromValue for $type {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $pattern => $result,
                    _ => None,
                }
            }
        })+
    };
}

from_value! {
    AuthMethod: Value::Word(word) => Self::from_word(word),
    AuthMode: Value::Word(word) => Self::from_word(word),
    Backend: Value::Word(word) => Self::from_word(word),
    BTreeMap<String, Sourced<String>>: Value::Parameters(parameters) => Some(parameters),
    bool: Value::Flag(flag) => Some(flag),
    Duration: Value::Duration(duration) => Some(duration),
    Flow: Value::Word(word) => Self::from_word(word),
    KeySetting: Value::Key(key) => Some(key),
    PathBuf: Value::Path(path) => Some(path),
    ProviderId: Value::Provider(provider) => Some(provider),
    Secret: Value::Secret(secret) => Some(secret),
    Url: Value::Url(_, url) => Some(url),
    Vec<String>: Value::List(list) => Some(list),
}

/// Text, words, and URLs as they were written.
impl FromValue for String {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) | Value::Url(text, _) => Some(text),
            Value::Word(word) => Some(word.to_owned()),
            _ => None,
        }
    }
}

/// What stands in place of a value that is not shown.
pub(super) const MASK: &str = "********";
