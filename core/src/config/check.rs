//! Text to value: what each kind of key accepts.

use std::time::Duration;

use super::interpolate::{Fault, Text, is_variable_name};
use super::known::{Key, Kind};
use super::path::Directories;
use super::suggest;
use super::text::{cannot_be, is_shown};
use super::uri;
use super::value::Value;
use crate::account::ProviderId;
use crate::secret::{Secret, unfit};

/// Reads the one string of `key`; lists and tables are taken apart before.
pub(super) fn check(key: &Key, text: Text, directories: &Directories<'_>) -> Result<Value, Fault> {
    let refuse =
        |reason: &str, help: &str| Err(Fault::new(format!("{}: {reason}", cannot_be(key, &text)), help));
    let value = text.value.as_str();
    if value.chars().any(char::is_control) {
        return refuse(
            "it has a line break or another control character",
            "Take it out; a trailing line break often comes from how a variable was filled.",
        );
    }
    let checked = match key.kind {
        Kind::Choice(words) => {
            let Some(word) = words.iter().find(|word| **word == value) else {
                let all = || format!("Use one of: {}.", words.join(", "));
                // A suggestion gives away what it is near to.
                let help = match is_shown(key, &text) {
                    true => suggest::did_you_mean(value, words.iter().copied(), all),
                    false => all(),
                };
                return refuse("that is none of the words known here", &help);
            };
            Value::Word(word)
        }
        Kind::Duration => match humantime::parse_duration(value) {
            Ok(duration) if (SHORTEST..=LONGEST).contains(&duration) => Value::Duration(duration),
            Ok(_) => return refuse("it is outside 1s to 1h", "Choose a length from 1s to 1h."),
            Err(_) => {
                return refuse(
                    "that is no length of time",
                    "Write a number and a unit, such as \"60s\" or \"5m\".",
                );
            }
        },
        Kind::Flag => match value {
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            _ => return refuse("it is neither true nor false", "Write true or false."),
        },
        Kind::KeySource => Value::Key(directories.key_source(value)?),
        Kind::Path => Value::Path(directories.path(key.name, value)?),
        Kind::ProviderName => match ProviderId::new(value) {
            Ok(provider) => Value::Provider(provider),
            Err(error) => return refuse(error.message(), error.advice()),
        },
        Kind::Uri(purpose) => match uri::parse(value, purpose) {
            Ok(url) => Value::Url(text.value, url),
            Err((reason, help)) => return refuse(reason, help),
        },
        Kind::VariableName if !is_variable_name(value) => {
            return refuse(
                "that is no name of a variable",
                "Write the name alone, such as OPENAI_API_KEY, without `$`; the value itself does not belong here.",
            );
        }
        Kind::VariableName if looks_like_a_key(value) => {
            return refuse(
                "it looks like the key itself",
                "Write the name of a variable, such as OPENAI_API_KEY, and put the key into that variable.",
            );
        }
        Kind::Credential => match unfit(value) {
            Some(unfit) => return refuse(unfit.reason, unfit.help),
            None => Value::Text(text.value),
        },
        Kind::Parameters | Kind::Scopes | Kind::Text | Kind::VariableName => Value::Text(text.value),
    };
    Ok(match checked {
        Value::Text(text) | Value::Url(text, _) if key.secret => Value::Secret(Secret::new(text)),
        other => other,
    })
}

/// Nobody names a variable so, and what follows shows the name.
fn looks_like_a_key(name: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| name.bytes().any(|byte| kind(&byte));
    name.len() >= SHORTEST_KEY && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

const SHORTEST_KEY: usize = 20;
const LONGEST: Duration = Duration::from_secs(60 * 60);
const SHORTEST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::known::{Section, find};

    fn checked(section: Section, name: &str, value: &str) -> Result<Value, Fault> {
        let directories = Directories { file: Path::new("/app"), home: Some("/home/ada".into()) };
        check(find(section, name).unwrap(), Text { value: value.into(), variable: None }, &directories)
    }

    #[test]
    fn a_duration_lies_within_its_bounds() {
        for value in ["1s", "90s", "1m 30s", "1h", "1500ms"] {
            assert!(checked(Section::Refresh, "ahead", value).is_ok(), "{value}");
        }
        for value in ["0s", "999ms", "61m", "60", "soon", "-5s"] {
            assert!(checked(Section::Refresh, "ahead", value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_credential_fits_in_a_header_field() {
        assert!(matches!(checked(Section::Provider, "api_key", "sk-a_b.c=").unwrap(), Value::Secret(_)));
        for value in [" sk-a", "sk a", "“sk-a”", "\"sk-a\"", "sk-a\n", "OPENAI_API_KEY"] {
            assert!(checked(Section::Provider, "api_key", value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_key_is_no_name_of_a_variable() {
        for name in ["OPENAI_API_KEY", "WORK_KEY_2", "my_openai_key", "A_VERY_LONG_NAME_OF_2026"] {
            assert!(checked(Section::Provider, "api_key_env", name).is_ok(), "{name}");
        }
        for key in ["AIzaSyD0815abcdefghijk", "ghp_0123456789abcdefghij", "sk-x"] {
            assert!(checked(Section::Provider, "api_key_env", key).is_err(), "{key}");
        }
    }

    #[test]
    fn a_secret_is_wrapped_whatever_its_kind() {
        for (section, name, value) in [
            (Section::Http, "proxy", "http://u:p@proxy:3128"),
            (Section::Provider, "client_secret", "s p a c e"),
            (Section::Store, "url", "postgres://u:p@h/d"),
        ] {
            assert!(matches!(checked(section, name, value).unwrap(), Value::Secret(_)), "{name}");
        }
    }

    #[test]
    fn a_near_word_is_suggested() {
        let fault = checked(Section::Provider, "flow", "loopbak").err().unwrap();
        assert_eq!(fault.message, "`flow` cannot be `loopbak`: that is none of the words known here");
        assert_eq!(fault.help, "Did you mean `loopback`?");
    }
}
