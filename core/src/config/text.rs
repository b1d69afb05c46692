//! How a value of the file is named in a message: shown only where it cannot be a secret.

use super::interpolate::Text;
use super::known::{Key, Kind};

/// "`flow` cannot be `devcie`", with the value only where it may be shown.
pub(super) fn cannot_be(key: &Key, text: &Text) -> String {
    let name = key.name;
    match &text.variable {
        Some(variable) => format!("`{name}` cannot be what the variable `{variable}` holds"),
        None if is_shown(key, text) => format!("`{name}` cannot be `{}`", clip(&text.value)),
        None => format!("`{name}` cannot be what stands here"),
    }
}

/// Whether a message may show `text`.
///
/// An `@` may end a password, and where a key source or a variable's name was asked for, people paste the key itself.
pub(super) fn is_shown(key: &Key, text: &Text) -> bool {
    !key.secret
        && text.variable.is_none()
        && !text.value.contains('@')
        && !matches!(key.kind, Kind::KeySource | Kind::VariableName)
}

/// A text of the file, fit for one line of a message.
pub(super) fn clip(text: &str) -> String {
    let mut clipped: String = text.chars().take(MAX_SHOWN).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped.escape_debug().to_string()
}

const MAX_SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::known::{Section, find};

    #[test]
    fn a_value_is_named_only_where_it_cannot_be_a_secret() {
        let named = |name: &str, value: &str, variable: Option<&str>| {
            let text = Text { value: value.into(), variable: variable.map(str::to_owned) };
            cannot_be(find(Section::Provider, name).unwrap(), &text)
        };
        assert_eq!(named("flow", "x\u{7}", None), r"`flow` cannot be `x\u{7}`");
        assert_eq!(named("flow", "x", Some("FLOW")), "`flow` cannot be what the variable `FLOW` holds");
        assert_eq!(named("client_secret", "x", None), "`client_secret` cannot be what stands here");
        assert_eq!(named("issuer", "https://a:b@c", None), "`issuer` cannot be what stands here");
        assert_eq!(named("api_key_env", "sk-x", None), "`api_key_env` cannot be what stands here");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(clip(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }
}
