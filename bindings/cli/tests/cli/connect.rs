use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::home::{Home, Ran, TWO_PROVIDERS};

/// A login of `work-idp` that has got as far as waiting for the person.
struct Waiting {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    authorize: Value,
}

impl Waiting {
    fn begin(home: &Home, arguments: &[&str]) -> Self {
        let base = ["connect", "work-idp", "--json", "--no-browser"];
        let mut child = home
            .command(&[&base, arguments].concat())
            .env("LOOMKIN_AUTH_LOG", "trace")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let authorize = next_event(&mut stdout);
        assert_eq!(authorize["event"], "authorize");
        Self { child, stdout, authorize }
    }

    fn parameter(&self, name: &str) -> String {
        let url = self.authorize["url"].as_str().unwrap();
        let (_, value) = url.split_once(&format!("{name}=")).unwrap();
        value.split('&').next().unwrap().replace("%3A", ":").replace("%2F", "/")
    }

    fn write(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn close_stdin(mut self) -> Self {
        drop(self.child.stdin.take());
        self
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-s", name, &id]).status().unwrap().success());
    }

    /// What it comes to. Stdin stays open until then: its end would end a login by pasting.
    fn end(mut self) -> Ran {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let mut ran = Ran::from(self.child.wait_with_output().unwrap());
        ran.stdout = stdout;
        ran
    }
}

/// Where `work-idp` can be logged in to by pasting as well.
fn with_redirect() -> Home {
    Home::with_config(&format!("{TWO_PROVIDERS}redirect_uri = \"http://127.0.0.1/callback\"\n"))
}

fn next_event(stdout: &mut impl BufRead) -> Value {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn the_address_stands_alone_on_a_line_of_stderr() {
    let home = Home::with_config(TWO_PROVIDERS);
    for mode in [&["--json"][..], &[]] {
        let base = ["connect", "work-idp", "--no-browser", "--timeout", "1ms"];
        let ran = home.run(&[&base, mode].concat()).exits(1);
        let address = ran.stderr.lines().find(|line| line.starts_with("https://id.example.com/authorize?"));
        assert!(address.is_some_and(|line| !line.contains(' ')), "{}", ran.stderr);
    }
}

#[test]
fn a_login_that_nobody_finishes_is_closed() {
    let home = Home::with_config(TWO_PROVIDERS);
    let ran = Waiting::begin(&home, &["--timeout", "100ms"]).end().exits(1);
    assert_eq!(ran.error()["code"], "login_closed");
    assert_eq!(home.run(&["status", "--json"]).json()[1]["state"], "disconnected");
}

#[test]
fn a_program_that_does_not_read_has_not_logged_in() {
    let home = Home::with_config(TWO_PROVIDERS);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = home.command(&["connect", "work-idp", "--json", "--no-browser"]);
    let ran = Ran::from(command.stdout(writer).output().unwrap()).exits(1);
    assert_eq!(ran.error()["code"], "login_closed");
}

#[test]
#[cfg(unix)]
fn a_signal_ends_a_login_with_the_code_that_shells_give_it() {
    let home = with_redirect();
    for (signal, exit_code) in [("INT", 130), ("TERM", 143)] {
        for flow in ["loopback", "paste"] {
            let waiting = Waiting::begin(&home, &["--flow", flow]);
            waiting.signal(signal);
            waiting.end().exits(exit_code);
        }
    }
}

#[test]
#[cfg(unix)]
fn a_forged_redirect_is_logged_and_ignored_and_none_of_it_is_told() {
    let home = Home::with_config(TWO_PROVIDERS);
    let waiting = Waiting::begin(&home, &[]);
    let redirect = waiting.parameter("redirect_uri");
    let (host, path) = redirect.trim_start_matches("http://").split_once('/').unwrap();
    let mut browser = std::net::TcpStream::connect(host).unwrap();
    let query = "state=canary-4711&code=canary-4712&error_description=canary-4713";
    write!(browser, "GET /{path}?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    browser.read_to_string(&mut page).unwrap();

    let state = waiting.parameter("state");
    waiting.signal("INT");
    let ran = waiting.end().exits(130);
    assert!(ran.stderr.contains("loomkin_auth"), "nothing was logged: {}", ran.stderr);
    assert!(!format!("{page}{}{}", ran.stdout, ran.stderr).contains("canary"), "{page} {ran:?}");
    let lines_with_state = ran.stderr.lines().filter(|line| line.contains(&state)).count();
    assert_eq!(lines_with_state, 1, "the state is in the address alone: {}", ran.stderr);
}

#[test]
fn a_paste_that_does_not_answer_is_rejected_and_another_may_follow() {
    let home = with_redirect();
    let mut waiting = Waiting::begin(&home, &["--flow", "paste"]);
    for pasted in ["canary-4711", "canary-4711#canary-4712"] {
        waiting.write(pasted);
        assert_eq!(next_event(&mut waiting.stdout)["event"], "rejected");
    }
    let ran = waiting.close_stdin().end().exits(76);
    assert_eq!(ran.error()["code"], "callback_rejected");
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
}

#[test]
fn nothing_pasted_closes_the_login() {
    let ran = Waiting::begin(&with_redirect(), &["--flow", "paste"]).close_stdin().end().exits(1);
    assert_eq!(ran.error()["code"], "login_closed");
}
