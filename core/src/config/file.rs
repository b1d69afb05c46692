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

    /// The line and the column of each byte in `sorted`, counted from 1; columns count characters.
    ///
    /// One pass for all of them: a file may be one line of a mebibyte, with a problem in every other word.
    pub(super) fn positions(&self, sorted: impl IntoIterator<Item = usize>) -> Vec<(usize, usize)> {
        let (mut counted, mut column) = (0, 1);
        let position = |at| {
            let line = self.line(at);
            let start = self.line_starts[line - 1];
            if counted < start {
                (counted, column) = (start, 1);
            }
            // A parser's offset may lie inside a character or past the end; neither is worth a panic.
            let end = self.text.ceil_char_boundary(at);
            column += self.text.get(counted..end).map_or(0, |text| text.chars().count());
            counted = end;
            (line, column)
        };
        sorted.into_iter().map(position).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File<'_> {
        File::new(text, Path::new("/srv/app/.loomkin.toml"), &Environment::new([("", "")], "/srv"))
    }

    #[test]
    fn columns_count_characters_whatever_ends_the_line() {
        let text = "ab\r\nÄö = 1\n\nlast";
        let file = file(text);
        let at = |needle: &str| text.find(needle).unwrap();
        let sorted =
            [at("ab"), at("b\r"), at("b\r"), at("Ä"), at("= 1"), at("last"), text.len(), text.len() + 9];
        let places = [(1, 1), (1, 2), (1, 2), (2, 1), (2, 4), (4, 1), (4, 5), (4, 5)];
        assert_eq!(file.positions(sorted), places);
        for (at, place) in sorted.into_iter().zip(places) {
            assert_eq!(file.positions([at]), [place]);
        }
    }

    #[test]
    fn a_file_below_the_working_directory_is_shown_relative_to_it() {
        assert_eq!(&*file("").shown, "app/.loomkin.toml");
        assert_eq!(file("").directory, Path::new("/srv/app"));
        let environment = Environment::new([("", "")], "/elsewhere");
        assert_eq!(&*File::new("", Path::new("/srv/x.toml"), &environment).shown, "/srv/x.toml");
        assert_eq!(File::new("", Path::new("x.toml"), &environment).directory, Path::new("/elsewhere"));
    }
}
