//! The environment of a process, taken as an argument everywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// A copy of the environment, made once and passed down. Its `Debug` shows the number of variables, no content.
#[derive(Clone, Default)]
pub struct Environment {
    /// By name; `None` where the value is no text.
    variables: BTreeMap<String, Option<String>>,
    current_dir: PathBuf,
    is_in_container: bool,
    has_terminal: bool,
}

impl Environment {
    /// The variables and the working directory of this process, whether a terminal shows its stderr, and whether the files
    /// are there by which Docker and Podman mark their containers. Of a variable whose value is not UTF-8 the name is kept.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the process's environment"
    )]
    pub fn from_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()))
        };
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            current_dir: std::env::current_dir().unwrap_or_default(),
            is_in_container: CONTAINER_MARKS.iter().any(|mark| Path::new(mark).exists()),
            has_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// An environment of exactly these variables, in `current_dir`, outside of any container and without a terminal.
    pub fn new<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
        current_dir: impl Into<PathBuf>,
    ) -> Self {
        let variables =
            variables.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect();
        Self { variables, current_dir: current_dir.into(), is_in_container: false, has_terminal: false }
    }

    /// The same inside of a container.
    #[must_use]
    pub fn in_container(self) -> Self {
        Self { is_in_container: true, ..self }
    }

    /// The same at a terminal.
    #[must_use]
    pub fn at_terminal(self) -> Self {
        Self { has_terminal: true, ..self }
    }

    /// The same with a variable whose value is no text.
    #[must_use]
    pub fn with_no_text_in(mut self, name: &str) -> Self {
        self.variables.insert(name.to_owned(), None);
        self
    }

    /// The value of a variable; an empty one counts as absent, and one that is no text can be had by nobody.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.as_deref().filter(|value| !value.is_empty())
    }

    /// Whether a variable is set to something that is not UTF-8.
    pub fn is_no_text(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(Option::is_none)
    }

    /// The person's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").or_else(|| self.variable("USERPROFILE")).map(PathBuf::from)
    }

    /// The directory that relative paths start from.
    pub fn current_dir(&self) -> &Path {
        &self.current_dir
    }

    /// Whether files mark this as the inside of a container.
    pub fn is_in_container(&self) -> bool {
        self.is_in_container
    }

    /// Whether a terminal shows what the process says, so that somebody may be there to read it.
    pub fn has_terminal(&self) -> bool {
        self.has_terminal
    }

    /// The names of all variables, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

const CONTAINER_MARKS: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_absent() {
        let environment = Environment::new([("A", "1"), ("B", "")], "/");
        assert_eq!(environment.variable("A"), Some("1"));
        assert_eq!(environment.variable("B"), None);
    }

    #[test]
    fn a_variable_that_is_no_text_is_there_and_has_no_value() {
        let environment = Environment::new([("A", "1")], "/").with_no_text_in("B");
        assert_eq!((environment.variable("B"), environment.is_no_text("B")), (None, true));
        assert!(!environment.is_no_text("A") && !environment.is_no_text("C"));
        assert_eq!(environment.names().collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn no_value_is_shown() {
        let environment = Environment::new([("TOKEN", "canary-4711")], "/");
        assert_eq!(format!("{environment:?}"), "Environment(1 variables)");
    }
}
