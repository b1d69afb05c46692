//! Values of several parts: scopes and parameters.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::fields::Outcome;
use super::{Item, Reader};
use crate::config::interpolate::Text;
use crate::config::known::{Key, RESERVED_PARAMETERS};
use crate::config::origin::{Origin, Sourced};
use crate::config::row::{Row, join};
use crate::config::text::cannot_be;
use crate::config::value::Value;

impl Reader<'_> {
    pub(super) fn scope_string(&mut self, key: &Key, value: &Item<'_>, text: &str) -> Outcome {
        let Some((text, origin)) = self.text(value, text) else { return Outcome::Failed };
        let at = value.span().start;
        let list: Vec<_> = text.value.split_ascii_whitespace().map(|scope| (at, scope.to_owned())).collect();
        if list.is_empty() {
            return Outcome::Empty;
        }
        self.scopes(key, list, text.variable, origin)
    }

    pub(super) fn scope_list(&mut self, key: &Key, value: &Item<'_>, list: &[Item<'_>]) -> Outcome {
        let (mut scopes, mut variable) = (Vec::new(), None);
        let before = self.problems.len();
        for entry in list {
            let DeValue::String(text) = entry.get_ref() else {
                self.wrong_type("scopes", "a list of strings", entry);
                continue;
            };
            let Some((text, _)) = self.text(entry, text) else { continue };
            variable = variable.or(text.variable);
            // Where a variable may be missing, so may its scope.
            if !text.value.is_empty() {
                scopes.push((entry.span().start, text.value));
            }
        }
        if self.problems.len() > before {
            return Outcome::Failed;
        }
        let origin = self.origin(value.span().start, variable.as_deref());
        self.scopes(key, scopes, variable, origin)
    }

    pub(super) fn parameters(&mut self, path: &str, table: &DeTable<'_>) -> Outcome {
        let mut parameters = BTreeMap::new();
        let before = self.problems.len();
        for (name, value) in table {
            let at = name.span().start;
            let name = name.get_ref();
            if RESERVED_PARAMETERS.contains(&name.as_ref()) {
                self.problem(
                    at,
                    format!("the parameter `{name}` is set by the login itself"),
                    "Take it out; what can be chosen about it has a key of its own.",
                );
                continue;
            }
            let DeValue::String(text) = value.get_ref() else {
                self.wrong_type(name, "a string", value);
                continue;
            };
            let Some((text, origin)) = self.text(value, text) else { continue };
            // RFC 6749 §3.1: a parameter without a value counts as omitted.
            if !text.value.is_empty() {
                self.row(Row::new(join(path, name), &text.value, &origin, false));
                parameters.insert(name.clone().into_owned(), Sourced::new(text.value, origin));
            }
        }
        if self.problems.len() > before {
            return Outcome::Failed;
        }
        Outcome::Valid(Value::Parameters(parameters), Origin::Default)
    }

    fn scopes(
        &mut self,
        key: &Key,
        list: Vec<(usize, String)>,
        variable: Option<String>,
        origin: Origin,
    ) -> Outcome {
        let before = self.problems.len();
        for (at, scope) in list.iter().filter(|(_, scope)| !is_scope(scope)) {
            let text = Text { value: scope.clone(), variable: variable.clone() };
            self.problem(
                *at,
                format!("{}: no scope is written so (RFC 6749 §3.3)", cannot_be(key, &text)),
                "Write one scope an entry, in visible ASCII without quotes and backslashes.",
            );
        }
        if self.problems.len() > before {
            return Outcome::Failed;
        }
        Outcome::Valid(Value::List(list.into_iter().map(|(_, scope)| scope).collect()), origin)
    }
}

/// Whether `scope` is made of the characters of RFC 6749 §3.3, and of at least one.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::is_scope;

    #[test]
    fn a_scope_has_the_characters_of_the_rfc() {
        for scope in ["repo", "read:user", "https://www.googleapis.com/auth/x", "!#[]~"] {
            assert!(is_scope(scope), "{scope}");
        }
        for scope in ["", "a b", "a\"b", "a\\b", "ä", "a\n"] {
            assert!(!is_scope(scope), "{scope}");
        }
    }
}
