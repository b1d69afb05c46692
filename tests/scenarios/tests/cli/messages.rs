//! What the command says, in every command and with every error code, as it is kept beside these tests: a transcript for
//! each story. `SNAPSHOTS=overwrite` writes them anew.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use loomkin_auth::error::ErrorCode;
use loomkin_auth_dev_provider::{Endpoint, Fault};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, Home, Ran};
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

const KEY: &str = "canary--sk-0123456789abcdef";

/// A story as a terminal would show it.
struct Transcript {
    home: String,
    issuer: String,
    text: String,
}

impl Transcript {
    fn of(home: &Home, issuer: &str) -> Self {
        // A temporary directory may be reached by a link.
        let home = fs::canonicalize(home.path(".")).unwrap().display().to_string();
        Self { home, issuer: issuer.to_owned(), text: String::new() }
    }

    /// Runs a command with `input`, and writes down what it says.
    async fn run(&mut self, home: &Home, line: &str, input: &str) -> Ran {
        let arguments: Vec<_> = line.split(' ').collect();
        let mut running = home.call(&arguments).variable("LOOMKIN_AUTH_LOG", None).start();
        running.write_all(input.as_bytes()).await;
        let ran = running.ended().await;
        self.note(line, &ran);
        ran
    }

    fn note(&mut self, line: &str, ran: &Ran) {
        self.text.push_str(&format!("$ loomkin-auth {line}\n{}", ran.stdout));
        self.text.push_str(&ran.stderr);
        if let Some(code @ 1..) = ran.code {
            self.text.push_str(&format!("(exit {code})\n"));
        }
        self.text.push('\n');
    }

    /// Compares it with what is kept under `name`.
    #[track_caller]
    fn must_be_as_kept(self, name: &str) {
        let plain = self.text.replace(&self.home, "HOME").replace(&self.issuer, "ISSUER");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/messages").join(name);
        let kept = Data::read_from(&path, Some(DataFormat::Text)).raw();
        Assert::new().action_env("SNAPSHOTS").eq(Data::text(without_chance(&plain)).raw(), kept);
    }
}

/// Without what the clock, the dice and the length of a path say: lengths of time, moments, and the width of columns.
fn without_chance(text: &str) -> String {
    const UNITS: [&str; 4] = [" second", " minute", " hour", " day"];
    let mut plain = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(at);
            let length = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (number, after) = from.split_at(length);
            plain.push_str(before);
            let is_moment = number.len() == 4 && after.starts_with('-') && from.get(10..11) == Some("T");
            rest = match UNITS.iter().find(|unit| after.starts_with(**unit)) {
                Some(unit) => {
                    plain.push_str(&format!("N{unit}s"));
                    after[unit.len()..].trim_start_matches('s')
                }
                None if is_moment => {
                    plain.push_str("MOMENT");
                    &from["2026-03-01T09:30:00Z".len()..]
                }
                None => {
                    plain.push_str(number);
                    after
                }
            };
        }
        plain.push_str(rest);
    }
    plain.lines().map(|line| without_columns(line) + "\n").collect()
}

/// With two spaces between columns, however wide they are.
fn without_columns(line: &str) -> String {
    let indent = &line[..line.len() - line.trim_start().len()];
    let columns: Vec<_> = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
    format!("{indent}{}", columns.join("  "))
}

#[tokio::test]
async fn keys_and_configuration() {
    let home = Home::new(
        "[auth.openai]\nbase_url = \"https://api.openai.com/v1\"\n[auth.tiers.fast]\nprovider = \"openai\"\n",
    );
    let mut transcript = Transcript::of(&home, "ISSUER");
    for (line, input) in [
        ("config check", ""),
        ("config show", ""),
        ("doctor", ""),
        ("key set openai", KEY),
        ("key set openai", KEY),
        ("key set openai --replace", KEY),
        ("key set anthropic --token", KEY),
        ("status", ""),
        ("resolve fast", ""),
        ("resolve openai", ""),
        ("doctor", ""),
        ("use openai", ""),
        ("use --none", ""),
        ("disconnect openai", ""),
        ("disconnect --all", ""),
        ("store rotate-key", ""),
        ("key remove openai", ""),
        ("key remove openai", ""),
        ("resolve fast", ""),
    ] {
        transcript.run(&home, line, input).await;
    }
    transcript.must_be_as_kept("keys.txt");
}

#[tokio::test]
async fn a_connection() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    app.close().await;
    let mut transcript = Transcript::of(&dev.home, dev.provider.issuer());
    for line in
        ["status", "me", "use dev", "doctor --probe", "disconnect --local", "status", "disconnect dev"]
    {
        transcript.run(&dev.home, line, "").await;
    }
    app_again(&dev).await;
    transcript.run(&dev.home, "disconnect dev", "").await;
    app_again(&dev).await;
    dev.provider.fault(Endpoint::Revocation, Fault::HtmlError { status: 503 }).until_cleared();
    transcript.run(&dev.home, "disconnect dev", "").await;
    transcript.run(&dev.home, "status", "").await;
    transcript.must_be_as_kept("connection.txt");
}

async fn app_again(dev: &Dev) {
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    app.close().await;
}

/// Every code once but one: the object that programs read, and what people see where nobody has to log in.
#[tokio::test]
async fn every_error() {
    let dev = Dev::start().await;
    let mut transcript = Transcript::of(&dev.home, dev.provider.issuer());
    let mut seen = Vec::new();

    for (line, fault, choice, user) in [
        ("connect dev --json --no-browser", None, Choice::Deny, "ada"),
        ("connect dev --json --no-browser", Some(Fault::id_token_claim("nonce", "x")), Choice::Allow, "ada"),
        ("connect dev --json --no-browser", Some(Fault::missing("access_token")), Choice::Allow, "ada"),
        ("connect dev --json --no-browser", Some(Fault::invalid_client()), Choice::Allow, "ada"),
        ("connect dev --json --no-browser", None, Choice::Allow, "ada"),
        ("connect dev --json --no-browser", None, Choice::Allow, "bob"),
    ] {
        if let Some(fault) = fault {
            dev.provider.fault(Endpoint::Token, fault).once();
        }
        let arguments: Vec<_> = line.split(' ').collect();
        let call = dev.home.call(&arguments).variable("LOOMKIN_AUTH_LOG", None);
        let ran = call.follow(&mut Browser::new(user, choice).unwrap()).await;
        if ran.code == Some(0) {
            continue;
        }
        let error = ran.error();
        seen.push(error["code"].as_str().unwrap().to_owned());
        transcript.text.push_str(&format!("{line}\n{error:#}\n(exit {})\n\n", ran.code.unwrap()));
    }

    let app = App::open(&dev.home).await.unwrap();
    dev.connect_expired(&app, "dev").await.unwrap();
    app.close().await;
    dev.provider
        .fault(Endpoint::Token, Fault::RetryAfterSeconds { seconds: 600, status: 503 })
        .until_cleared();
    complain(&mut transcript, &dev.home, "token dev", &mut seen).await;
    dev.provider.clear_faults();
    dev.home.run(&["disconnect", "dev", "--local"]).await;
    complain(&mut transcript, &dev.home, "token dev", &mut seen).await;
    complain(&mut transcript, &dev.home, "token", &mut seen).await;
    complain(&mut transcript, &dev.home, "token gihub", &mut seen).await;
    complain(&mut transcript, &dev.home, "connect dev --no-browser --timeout 1ms", &mut seen).await;

    dev.expired().await.close().await;
    dev.provider.revoke_grants();
    complain(&mut transcript, &dev.home, "token dev", &mut seen).await;

    fs::set_permissions(dev.home.path("store/auth.db"), Permissions::from_mode(0o644)).unwrap();
    complain(&mut transcript, &dev.home, "status", &mut seen).await;
    fs::set_permissions(dev.home.path("store/auth.db"), Permissions::from_mode(0o600)).unwrap();
    rename_key(&dev.home);
    complain(&mut transcript, &dev.home, "status", &mut seen).await;
    dev.home.write_config("[auth.github\n");
    complain(&mut transcript, &dev.home, "status", &mut seen).await;

    seen.sort();
    seen.dedup();
    // A redirect that is rejected leaves its login waiting: no command here ends with that.
    let all = ErrorCode::ALL.into_iter().filter(|code| *code != ErrorCode::CallbackRejected);
    assert_eq!(seen, all.map(|code| code.as_str().to_owned()).collect::<Vec<_>>());
    transcript.must_be_as_kept("errors.txt");
}

/// The configuration names another variable for the key, and nobody has set it.
fn rename_key(home: &Home) {
    let text = fs::read_to_string(home.path(".loomkin.toml")).unwrap();
    home.write_config(&text.replace("env:STORE_KEY", "env:OTHER_KEY"));
}

/// A command that fails, for people and for programs.
async fn complain(transcript: &mut Transcript, home: &Home, line: &str, seen: &mut Vec<String>) {
    let mut for_people = Transcript { text: String::new(), home: String::new(), issuer: String::new() };
    let ran = for_people.run(home, line, "").await;
    let complaint = ran.stderr.find("error:").map_or("", |at| &ran.stderr[at..]);
    transcript.text.push_str(&format!("$ loomkin-auth {line}\n{complaint}(exit {})\n", ran.code.unwrap()));
    let ran = for_people.run(home, &format!("{line} --json"), "").await;
    let mut error = ran.error();
    seen.push(error["code"].as_str().unwrap().to_owned());
    if let Some(wait) = error.get_mut("retry_after") {
        *wait = "SECONDS".into();
    }
    transcript.text.push_str(&format!("{error}\n\n"));
}
