//! The two streams: what was asked for goes to stdout, everything else to stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use loomkin_auth::environment::Environment;
use loomkin_auth::error::{Error, ErrorCode};
use serde::Serialize;
use terminal_size::{Height, Width, terminal_size_of};

use crate::failure::Failure;

/// How and where this run writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether a program reads.
    pub(crate) json: bool,
    /// Whether stdout is a terminal that may be drawn on.
    pub(crate) draws: bool,
    draws_aside: bool,
    colours: bool,
    colours_errors: bool,
}

/// How much fits on a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// What a piece of text is, for terminals with colours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Bad,
    Dim,
    Good,
    Strong,
    Warning,
    /// Exactly these two, whatever the terminal's own colours are: a camera reads it.
    WhiteOnBlack,
}

impl Output {
    pub(crate) fn new(json: bool, environment: &Environment) -> Self {
        let is_dumb = environment.variable("TERM") == Some("dumb");
        let may_colour = !json && !is_dumb && environment.variable("NO_COLOR").is_none();
        Self {
            json,
            draws: !json && !is_dumb && io::stdout().is_terminal(),
            draws_aside: !json && !is_dumb && io::stderr().is_terminal(),
            colours: may_colour && io::stdout().is_terminal(),
            colours_errors: may_colour && io::stderr().is_terminal(),
        }
    }

    /// Writes `text` and the end of a line to stdout, at once.
    pub(crate) fn line(self, text: impl Display) -> Result<(), Failure> {
        self.write(format_args!("{text}\n"))
    }

    /// Writes `text` to stdout, at once.
    pub(crate) fn write(self, text: impl Display) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        write!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| not_written(&error))
    }

    /// Writes `value` as one line of JSON to stdout.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(to_json(value)?)
    }

    /// Writes a line to stderr as it is, whoever reads.
    ///
    /// A stderr that nobody can write to is not worth failing for: the exit code still tells.
    pub(crate) fn aside(self, text: impl Display) {
        let _best_effort = writeln!(io::stderr().lock(), "{text}");
    }

    /// The columns and rows of stderr, where that is a terminal that may be drawn on.
    pub(crate) fn screen_aside(self) -> Option<Screen> {
        let (Width(columns), Height(rows)) = terminal_size_of(io::stderr()).filter(|_| self.draws_aside)?;
        Some(Screen { columns: columns.into(), rows: rows.into() })
    }

    /// Writes `text` to stderr as it is, without the end of a line.
    pub(crate) fn draw_aside(self, text: impl Display) {
        let mut stderr = io::stderr().lock();
        let _best_effort = write!(stderr, "{text}").and_then(|()| stderr.flush());
    }

    /// Asks the person for a line, on stderr; a program is asked by an event instead.
    pub(crate) fn ask(self, text: impl Display) {
        if !self.json {
            self.draw_aside(text);
        }
    }

    /// Draws a line over the one before, on the stderr of a person at a terminal.
    pub(crate) fn progress(self, text: impl Display) {
        if self.draws_aside {
            let mut stderr = io::stderr().lock();
            let _best_effort = write!(stderr, "{CLEAR_LINE}{text}").and_then(|()| stderr.flush());
        }
    }

    /// Waits for `work`, and says what it is about where that takes longer than a person likes to look at nothing.
    pub(crate) async fn while_waiting<T>(self, text: impl Display, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => self.progress(text),
        }
        let done = work.await;
        self.end_progress();
        done
    }

    /// Wipes what was drawn last.
    pub(crate) fn end_progress(self) {
        self.progress("");
    }

    /// Says something that a person should know and that a program can do without, on stderr.
    pub(crate) fn hint(self, text: impl Display) {
        if !self.json {
            self.aside(text);
        }
    }

    /// Says something that nobody should miss, on stderr: a sentence for people, an object for programs.
    pub(crate) fn note(self, text: &str) {
        if self.json {
            self.aside(serde_json::json!({ "note": { "message": text } }));
        } else {
            self.aside(format_args!("{} {text}", self.styled_aside(Style::Strong, "note:")));
        }
    }

    /// `text` with the colours of stdout, if it has any.
    pub(crate) fn styled(self, style: Style, text: &str) -> String {
        paint(self.colours, style, text)
    }

    /// `text` with the colours of stderr, if it has any.
    pub(crate) fn styled_aside(self, style: Style, text: &str) -> String {
        paint(self.colours_errors, style, text)
    }

    /// Whether stderr has colours.
    pub(crate) fn colours_errors(self) -> bool {
        self.colours_errors
    }
}

/// One line of JSON. It cannot fail for the shapes of this command; if it did, nothing half-written would get out.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|_| Error::new(ErrorCode::Usage, "the answer cannot be written as JSON").into())
}

/// `text` from a server or a file, without what could move the cursor or reorder the line.
pub(crate) fn plain(text: &str) -> String {
    let is_tricky = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_tricky(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A reader that has seen enough, such as `head`, closes the pipe; that is no error of ours or of theirs.
pub(crate) fn not_written(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::OutputClosed;
    }
    Error::new(ErrorCode::Usage, format!("the output cannot be written: {}", error.kind()))
        .with_advice("Send the output to a place that takes it.")
        .into()
}

/// How long a person may look at nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// To the beginning of the line, which is then empty (ECMA-48 §8.3.41).
const CLEAR_LINE: &str = "\r\u{1b}[K";

fn paint(colours: bool, style: Style, text: &str) -> String {
    let code = match style {
        Style::Bad => "31;1",
        Style::Dim => "2",
        Style::Good => "32",
        Style::Strong => "1",
        Style::Warning => "33",
        Style::WhiteOnBlack => "97;40",
    };
    if colours && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_text_cannot_drive_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n\u{202e}c é"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c é");
    }

    #[test]
    fn colours_end_where_the_text_ends() {
        assert_eq!(paint(true, Style::Good, "ok"), "\u{1b}[32mok\u{1b}[0m");
        assert_eq!(paint(false, Style::Good, "ok"), "ok");
    }
}
