//! Lines that a person pastes or a program writes.

use std::io::{self, BufRead, IsTerminal, Read};

use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::secret::Secret;
use tokio::sync::oneshot;

/// Whether a person can be asked.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// The next line that is not blank, without the white space around it; `None` at the end of stdin.
///
/// A line that the terminal has cut off is `InvalidData`.
///
/// It is read on a thread of its own, so that Ctrl-C and deadlines are not kept waiting for a line that never comes.
/// Dropping the future leaves that thread to end with the process.
pub(crate) async fn line() -> io::Result<Option<String>> {
    let (send, receive) = oneshot::channel();
    let cut_at = if is_interactive() { TERMINAL_LINE } else { usize::MAX };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        // Nobody listens any more when the command has ended meanwhile.
        let _ended = send.send(read_line(&mut io::stdin().lock(), cut_at));
    })?;
    receive.await.unwrap_or(Ok(None))
}

/// As [`line()`], for what is pasted: on a terminal it is not shown, because scrollback outlives a login. `ask` is called
/// once the terminal is silent, so that even whoever pastes at once shows nothing. A stdin that cannot be read is at its
/// end.
///
/// # Errors
///
/// `usage` for a line that the terminal has cut off.
pub(crate) async fn secret_line(ask: impl FnOnce()) -> Result<Option<Secret>, Error> {
    let mut silence = echo::Silence::begin();
    ask();
    let line = line().await;
    silence.line_was_ended();
    match line {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(cut_off()),
        line => Ok(line.unwrap_or(None).map(Secret::new)),
    }
}

/// A secret that fills all of stdin, without the end of its last line; on a terminal the next hidden line. `None` where
/// nothing comes. What is wrong with it is for the core to say, so nothing else is taken away.
///
/// # Errors
///
/// As [`secret_line`].
pub(crate) async fn secret_text(ask: impl FnOnce()) -> Result<Option<Secret>, Error> {
    if is_interactive() {
        return secret_line(ask).await;
    }
    let (send, receive) = oneshot::channel();
    let reading = std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        // Nobody listens any more when the command has ended meanwhile.
        let _ended = send.send(read_all(&mut io::stdin().lock()));
    });
    let Ok(_thread) = reading else { return Ok(None) };
    Ok(receive.await.unwrap_or(Ok(None)).unwrap_or(None).map(Secret::new))
}

fn cut_off() -> Error {
    let message =
        format!("a terminal passes on no more than {TERMINAL_LINE} bytes of a line, and the rest is lost");
    Error::new(ErrorCode::Usage, message).with_advice("Send it through a pipe, or from a file: `… < FILE`.")
}

fn read_all(reader: &mut impl Read) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    // One byte more than any line may have: what was cut off must not pass for the whole.
    reader.take(MAX_LINE + 1).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches(['\r', '\n']);
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn read_line(reader: &mut impl BufRead, cut_at: usize) -> io::Result<Option<String>> {
    loop {
        let mut bytes = Vec::new();
        if reader.take(MAX_LINE).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if bytes.trim_ascii_end().len() >= cut_at {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // What is no text answers no question; the replacement characters make sure of that.
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim();
        if !text.is_empty() {
            return Ok(Some(text.to_owned()));
        }
    }
}

#[cfg(unix)]
mod echo {
    use std::io::{self, IsTerminal, Write};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// A terminal that does not show what is typed, until this is dropped.
    #[derive(Debug)]
    pub(super) struct Silence {
        before: Option<Termios>,
        line_ended: bool,
    }

    impl Silence {
        /// Does nothing where stdin is no terminal.
        pub(super) fn begin() -> Self {
            let stdin = io::stdin();
            let before = if stdin.is_terminal() { tcgetattr(&stdin).ok() } else { None };
            if let Some(before) = &before {
                let mut silent = before.clone();
                silent.local_modes.remove(LocalModes::ECHO);
                // The end of the line is still shown, so that a person sees that Enter was taken.
                silent.local_modes.insert(LocalModes::ECHONL);
                let _shown_then = tcsetattr(&stdin, OptionalActions::Now, &silent);
            }
            Self { before, line_ended: false }
        }

        /// The person has pressed Enter.
        pub(super) fn line_was_ended(&mut self) {
            self.line_ended = true;
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            let Some(before) = &self.before else { return };
            let _nothing_more_can_be_done = tcsetattr(io::stdin(), OptionalActions::Now, before);
            if !self.line_ended {
                // What comes next does not belong behind the prompt.
                let _best_effort = writeln!(io::stderr());
            }
        }
    }
}

#[cfg(not(unix))]
mod echo {
    /// Here the terminal goes on showing what is typed.
    #[derive(Debug)]
    pub(super) struct Silence;

    impl Silence {
        pub(super) fn begin() -> Self {
            Self
        }

        pub(super) fn line_was_ended(&mut self) {}
    }
}

/// How much of a line a terminal keeps until Enter is pressed; what is pasted beyond it is dropped in silence. Linux has a
/// buffer of 4,096 bytes, the end of the line included; elsewhere it is as short as POSIX allows such systems to have it.
const TERMINAL_LINE: usize = if cfg!(target_os = "linux") { 4_095 } else { 1_023 };

/// Longer than any address that a browser shows; what goes past it is read as another line.
const MAX_LINE: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_passed_over_and_the_end_is_seen() {
        let mut input = &b"\n  \r\n code#state \r\nlast"[..];
        assert_eq!(read_line(&mut input, usize::MAX).unwrap().as_deref(), Some("code#state"));
        assert_eq!(read_line(&mut input, usize::MAX).unwrap().as_deref(), Some("last"));
        assert_eq!(read_line(&mut input, usize::MAX).unwrap(), None);
    }

    #[test]
    fn a_text_is_all_of_stdin_but_for_the_end_of_its_last_line() {
        let read = |bytes: &[u8]| read_all(&mut &bytes[..]).unwrap();
        assert_eq!(read(b"sk-a\r\n").as_deref(), Some("sk-a"));
        assert_eq!(read(b" sk-a\nsk-b\n\n").as_deref(), Some(" sk-a\nsk-b"));
        assert_eq!((read(b""), read(b"\n")), (None, None));
        let endless = read_all(&mut io::repeat(b'a')).unwrap().unwrap();
        assert_eq!(endless.len() as u64, MAX_LINE + 1);
    }

    #[test]
    fn a_line_that_fills_the_terminal_was_cut_off() {
        let read = |bytes: &[u8]| read_line(&mut &bytes[..], 8).map_err(|error| error.kind());
        assert_eq!(read(b" sk-abc\n").unwrap().as_deref(), Some("sk-abc"));
        assert_eq!(read(b" sk-abcd\n"), Err(io::ErrorKind::InvalidData));
        assert_eq!(read(b"sk-abcde\n"), Err(io::ErrorKind::InvalidData));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let endless = io::repeat(b'a');
        let line = read_line(&mut io::BufReader::new(endless), usize::MAX).unwrap().unwrap();
        assert_eq!(line.len() as u64, MAX_LINE);
    }
}
