//! The command: ready line, hint, and an end that leaves nothing behind.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

async fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_loomkin-dev-provider"))
        .args(["--port", "0", "--stop-with-stdin"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).await.unwrap();
    let ready = serde_json::from_str(&line).unwrap();
    (child, ready)
}

#[tokio::test]
async fn it_says_when_it_is_ready_and_how_to_be_configured() {
    let (mut child, ready) = start(&["--auto-approve", "grace", "--access-token-lifetime", "5s"]).await;
    assert_eq!(ready["ready"], true);
    let issuer = ready["issuer"].as_str().unwrap();
    assert!(issuer.starts_with("http://127.0.0.1:"), "{issuer}");

    drop(child.stdin.take());
    let mut hint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut hint).await.unwrap();
    assert!(hint.contains("[auth.dev]") && hint.contains(&format!("issuer = \"{issuer}\"")), "{hint}");
    assert!(!hint.contains("p+a"), "{hint}");
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_so() {
    let (_child, ready) = start(&[]).await;
    let port = ready["issuer"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let output = Command::new(env!("CARGO_BIN_EXE_loomkin-dev-provider")).args(["--port", &port]).output();
    let output = output.await.unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(&port) && text.contains("--port 0"), "{text}");
    assert!(output.stdout.is_empty());
}
