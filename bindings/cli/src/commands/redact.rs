//! `redact`.

use std::io::{self, Read, Write};

use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::redact::{RedactingWriter, Redactor};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::output::not_written;

/// Copies stdin to stdout on a thread of its own, so that Ctrl-C is not kept waiting for a line that never comes.
pub(super) async fn run() -> Result<(), Failure> {
    let (send, receive) = oneshot::channel();
    let copying = std::thread::Builder::new().name("redact".to_owned()).spawn(move || {
        // Nobody listens any more when a signal has ended the command meanwhile.
        let _ended = send.send(copy(&mut io::stdin().lock(), io::stdout().lock()));
    });
    copying.map_err(|error| not_read(&error))?;
    receive.await.unwrap_or(Ok(()))
}

/// Whatever can be read is handed on at once, so that a log that is followed is seen as it grows.
fn copy(from: &mut impl Read, to: impl Write) -> Result<(), Failure> {
    let mut to = RedactingWriter::new(Redactor::default(), to);
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return to.finish().map_err(|error| not_written(&error)),
            Ok(length) => {
                let written = to.write_all(&piece[..length]).and_then(|()| to.flush());
                written.map_err(|error| not_written(&error))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(not_read(&error)),
        }
    }
}

fn not_read(error: &io::Error) -> Failure {
    Error::new(ErrorCode::Usage, format!("the input cannot be read: {}", error.kind()))
        .with_advice("Send a text to stdin, such as `loomkin-auth redact < app.log`.")
        .into()
}

/// What a pipe holds on Linux, in bytes.
const PIECE: usize = 64 * 1024;
