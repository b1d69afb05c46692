//! What is wrong with a configuration file, where, and what mends it.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, ErrorCode};

/// One thing that is wrong, or worth knowing, at one place of the file.
///
/// Safe to show: it never holds the value of a secret key, nor a value that came from a variable.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The file, relative to the working directory where it lies below it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted in characters from 1.
    pub column: usize,
    /// What is wrong, without a trailing full stop.
    pub message: String,
    /// What to do about it: one or two whole sentences.
    pub help: String,
}

/// `FILE:LINE:COLUMN: message`, then the help on an indented line of its own.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, help } = self;
        write!(f, "{file}:{line}:{column}: {message}\n  help: {help}")
    }
}

/// Everything that is wrong with one file, in the order of the places; never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problems {
    file: String,
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: &str, list: Vec<Problem>) -> Self {
        Self { file: file.to_owned(), list }
    }

    /// The file, as it is shown.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The problems, in the order of their places.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }
}

/// Every problem, one after the other.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Why a configuration file cannot be used.
#[derive(Clone, Debug)]
pub enum ConfigFault {
    /// It can be read, and these are its problems.
    Problems(Problems),
    /// It cannot be read.
    Unreadable(Error),
}

impl From<Problems> for ConfigFault {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}

impl From<Error> for ConfigFault {
    fn from(error: Error) -> Self {
        Self::Unreadable(error)
    }
}

impl From<ConfigFault> for Error {
    fn from(fault: ConfigFault) -> Self {
        match fault {
            ConfigFault::Problems(problems) => problems.into(),
            ConfigFault::Unreadable(error) => error,
        }
    }
}

/// `config_invalid`, with the rendered problems as its details, line by line.
impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        let count = match problems.list.len() {
            1 => "1 problem".to_owned(),
            many => format!("{many} problems"),
        };
        Self::new(ErrorCode::ConfigInvalid, format!("{} has {count}", problems.file))
            .with_details(problems.to_string().lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_lists_every_problem_line_by_line() {
        let problem = |line, message: &str| Problem {
            file: ".loomkin.toml".into(),
            line,
            column: 3,
            message: message.into(),
            help: "Mend it.".into(),
        };
        let problems = Problems::new(".loomkin.toml", vec![problem(1, "one"), problem(2, "two")]);
        let error = Error::from(problems);
        assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        assert_eq!(error.message(), ".loomkin.toml has 2 problems");
        assert_eq!(
            error.details(),
            [".loomkin.toml:1:3: one", "  help: Mend it.", ".loomkin.toml:2:3: two", "  help: Mend it."]
        );
    }
}
