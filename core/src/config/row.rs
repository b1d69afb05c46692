//! What `config show` lists.

use serde::{Serialize, Serializer};

use super::origin::Origin;
use super::value::MASK;

/// One value in force, as it may be shown. An absent value has no row.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// Where it belongs, such as `auth.github.client_id`.
    pub key: String,
    /// The value; `********` where it is secret or came from a variable.
    pub value: String,
    /// Where it came from.
    #[serde(serialize_with = "as_text")]
    pub origin: Origin,
    /// Whether the key is a secret's.
    pub secret: bool,
}

impl Row {
    pub(super) fn new(key: String, shown: &str, origin: &Origin, secret: bool) -> Self {
        let is_hidden = secret || matches!(origin, Origin::Variable { .. });
        let value = if is_hidden { MASK } else { shown }.to_owned();
        Self { key, value, origin: origin.clone(), secret }
    }
}

/// `path.name`, with the name in quotes where TOML wants them or a dot in it would mislead.
pub(super) fn join(path: &str, name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        format!("{path}.{name}")
    } else {
        format!("{path}.\"{}\"", name.escape_debug())
    }
}

fn as_text<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_masked() {
        let variable = Origin::Variable { name: "X".into(), path: "a".into(), line: 1 };
        for (origin, secret, value) in
            [(&Origin::Default, false, "shown"), (&Origin::Default, true, MASK), (&variable, false, MASK)]
        {
            assert_eq!(Row::new("key".into(), "shown", origin, secret).value, value);
        }
    }

    #[test]
    fn a_key_is_written_as_toml_would() {
        assert_eq!(join("auth", "work-idp"), "auth.work-idp");
        assert_eq!(join("auth", "a.b"), "auth.\"a.b\"");
    }

    #[test]
    fn a_row_is_plain_json() {
        let row = Row::new("auth.store.key".into(), "auto", &Origin::Default, false);
        assert_eq!(
            serde_json::to_value(row).unwrap(),
            serde_json::json!({"key": "auth.store.key", "value": "auto", "origin": "default", "secret": false})
        );
    }
}
