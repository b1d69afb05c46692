//! QR codes in the terminal, two rows of modules to a line.

use qrcode::{Color, EcLevel, QrCode};

/// A QR code as lines of equal width.
#[derive(Debug)]
pub(crate) struct Drawing {
    /// The lines, without colours.
    pub(crate) lines: Vec<String>,
    /// How many columns each of them takes.
    pub(crate) width: usize,
}

/// Draws `text`, with the quiet zone around it that cameras look for; `None` when it is too long for any QR code.
///
/// What is light is drawn and what is dark is left out, because most terminals are dark. Where there are colours, the
/// caller sets white on black, so that it is right on all of them.
pub(crate) fn draw(text: &str) -> Option<Drawing> {
    // The lowest level: a screen has no scratches, and a smaller code fits on more of them.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (size, modules) = (code.width(), code.to_colors());
    let is_light = |column: usize, row: usize| {
        let inside = |place: usize| place.checked_sub(QUIET_ZONE).filter(|place| *place < size);
        match (inside(column), inside(row)) {
            (Some(column), Some(row)) => modules[row * size + column] == Color::Light,
            _ => true,
        }
    };
    let width = size + 2 * QUIET_ZONE;
    let line = |row: usize| {
        let half_blocks = |column| match (is_light(column, row), is_light(column, row + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..width).map(half_blocks).collect()
    };
    Some(Drawing { lines: (0..width).step_by(2).map(line).collect(), width })
}

/// ISO/IEC 18004 wants four modules; half of that is enough for cameras where what follows is dark or empty.
const QUIET_ZONE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules again, by their halves; true is light.
    fn read(drawing: &Drawing) -> Vec<Vec<bool>> {
        let row = |line: &String, upper: char| line.chars().map(|c| c == '█' || c == upper).collect();
        drawing.lines.iter().flat_map(|line| [row(line, '▀'), row(line, '▄')]).collect()
    }

    #[test]
    fn it_has_its_three_eyes_and_a_quiet_zone() {
        let drawing = draw("https://example.com/device?user_code=WDJB-MJHT").unwrap();
        assert_eq!((drawing.width, drawing.lines.len()), (33, 17), "29 modules and four of quiet");
        assert!(drawing.lines.iter().all(|line| line.chars().count() == drawing.width));
        let rows = read(&drawing);
        let is_dark_square = |column: usize, row: usize| {
            (0..7).all(|step| {
                !rows[row][column + step] && !rows[row + step][column] && rows[row + 1][column + 1]
            })
        };
        assert!(is_dark_square(2, 2) && is_dark_square(24, 2) && is_dark_square(2, 24));
        let edge = |index: usize| !(QUIET_ZONE..drawing.width - QUIET_ZONE).contains(&index);
        for (index, row) in rows.iter().enumerate() {
            for (column, light) in row.iter().enumerate() {
                assert!(*light || !(edge(index) || edge(column)), "{column}, {index}");
            }
        }
    }

    #[test]
    fn every_module_is_that_of_the_code() {
        let text = "https://github.com/login/device";
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let rows = read(&draw(text).unwrap());
        for row in 0..code.width() {
            for column in 0..code.width() {
                assert_eq!(rows[row + QUIET_ZONE][column + QUIET_ZONE], code[(column, row)] == Color::Light);
            }
        }
    }

    #[test]
    fn a_text_that_is_too_long_has_none() {
        assert!(draw(&"x".repeat(3000)).is_none());
    }
}
