//! `${NAME}`, `${NAME:-default}` and `${NAME:?message}` in the strings of our sections.
//!
//! What a variable holds is taken as it is: a `${` in it has no meaning. `$${` stands for a literal `${`.

use super::suggest;
use crate::environment::Environment;

/// A string with its variables filled in.
pub(super) struct Text {
    pub(super) value: String,
    /// The first variable that `value` has content from.
    pub(super) variable: Option<String>,
}

/// What is wrong with a value: the message and the help of a problem that has no place yet.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// Fills in the variables of `text`, or says all that is wrong with it.
///
/// A fault shows the names of variables and the message of a `:?`, and no other part of `text`: it may be a secret.
pub(super) fn interpolate(text: &str, environment: &Environment) -> Result<Text, Vec<Fault>> {
    let mut filled = Text { value: String::with_capacity(text.len()), variable: None };
    let mut faults = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, from_dollar) = rest.split_at(dollar);
        filled.value.push_str(before);
        if let Some(after) = from_dollar.strip_prefix("$${") {
            filled.value.push_str("${");
            rest = after;
        } else if let Some(after) = from_dollar.strip_prefix("${") {
            let Some((inside, after)) = after.split_once('}') else {
                faults.push(Fault::new(
                    "a `${` has no closing `}`",
                    "Close it, or write `$${` for a literal `${`.",
                ));
                return Err(faults);
            };
            if let Err(fault) = expand(inside, environment, &mut filled) {
                faults.push(fault);
            }
            rest = after;
        } else {
            filled.value.push('$');
            rest = &from_dollar[1..];
        }
    }
    filled.value.push_str(rest);
    if faults.is_empty() { Ok(filled) } else { Err(faults) }
}

/// Whether `name` can be an environment variable of a shell.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn expand(inside: &str, environment: &Environment, filled: &mut Text) -> Result<(), Fault> {
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
    let (name, operator) = inside.split_at(end);
    // Only a first `}` closes, so that a nested `${` would silently cut the default short.
    let nested = operator.contains("${");
    if !is_variable_name(name)
        || nested
        || !(operator.is_empty() || operator.starts_with(":-") || operator.starts_with(":?"))
    {
        return Err(Fault::new(
            "a `${…}` is not one of the forms that are known here",
            "Write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`, none inside another; `$${` is a literal `${`.",
        ));
    }
    if let Some(value) = environment.variable(name) {
        filled.value.push_str(value);
        filled.variable.get_or_insert_with(|| name.to_owned());
    } else if environment.is_no_text(name) {
        return Err(Fault::new(
            format!("the variable `{name}` is not UTF-8"),
            format!("Set `{name}` again, or unset it."),
        ));
    } else if let Some(default) = operator.strip_prefix(":-") {
        filled.value.push_str(default);
    } else {
        let message = match operator.strip_prefix(":?").map(str::trim) {
            None | Some("") => format!("the variable `{name}` is not set, or empty"),
            Some(message) => {
                format!("the variable `{name}` is not set, or empty: {}", message.escape_debug())
            }
        };
        return Err(Fault::new(
            message,
            match suggest::nearest(name, environment.names().filter(|other| *other != name)) {
                Some(other) => format!("Did you mean `{other}`? Else set `{name}`."),
                None => format!("Set `{name}`, or write `${{{name}:-}}` where it may be missing."),
            },
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment::new([("NAME", "value"), ("TRICK", "${NAME} $${ }"), ("EMPTY", "")], "/")
    }

    #[test]
    fn variables_are_filled_in_once() {
        for (text, value, variable) in [
            ("plain $ $5 } {", "plain $ $5 } {", None),
            ("${NAME}", "value", Some("NAME")),
            ("<${NAME}|${NAME:-x}>", "<value|value>", Some("NAME")),
            ("${MISSING:-a:-b}", "a:-b", None),
            ("${MISSING:-}", "", None),
            ("${EMPTY:-fallback}", "fallback", None),
            ("${MISSING:-x}${TRICK}${NAME}", "x${NAME} $${ }value", Some("TRICK")),
            ("$${NAME} $$${NAME}", "${NAME} $${NAME}", None),
            ("${NAME:?needed}", "value", Some("NAME")),
        ] {
            let filled =
                interpolate(text, &environment()).map_err(|faults| format!("{text}: {faults:?}")).unwrap();
            assert_eq!((filled.value.as_str(), filled.variable.as_deref()), (value, variable), "{text}");
        }
    }

    #[test]
    fn every_missing_variable_is_a_fault() {
        let faults = interpolate("${NAMES} ${OTHER:?see the wiki} ${EMPTY}", &environment()).err().unwrap();
        assert_eq!(
            faults,
            [
                Fault::new(
                    "the variable `NAMES` is not set, or empty",
                    "Did you mean `NAME`? Else set `NAMES`."
                ),
                Fault::new(
                    "the variable `OTHER` is not set, or empty: see the wiki",
                    "Set `OTHER`, or write `${OTHER:-}` where it may be missing."
                ),
                Fault::new(
                    "the variable `EMPTY` is not set, or empty",
                    "Set `EMPTY`, or write `${EMPTY:-}` where it may be missing."
                ),
            ]
        );
    }

    #[test]
    fn a_malformed_reference_is_a_fault_that_shows_nothing_of_it() {
        for text in
            ["${}", "${canary-x}", "${canary", "${1canary}", "${A:-${canary}}", "${canary:+x}", "${ canary }"]
        {
            let faults = interpolate(text, &environment()).err().unwrap();
            assert_eq!(faults.len(), 1, "{text}");
            assert!(!format!("{faults:?}").contains("canary"), "{text}");
        }
    }
}
