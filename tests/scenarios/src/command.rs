//! The real command, run in a home as a process of its own.

mod heard;
mod ran;

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use url::Url;

pub use heard::Heard;
pub use ran::Ran;

use crate::browser::Browser;
use crate::canary::Canary;
use crate::home::Home;
use crate::patience::within;

/// A command that is not started yet. It logs everything it can, for the canary to read.
#[derive(Debug)]
pub struct Call {
    canary: Canary,
    command: Command,
    verb: String,
}

impl Home {
    /// `loomkin-auth` with `arguments`, in this home and with its environment alone.
    ///
    /// # Panics
    ///
    /// When the command is not built.
    pub fn call(&self, arguments: &[&str]) -> Call {
        let mut command = Command::new(binary("loomkin-auth"));
        command.args(arguments);
        self.prepare(command, arguments)
    }

    /// As [`Home::call`], at a terminal of its own, whose screen is the stdout. `None` where there is no `script` to make
    /// one.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn call_at_terminal(&self, arguments: &[&str]) -> Option<Call> {
        let script = Path::new("/usr/bin/script");
        if !script.exists() {
            return None;
        }
        let line = format!("{} {}", binary("loomkin-auth").display(), arguments.join(" "));
        let mut command = Command::new(script);
        command.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]);
        Some(self.prepare(command, arguments))
    }

    /// The program `resident`, an app that keeps asking for the tokens of `accounts` until its stdin ends.
    ///
    /// # Panics
    ///
    /// When it is not built.
    pub fn call_resident(&self, accounts: &[String]) -> Call {
        let mut command = Command::new(binary("resident"));
        command.args(accounts);
        self.prepare(command, &["resident"])
    }

    /// The program `web-node`, a node of a web app that answers one request.
    ///
    /// # Panics
    ///
    /// When it is not built.
    pub fn call_web_node(&self, arguments: &[&str]) -> Call {
        let mut command = Command::new(binary("web-node"));
        command.args(arguments);
        self.prepare(command, arguments)
    }

    /// As [`Home::call`], in a desktop session whose keyring is this home's `keyring`, `unlocked` or `locked`.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn call_in_session(&self, keyring: &str, arguments: &[&str]) -> Call {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../servers/with-keyring"));
        command.arg(keyring).arg(self.path("keyring")).arg(binary("loomkin-auth")).args(arguments);
        // Where the session's own programs are.
        self.prepare(command, arguments).variable("PATH", Some("/usr/local/bin:/usr/bin:/bin"))
    }

    fn prepare(&self, mut command: Command, arguments: &[&str]) -> Call {
        command
            .current_dir(self.path("."))
            .env_clear()
            .envs(self.variables())
            .env("LOOMKIN_AUTH_LOG", "trace")
            // Secrets are to be found where they are, and not where the last line of defence has missed them.
            .env("LOOMKIN_AUTH_TEST_UNMASKED_LOG", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let verb = arguments.first().copied().unwrap_or_default().to_owned();
        Call { canary: self.canary().clone(), command, verb }
    }

    /// Runs `loomkin-auth` with `arguments` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.call(arguments).start().ended().await
    }
}

impl Call {
    /// With this variable, or without it.
    #[must_use]
    pub fn variable(mut self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.command.env(name, value),
            None => self.command.env_remove(name),
        };
        self
    }

    /// With a stdin in which there is nothing.
    #[must_use]
    pub fn stdin_that_has_ended(mut self) -> Self {
        self.command.stdin(Stdio::null());
        self
    }

    /// Runs `connect --json --no-browser` with `browser` following its address and coming back.
    ///
    /// # Panics
    ///
    /// When the pages lead nowhere.
    pub async fn follow(self, browser: &mut Browser) -> Ran {
        let canary = self.canary.clone();
        let running = self.start();
        let url = running.authorization_url().await;
        let page = within("the pages", browser.walk_into(&url, &redirect_uri(&url))).await.unwrap();
        canary.see("the page after a login", &page.text);
        hide_answer(&canary, &page.url);
        running.ended().await
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start(mut self) -> Running {
        let child = self.command.spawn().unwrap();
        self.hear(child, None)
    }

    /// Starts it with a stdout that takes nothing, so that it stops where it first has something to say there.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start_with_full_stdout(mut self) -> Running {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        for size in [4096, 1] {
            while writer.write(&vec![b'.'; size]).is_ok() {}
        }
        writer.set_nonblocking(false).unwrap();
        let child = self.command.stdout(OwnedFd::from(writer)).spawn().unwrap();
        self.hear(child, Some(reader))
    }

    fn hear(self, mut child: Child, unread: Option<UnixStream>) -> Running {
        let stdout = child.stdout.take().map_or_else(|| Heard::listen(tokio::io::empty()), Heard::listen);
        let stderr = Heard::listen(child.stderr.take().unwrap());
        Running { canary: self.canary, child, stderr, stdout, _unread: unread, verb: self.verb }
    }
}

/// A running command; it dies with this value.
#[derive(Debug)]
pub struct Running {
    canary: Canary,
    child: Child,
    stderr: Heard,
    stdout: Heard,
    /// Held for as long as nobody is to read what the command says.
    _unread: Option<UnixStream>,
    verb: String,
}

impl Running {
    /// Where `connect --json` sends the person.
    ///
    /// # Panics
    ///
    /// When its first line is something else.
    pub async fn authorization_url(&self) -> String {
        let event = self.first_event().await;
        assert_eq!(event["event"], "authorize", "{event}");
        event["url"].as_str().unwrap().to_owned()
    }

    /// Whether it was told to do `verb`.
    pub fn is(&self, verb: &str) -> bool {
        self.verb == verb
    }

    /// What `connect --json` says first.
    ///
    /// # Panics
    ///
    /// When that is nothing.
    pub async fn first_event(&self) -> Value {
        let came = within("the first event", self.stdout.until(|text| text.contains('\n'))).await;
        assert!(came, "it ended instead: {}", self.stderr.text());
        let text = self.stdout.text();
        serde_json::from_str(text.lines().next().unwrap_or_default()).unwrap()
    }

    /// What has been heard on stdout, now and later.
    pub fn stdout(&self) -> Heard {
        self.stdout.clone()
    }

    /// What has been heard on stderr, now and later.
    pub fn stderr(&self) -> Heard {
        self.stderr.clone()
    }

    /// Writes `text` and the end of a line to its stdin.
    ///
    /// # Panics
    ///
    /// When it does not listen.
    pub async fn write_line(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    /// Writes `text` to its stdin, and ends that.
    ///
    /// # Panics
    ///
    /// When it does not listen.
    pub async fn write_all(&mut self, text: &[u8]) {
        let mut stdin = self.child.stdin.take().unwrap();
        // One that has seen enough does not wait for the rest.
        let _seen = stdin.write_all(text).await;
    }

    /// As Ctrl-C does.
    ///
    /// # Panics
    ///
    /// When it is gone.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Kills it without a warning (SIGKILL), and completes once it is gone. What is left has an exit code if it had
    /// ended before.
    ///
    /// # Panics
    ///
    /// When that cannot be done.
    pub async fn kill(mut self) -> Ran {
        self.child.kill().await.unwrap();
        self.ended().await
    }

    /// Stops it where it is (SIGSTOP), as a debugger or a suspended machine does.
    ///
    /// # Panics
    ///
    /// When it is gone.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Running::pause`].
    ///
    /// # Panics
    ///
    /// When it is gone.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Completes when it has ended, and shows the canary what it said.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub async fn ended(mut self) -> Ran {
        // Nobody types anything more.
        drop(self.child.stdin.take());
        let status = within("the end of a command", self.child.wait()).await.unwrap();
        within("the end of its output", async {
            tokio::join!(self.stdout.until_closed(), self.stderr.until_closed());
        })
        .await;
        let ran = Ran { code: status.code(), stdout: self.stdout.text(), stderr: self.stderr.text() };
        self.show(&ran);
        ran
    }

    fn show(&self, ran: &Ran) {
        let mut texts = [("stdout", ran.stdout.clone()), ("stderr", ran.stderr.clone())];
        if self.verb == "token" && !ran.stdout.is_empty() {
            // To print the token there is what the command is for, and it may be killed right after that; everywhere
            // else the token is a secret.
            let text = std::mem::take(&mut texts[0].1);
            self.canary.hide(ran::read_token(&text));
        }
        if ["connect", "login"].contains(&self.verb.as_str()) {
            // The address holds the state by its nature; the person has to be sent there.
            for url in ran.stdout.split(['"', '\n', ' ']).chain(ran.stderr.lines()) {
                let Ok(parsed) = Url::parse(url) else { continue };
                let parameters = parsed.query_pairs().filter(|(name, _)| name == "state" || name == "nonce");
                let secrets: Vec<_> = parameters.map(|(_, value)| value.into_owned()).collect();
                if !secrets.is_empty() {
                    secrets.iter().for_each(|secret| self.canary.hide(secret));
                    texts = texts.map(|(place, text)| (place, text.replace(url, "")));
                }
            }
        }
        if self.verb == "begin" {
            // All of it is for the browser that asked: where to go, and the cookie.
            texts[0].1.clear();
        }
        for (place, text) in texts {
            self.canary.see(&format!("{place} of {}", self.verb), text);
        }
    }
}

/// Runs `loomkin-auth connect --json --no-browser`, with `browser` following its address and coming back.
///
/// # Panics
///
/// When the pages lead nowhere.
pub async fn connect_by_command(home: &Home, account: &str, browser: &mut Browser) -> Ran {
    home.call(&["connect", account, "--json", "--no-browser"]).follow(browser).await
}

/// Where the person comes back to who is sent to `url`.
///
/// # Panics
///
/// When `url` does not say.
pub fn redirect_uri(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned()
}

/// What came back in a redirect is secret, whoever made it up.
pub(crate) fn hide_answer(canary: &Canary, url: &Url) {
    for (_, value) in url.query_pairs().filter(|(name, _)| name == "code" || name == "state") {
        canary.hide(value.as_bytes());
    }
}

/// Cargo names the binaries of other packages nowhere; they lie above the directory of the tests.
fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.ancestors().nth(2).unwrap().join(name);
    assert!(binary.exists(), "{} is not there: run `cargo build --workspace` first", binary.display());
    binary
}
