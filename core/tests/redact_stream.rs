//! Secrets where windows are cut, in lines that do not end, and through a writer.

use std::borrow::Cow;
use std::io::{self, Write};

use loomkin_auth::redact::{MASK, RedactingWriter, Redactor};
use loomkin_auth::secret::Secret;

const WINDOW: usize = 64 * 1024;

#[test]
fn a_secret_is_masked_wherever_a_window_is_cut() {
    let known = Secret::new("tr0ub4dor&3 in the middle");
    let redactor = Redactor::new([&known]).unwrap();
    for (text, clean) in [
        ("<tr0ub4dor&3 in the middle>", "<[redacted]>"),
        (" access_token=A1b2C3d4E5f6 ", " access_token=[redacted] "),
        (" ghp_A1b2C3d4E5f6G7h8I9j0K1l2. ", " [redacted]. "),
        (r#" "password":"a\\\"b", "#, r#" "password":"[redacted]", "#),
        (" ada@example.com ", " [redacted] "),
        (" task-force code=not_connected ", " task-force code=not_connected "),
    ] {
        for before in (WINDOW - 60..WINDOW + 60).chain(WINDOW + 1024 - 60..WINDOW + 1024 + 60) {
            let (before, after) = (" ".repeat(before), " ".repeat(2000));
            let masked = redactor.redact(&format!("{before}{text}{after}")).into_owned();
            assert!(masked == format!("{before}{clean}{after}"), "{text} behind {}", before.len());
        }
    }
}

#[test]
fn secrets_side_by_side_are_one_mask_and_what_is_between_others_stays() {
    let secrets = ["first-secret", "second-secret", "secret-and-more"].map(Secret::new);
    let redactor = Redactor::new(&secrets).unwrap();
    assert_eq!(redactor.redact("first-secretsecond-secret"), MASK);
    assert_eq!(redactor.redact("first-secret-and-more"), MASK, "they overlap");
    assert_eq!(redactor.redact("first-secret, second-secret"), "[redacted], [redacted]");
    assert_eq!(redactor.redact("api_key=x-first-secret-y&a=1"), "api_key=[redacted]&a=1");
}

#[test]
fn a_secret_of_many_lines_is_masked_line_by_line() {
    let redactor = Redactor::new([&Secret::new("first line\r\nab\nthird line\n")]).unwrap();
    assert_eq!(redactor.redact("> first line\n> ab\n> third line\n"), "> [redacted]\n> ab\n> [redacted]\n");
}

#[test]
fn an_empty_secret_masks_nothing() {
    let redactor = Redactor::new(&["", "abc", "\n\n"].map(Secret::new)).unwrap();
    assert!(matches!(redactor.redact("abc and more"), Cow::Borrowed("abc and more")));
}

#[test]
fn no_debug_form_shows_a_secret_or_a_text() {
    let redactor = Redactor::new([&Secret::new("canary-4711")]).unwrap();
    let mut writer = RedactingWriter::new(redactor.clone(), io::sink());
    writer.write_all(b"canary-4711 password=canary").unwrap();
    for text in [format!("{redactor:?}"), format!("{writer:?}"), format!("{writer:#?}")] {
        let bytes = format!("{:?}", b"canary");
        assert!(!text.contains("canary") && !text.contains(bytes.trim_matches(['[', ']'])), "{text}");
    }
}

#[test]
fn a_line_is_handed_on_when_it_ends_and_the_rest_when_the_writer_goes() {
    let mut out = Vec::new();
    let mut writer = RedactingWriter::new(Redactor::default(), &mut out);
    writer.write_all(b"one password=a\ntwo pass").unwrap();
    writer.flush().unwrap();
    drop(writer);
    assert_eq!(out, b"one password=[redacted]\ntwo pass");
}

#[test]
fn what_was_ended_has_no_part_in_what_follows() {
    let mut out = Vec::new();
    let mut writer = RedactingWriter::new(Redactor::default(), &mut out);
    writer.write_all(b"-----BEGIN PRIVATE KEY-----\nMIIE").unwrap();
    writer.finish().unwrap();
    writer.write_all(b"MIIE").unwrap();
    writer.finish().unwrap();
    drop(writer);
    assert_eq!(out, b"-----BEGIN PRIVATE KEY-----[redacted]MIIE");
}

#[test]
fn a_writer_that_takes_nothing_more_is_told() {
    let mut room = [0; 4];
    let mut writer = RedactingWriter::new(Redactor::default(), &mut room[..]);
    let error = writer.write_all(b"five!\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
}
