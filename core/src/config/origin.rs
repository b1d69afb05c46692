//! Where a value came from.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody said; it is what this project does then.
    Default,
    /// It stands in the file.
    FileLine {
        /// The file, as it is shown.
        path: Arc<str>,
        /// The line, counted from 1.
        line: usize,
    },
    /// The provider's preset knows it.
    Preset,
    /// The file names an environment variable that holds it, or a part of it.
    Variable {
        /// The variable; the first, where there are several.
        name: String,
        /// The file that names it, as it is shown.
        path: Arc<str>,
        /// The line that names it, counted from 1.
        line: usize,
    },
}

/// `.loomkin.toml:12`, `.loomkin.toml:12 (variable GITHUB_CLIENT_SECRET)`, `default` or `preset`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::FileLine { path, line } => write!(f, "{path}:{line}"),
            Self::Preset => f.write_str("preset"),
            Self::Variable { name, path, line } => write!(f, "{path}:{line} (variable {name})"),
        }
    }
}

/// A value and where it came from. It stands for the value: it dereferences to it.
///
/// Its `Debug` hides a value that came from a variable, whatever its type: what an environment holds may be a secret
/// even under a key that is none.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// `value`, from `origin`.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

impl<T> Deref for Sourced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Sourced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Variable { .. } => f.write_str("(elided)")?,
            _ => self.value.fmt(f)?,
        }
        write!(f, " from {}", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_from_a_variable_is_not_shown() {
        let (path, line) = (Arc::from(".loomkin.toml"), 12);
        let value = Sourced::new("canary", Origin::Variable { name: "TOKEN".into(), path, line });
        assert_eq!(format!("{value:?}"), "(elided) from .loomkin.toml:12 (variable TOKEN)");
        assert_eq!(format!("{:?}", Sourced::new(1, Origin::Default)), "1 from default");
    }
}
