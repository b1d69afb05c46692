//! Columns for people.

use crate::output::{Output, Style};

/// A cell: its text, and how it is shown on a terminal with colours.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: None }
    }

    pub(crate) fn styled(style: Style, text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Some(style) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn render(&self, output: Output) -> String {
        self.style.map_or_else(|| self.text.clone(), |style| output.styled(style, &self.text))
    }
}

/// The rows as lines with aligned columns two spaces apart, none with spaces at its end.
pub(crate) fn align<const N: usize>(rows: &[[Cell; N]], output: Output) -> Vec<String> {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0));
    let line = |row: &[Cell; N]| {
        let mut line = String::new();
        let mut owed = 0;
        for (cell, width) in row.iter().zip(widths) {
            if width == 0 {
                continue;
            }
            if cell.width() > 0 {
                line.push_str(&" ".repeat(owed));
                line.push_str(&cell.render(output));
                owed = 0;
            }
            owed += width - cell.width() + 2;
        }
        line
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use loomkin_auth::environment::Environment;

    use super::*;

    #[test]
    fn columns_are_aligned_and_an_empty_one_takes_no_room() {
        let row = |cells: [&str; 4]| cells.map(Cell::plain);
        let rows = [row(["A", "", "BCD", "E"]), row(["ÄÖÜ", "", "", "f"]), row(["x", "", "y", ""])];
        let output = Output::new(true, &Environment::default());
        assert_eq!(align(&rows, output), ["A    BCD  E", "ÄÖÜ       f", "x    y"]);
    }
}
