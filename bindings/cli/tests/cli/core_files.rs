//! A command that crashes leaves no picture of its memory.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use crate::home::{Home, TWO_PROVIDERS};

#[test]
fn a_crash_writes_no_core_file() {
    let home = Home::with_config(TWO_PROVIDERS);
    let mut watching = Command::new("sh")
        .args(["-c", "ulimit -c unlimited; exec \"$0\" status --watch --json"])
        .arg(env!("CARGO_BIN_EXE_loomkin-auth"))
        .current_dir(home.path("."))
        .env("HOME", home.path("."))
        .env("STORE_KEY", "0123456789abcdef0123456789abcdef")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first_line = String::new();
    BufReader::new(watching.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
    assert!(first_line.starts_with('['), "{first_line}");

    let killed = Command::new("kill").args(["-ABRT", &watching.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = watching.wait().unwrap();
    assert_eq!(ended.signal(), Some(6));
    assert!(!ended.core_dumped());
}
