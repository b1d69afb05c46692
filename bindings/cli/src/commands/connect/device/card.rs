//! What a person has to enter, as large as a terminal may show it, and a QR code beside it where there is room.

use loomkin_auth::protocol::device::DeviceAuthorization;

use crate::output::{Output, Screen, Style};
use crate::qr;

/// The code of `device` in the middle of stderr, or in one line where that is no terminal.
pub(super) fn lines(device: &DeviceAuthorization, output: Output) -> Vec<String> {
    let complete = device.verification_uri_complete();
    let card = Card {
        code: device.user_code(),
        link: complete.unwrap_or(device.verification_uri()).as_str(),
        holds_code: complete.is_some(),
    };
    card.lines(output.screen_aside(), output)
}

struct Card<'a> {
    code: &'a str,
    /// What the QR code says.
    link: &'a str,
    /// Whether that has the code in it.
    holds_code: bool,
}

impl Card<'_> {
    fn lines(&self, screen: Option<Screen>, output: Output) -> Vec<String> {
        let Some(screen) = screen else {
            return [vec![format!("{TITLE}{}", self.code)], self.advice(false)].concat();
        };
        let text = |has_qr| [self.framed(screen.columns, output), self.advice(has_qr)].concat();
        let text_width = self.frame_width().max(TITLE.len() + self.width()).max(ADVICE_WIDTH);
        match qr::draw(self.link) {
            Some(drawing)
                if drawing.width + GAP + text_width <= screen.columns
                    && drawing.lines.len() + ROWS_AROUND <= screen.rows =>
            {
                beside(&drawing, &text(true), output)
            }
            _ => text(false),
        }
    }

    /// The code once to copy, and once large.
    fn framed(&self, columns: usize, output: Output) -> Vec<String> {
        let title = format!("{TITLE}{}", output.styled_aside(Style::Strong, self.code));
        if self.frame_width() > columns {
            return vec![title, String::new()];
        }
        let inner = self.frame_width() - 2;
        let empty = format!("│{}│", " ".repeat(inner));
        let spaced: Vec<_> = self.code.chars().map(String::from).collect();
        let spaced = output.styled_aside(Style::Strong, &spaced.join(" "));
        vec![
            title,
            String::new(),
            format!("╭{}╮", "─".repeat(inner)),
            empty.clone(),
            format!("│{PADDING}{spaced}{PADDING}│"),
            empty,
            format!("╰{}╯", "─".repeat(inner)),
            String::new(),
        ]
    }

    /// A link that holds the code could have come from anybody: the person compares (RFC 8628 §3.3.1, §5.4).
    fn advice(&self, has_qr: bool) -> Vec<String> {
        let lines: &[&str] = match (self.holds_code, has_qr) {
            (true, true) => &[
                "The second address and the QR code",
                "hold it already: allow the access if",
                "the page shows the same code.",
            ],
            (true, false) => &[
                "The second address holds it already:",
                "allow the access if the page shows the",
                "same code.",
            ],
            (false, true) => &["The QR code leads to the page."],
            (false, false) => &[],
        };
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    fn width(&self) -> usize {
        self.code.chars().count()
    }

    /// A space between every two letters, padding and lines around.
    fn frame_width(&self) -> usize {
        2 * self.width() - 1 + 2 * PADDING.len() + 2
    }
}

/// The QR code at the left, and `text` in the middle of its height.
fn beside(drawing: &qr::Drawing, text: &[String], output: Output) -> Vec<String> {
    let above = drawing.lines.len().saturating_sub(text.len()) / 2;
    let line = |row: usize| {
        let left = match drawing.lines.get(row) {
            Some(line) => output.styled_aside(Style::WhiteOnBlack, line),
            None => " ".repeat(drawing.width),
        };
        let right = row.checked_sub(above).and_then(|row| text.get(row)).map_or("", String::as_str);
        if right.is_empty() { left } else { format!("{left}{}{right}", " ".repeat(GAP)) }
    };
    (0..drawing.lines.len().max(text.len())).map(line).collect()
}

const ADVICE_WIDTH: usize = 38;
const GAP: usize = 4;
const PADDING: &str = "     ";
/// The lines above and below: the title, the addresses, the countdown, and what keeps them apart.
const ROWS_AROUND: usize = 7;
const TITLE: &str = "Enter this code there: ";

#[cfg(test)]
mod tests {
    use loomkin_auth::environment::Environment;

    use super::*;

    /// The lines on a terminal without colours.
    fn drawn(card: &Card<'_>, columns: usize, rows: usize) -> Vec<String> {
        card.lines(Some(Screen { columns, rows }), Output::new(true, &Environment::default()))
    }

    fn widest(lines: &[String]) -> usize {
        lines.iter().map(|line| line.chars().count()).max().unwrap()
    }

    const CARD: Card<'_> =
        Card { code: "WDJB-MJHT", link: "https://example.com/device?user_code=WDJB-MJHT", holds_code: true };

    #[test]
    fn a_usual_terminal_shows_all_of_it_at_once() {
        let lines = drawn(&CARD, 80, 24);
        assert!(lines.len() + ROWS_AROUND <= 24 && widest(&lines) <= 80, "{lines:#?}");
        let text = lines.join("\n");
        assert!(text.contains("│     W D J B - M J H T     │"), "{text}");
        assert!(
            text.contains("Enter this code there: WDJB-MJHT")
                && text.contains("QR code")
                && text.contains('▀')
        );
    }

    #[test]
    fn a_narrow_or_a_low_terminal_has_no_qr_code_and_a_very_narrow_one_no_frame() {
        for (columns, rows) in [(74, 50), (80, 23)] {
            let text = drawn(&CARD, columns, rows).join("\n");
            assert!(
                !text.contains('▀') && !text.contains("QR") && text.contains("W D J B - M J H T"),
                "{text}"
            );
        }
        let text = drawn(&CARD, 28, 50).join("\n");
        assert!(!text.contains('│') && text.contains("WDJB-MJHT"), "{text}");
    }

    #[test]
    fn whatever_the_server_sends_fits() {
        let long = "X".repeat(64);
        for (code, link) in
            [(long.as_str(), "https://example.com/"), ("X", &*format!("https://x/{}", "x".repeat(2000)))]
        {
            for columns in [87, 120, 180, 400] {
                let card = Card { code, link, holds_code: false };
                let lines = drawn(&card, columns, 100);
                assert!(widest(&lines) <= columns, "{columns}: {lines:#?}");
            }
        }
    }

    #[test]
    fn where_there_is_no_terminal_nothing_is_drawn() {
        let lines = CARD.lines(None, Output::new(false, &Environment::default()));
        assert_eq!(lines[0], "Enter this code there: WDJB-MJHT");
        assert!(lines.iter().all(|line| line.is_ascii()), "{lines:#?}");
    }
}
