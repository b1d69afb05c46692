//! What masking costs, and what it is worth, beside `grep -E` with the same patterns as far as it can say them
//! (`redact.ere`): `cargo bench -p loomkin-auth --bench redact`.
//!
//! Benches measure, tests assert. The numbers of the README come from here.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot go on stops there, and tells what it counted"
)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loomkin_auth::redact::{RedactingWriter, Redactor};
use loomkin_auth::secret::Secret;
use serde_json::Value;

criterion_group! {
    name = redact;
    config = Criterion::default().sample_size(10);
    targets = quality, throughput
}
criterion_main!(redact);

const CORPUS: &str = include_str!("../../tests/vectors/redact.json");
const PATTERNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/redact.ere");
const SIZE: usize = 16 * 1024 * 1024;

/// Which texts of the corpus are said to hold a secret?
fn quality(_: &mut Criterion) {
    let corpus: Value = serde_json::from_str(CORPUS).unwrap();
    let secret = corpus["masked"].as_array().unwrap().iter().map(|case| &case["input"]);
    let ordinary = corpus["ordinary"].as_array().unwrap();
    let texts: Vec<_> = secret.clone().chain(ordinary).map(|text| text.as_str().unwrap()).collect();
    let secrets = secret.count();

    let redactor = Redactor::default();
    let is_masked = |index: &usize| redactor.redact(texts[*index]) != texts[*index];
    tell("redact", &(0..texts.len()).filter(is_masked).collect(), secrets);
    tell("grep -E", &found_by_grep(&texts), secrets);
}

fn tell(who: &str, called_secret: &BTreeSet<usize>, secrets: usize) {
    let right = called_secret.range(..secrets).count();
    let wrong = called_secret.len() - right;
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
    println!(
        "{who}: {right} of {secrets} texts with a secret, {wrong} ordinary ones; precision {:.1} %, recall {:.1} %",
        percent(right, right + wrong),
        percent(right, secrets)
    );
}

/// Each text on a line of its own.
fn found_by_grep(texts: &[&str]) -> BTreeSet<usize> {
    let lines: Vec<_> = texts.iter().map(|text| text.replace('\n', " ")).collect();
    let file = file_of(lines.join("\n").as_bytes());
    let output = grep(file.path()).arg("--line-number").output().unwrap();
    let numbers = String::from_utf8(output.stdout).unwrap();
    numbers.lines().map(|line| line.split(':').next().unwrap().parse::<usize>().unwrap() - 1).collect()
}

fn throughput(c: &mut Criterion) {
    let known: Vec<_> = (0..1000).map(|number| Secret::new(format!("known-secret-{number:08}"))).collect();
    let shapes = Redactor::default();
    let with_known = Redactor::new(&known).unwrap();
    let log = log();
    let file = file_of(&log);

    let mut group = c.benchmark_group("redact");
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("a log", |b| b.iter(|| copy(&shapes, &log)));
    group.bench_function("a log, with 1,000 known secrets", |b| b.iter(|| copy(&with_known, &log)));
    group.bench_function("a log, as one line", |b| {
        let line: Vec<_> = log.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
        b.iter(|| copy(&shapes, &line));
    });
    // Where many openers begin, and each could be a part of an e-mail address that begins before it.
    for (name, piece) in [
        ("fields in an address", "%26state%3Dok"),
        ("keys side by side", "-sk-aaaaaaaaaaaaaaaaaaaa.%"),
        ("JWTs that are none", "eyJ-a"),
        ("names without values", "access_token-"),
    ] {
        let line = piece.repeat(SIZE / piece.len());
        group.bench_function(name, |b| b.iter(|| copy(&shapes, line.as_bytes())));
    }
    group.bench_function("a log, by grep -E", |b| {
        b.iter(|| grep(file.path()).stdout(Stdio::piped()).output().unwrap());
    });
    group.finish();
}

fn copy(redactor: &Redactor, text: &[u8]) {
    RedactingWriter::new(redactor.clone(), io::sink()).write_all(text).unwrap();
}

/// One line in a hundred has a secret.
fn log() -> Vec<u8> {
    let mut log = Vec::with_capacity(SIZE + 200);
    for number in 0.. {
        if log.len() >= SIZE {
            break;
        }
        let line = match number % 100 {
            0 => format!(
                "GET /auth/github/callback?code=SplxlOBeZQQYbYS6WxSbIA{number}&state=af0ifjsldkj 302\n"
            ),
            odd if odd % 2 == 1 => format!(
                "2026-11-21T09:31:00.{number:06}Z  INFO app::requests: GET /v1/models?limit=20 answered status=200 took=31ms id=6f1ed002-ab5a-4d2e-9c0e-{number:012x}\n"
            ),
            _ => format!("    at Object.handle{number} (/app/src/routes/index.ts:31:14) in state ready\n"),
        };
        log.extend_from_slice(line.as_bytes());
    }
    log
}

fn file_of(text: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    File::create(file.path()).unwrap().write_all(text).unwrap();
    file
}

/// Bytes, like ours: with a UTF-8 locale it would be slower.
fn grep(file: &Path) -> Command {
    let mut grep = Command::new("grep");
    grep.args(["-E", "-i", "-a", "-f", PATTERNS]).arg(file).env("LC_ALL", "C");
    grep
}
