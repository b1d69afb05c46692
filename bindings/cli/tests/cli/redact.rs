use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

use crate::home::{Home, Ran};

/// A run in a home without any configuration.
fn start(home: &Home) -> Child {
    home.command(&["redact"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_log_is_masked_without_any_configuration() {
    let home = Home::new();
    let mut redact = start(&home);
    let log = "GET /callback?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj7 200\nall is well\nBearer mF_9.B5f-4.1JqM7";
    redact.stdin.take().unwrap().write_all(log.as_bytes()).unwrap();
    let ran = Ran::from(redact.wait_with_output().unwrap()).exits(0);
    let clean = "GET /callback?code=[redacted]&state=[redacted] 200\nall is well\nBearer [redacted]";
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (clean, ""));
    assert_eq!(std::fs::read_dir(home.path(".")).unwrap().count(), 0, "it makes no file");
}

#[test]
fn a_line_of_a_log_that_is_followed_is_seen_as_soon_as_it_ends() {
    let home = Home::new();
    let mut redact = start(&home);
    let mut stdin = redact.stdin.take().unwrap();
    let mut stdout = BufReader::new(redact.stdout.take().unwrap());
    for number in 0..3 {
        write!(stdin, "line {number} password=hunter2").unwrap();
        stdin.flush().unwrap();
        writeln!(stdin, "hunter2").unwrap();
        let mut line = String::new();
        // Stdin is still open: it comes, or this test never ends.
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, format!("line {number} password=[redacted]\n"));
    }
    drop(stdin);
    assert!(redact.wait().unwrap().success());
}

#[test]
fn bytes_that_are_no_text_come_out_as_they_were() {
    let home = Home::new();
    let mut redact = start(&home);
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut stdin = redact.stdin.take().unwrap();
    let written = bytes.clone();
    let writing = std::thread::spawn(move || stdin.write_all(&written).unwrap());
    let output = redact.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    assert!(output.stdout == bytes);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut redact = home
        .command(&["redact"])
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = redact.stdin.take().unwrap();
    // It may be gone before it has read all of this.
    let _too_late = stdin.write_all(&b"a line\n".repeat(100_000));
    drop(stdin);
    assert_eq!(Ran::from(redact.wait_with_output().unwrap()).exits(0).stderr, "");
}

#[test]
fn a_closed_stdin_is_an_empty_text() {
    let ran = Home::new().run(&["redact"]).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
#[cfg(target_os = "linux")]
fn an_input_that_cannot_be_read_and_an_output_that_takes_nothing_are_told() {
    let home = Home::new();
    let folder = std::fs::File::open(home.path(".")).unwrap();
    let ran = Ran::from(home.command(&["redact"]).stdin(folder).output().unwrap()).exits(64);
    assert!(ran.stderr.contains("the input cannot be read"), "{}", ran.stderr);
    assert!(ran.stderr.contains("help: Send a text to stdin"), "{}", ran.stderr);

    std::fs::write(home.path("log"), "a line\n").unwrap();
    let log = std::fs::File::open(home.path("log")).unwrap();
    let full = std::fs::File::create("/dev/full").unwrap();
    let ran = Ran::from(home.command(&["redact"]).stdin(log).stdout(full).output().unwrap()).exits(64);
    assert!(ran.stderr.contains("the output cannot be written"), "{}", ran.stderr);
}
