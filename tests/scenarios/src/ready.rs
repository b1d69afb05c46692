//! The line by which the server of a child process says that it can be asked.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Child;

/// The first line that `child` writes on its standard output, as JSON; an error with its complaint where it writes
/// something else, or nothing.
pub(crate) async fn ready_line(child: &mut Child) -> io::Result<Value> {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.as_mut() {
        BufReader::new(stdout).read_line(&mut line).await?;
    }
    if let Ok(ready) = serde_json::from_str(&line) {
        return Ok(ready);
    }
    let mut complaint = String::new();
    if let Some(stderr) = child.stderr.as_mut() {
        stderr.read_to_string(&mut complaint).await?;
    }
    Err(io::Error::other(complaint))
}
