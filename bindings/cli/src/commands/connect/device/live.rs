//! The line that counts down.

use loomkin_auth::clock::{Clock, SystemClock, Timestamp};
use loomkin_auth::flow::device::DeviceProgress;

use crate::output::{Output, Style};
use crate::words;

/// The last line of a terminal, drawn anew until this is dropped. Elsewhere a line is written when there is something new.
pub(super) struct Live {
    deadline: Timestamp,
    output: Output,
    /// The trouble that was told last.
    trouble: Option<String>,
}

impl Live {
    pub(super) fn begin(deadline: Timestamp, output: Output) -> Self {
        if output.screen_aside().is_none() {
            let left = words::duration(deadline.time_left(SystemClock.now()));
            output
                .hint(format_args!("Waiting for you to allow the access, for at most {left}; Ctrl-C stops."));
        }
        Self { deadline, output, trouble: None }
    }

    pub(super) fn tell(&mut self, progress: &DeviceProgress) {
        // Asked every time: a person may change the size of the window meanwhile.
        if let Some(screen) = self.output.screen_aside() {
            let (style, text) = text(progress, self.deadline, SystemClock.now());
            // One column is left free, as some terminals go on to the next line when the last one is full.
            let text: String = text.chars().take(screen.columns.saturating_sub(1)).collect();
            self.output.draw_aside(format_args!("\r{}{CLEAR_REST}", self.output.styled_aside(style, &text)));
        } else if progress.trouble != self.trouble {
            self.trouble.clone_from(&progress.trouble);
            match &self.trouble {
                Some(trouble) => {
                    self.output.hint(format_args!("Not yet: {trouble}. The server is asked again."))
                }
                None => self.output.hint("The server answers again."),
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.output.screen_aside().is_some() {
            // What comes next begins on an empty line.
            self.output.draw_aside(format_args!("\r{CLEAR_REST}"));
        }
    }
}

fn text(progress: &DeviceProgress, deadline: Timestamp, now: Timestamp) -> (Style, String) {
    let left = words::countdown(deadline.time_left(now));
    match &progress.trouble {
        Some(trouble) => {
            let next = words::duration(progress.next_poll_at.time_left(now));
            (Style::Warning, format!("{left} left · {trouble}; asking again in {next}"))
        }
        None => (Style::Dim, format!("{left} left · waiting for you to allow the access · Ctrl-C stops")),
    }
}

const CLEAR_REST: &str = "\u{1b}[K";
