//! The file as a place: how it is shown, where its lines begin, and what relative paths in it start from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::environment::Environment;

/// The text of a configuration file and where it lies.
pub(super) struct File<'a> {
    pub(super) shown: Arc<str>,
    pub(super) directory: PathBuf,
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> File<'a> {
    /// `path` may be relative to the working directory of `environment`.
    pub(super) fn new(text: &'a str, path: &Path, environment: &Environment) -> Self {
        let here = environment.current_dir();
        let shown = path.strip_prefix(here).unwrap_or(path).display().to_string();
        let directory = here.join(path).parent().map_or_else(|| here.to_owned(), Path::to_owned);
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { shown: shown.into(), directory, text, line_starts }
    }

    /// The line of the byte `at`, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// The line and the column of the byte `at`, counted from 1; columns count characters.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let start = self.line_starts[line - 1];
        // A parser's offset may lie inside a character or past the end; neither is worth a panic.
        let column = self.text[start..].char_indices().take_while(|(offset, _)| start + offset < at).count();
        (line, column + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File<'_> {
        File::new(text, Path::new("/work/app/.loomkin.toml"), &Environment::new([("", "")], "/work"))
    }

    #[test]
    fn columns_count_characters_whatever_ends_the_line() {
        let text = "ab\r\nÄö = 1\n\nlast";
        let file = file(text);
        let at = |needle: &str| file.position(text.find(needle).unwrap());
        assert_eq!(at("ab"), (1, 1));
        assert_eq!(at("b\r"), (1, 2));
        assert_eq!(at("Ä"), (2, 1));
        assert_eq!(at("= 1"), (2, 4));
        assert_eq!(at("last"), (4, 1));
        assert_eq!(file.position(text.len()), (4, 5));
        assert_eq!(file.position(text.len() + 9), (4, 5));
    }

    #[test]
    fn a_file_below_the_working_directory_is_shown_relative_to_it() {
        assert_eq!(&*file("").shown, "app/.loomkin.toml");
        assert_eq!(file("").directory, Path::new("/work/app"));
        let environment = Environment::new([("", "")], "/elsewhere");
        assert_eq!(&*File::new("", Path::new("/work/x.toml"), &environment).shown, "/work/x.toml");
        assert_eq!(File::new("", Path::new("x.toml"), &environment).directory, Path::new("/elsewhere"));
    }
}
