//! Ten logins at once in one process, at two servers and for three owners, that end in an order which a seed decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::error::Result;
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::provider::Flow;
use loomkin_auth_dev_provider::{Client, DevProvider, Settings};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, Login, MovedClock, within};
use url::Url;

/// One of the ten.
struct Part {
    owner: &'static str,
    account: &'static str,
    user: &'static str,
    end: End,
}

/// What becomes of a login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// The browser comes back.
    Browser,
    /// The person pastes the address.
    Pasted,
    /// The person enters a code.
    Code,
    /// It is dropped.
    Cancelled,
    /// Whatever comes back answers another login, or none.
    Forged,
}

const PARTS: [Part; 10] = [
    Part { owner: "local", account: "dev", user: "ada", end: End::Browser },
    Part { owner: "local", account: "dev/work", user: "grace", end: End::Browser },
    Part { owner: "local", account: "other", user: "ada", end: End::Browser },
    Part { owner: "u-1", account: "dev", user: "linus", end: End::Pasted },
    Part { owner: "u-2", account: "dev", user: "grace", end: End::Pasted },
    Part { owner: "local", account: "dev/phone", user: "linus", end: End::Code },
    Part { owner: "local", account: "dev/late", user: "grace", end: End::Cancelled },
    Part { owner: "u-2", account: "other", user: "grace", end: End::Cancelled },
    Part { owner: "u-1", account: "dev/phone", user: "linus", end: End::Cancelled },
    Part { owner: "local", account: "other/forged", user: "ada", end: End::Forged },
];

/// Two servers, and an app that knows both.
struct Stage {
    dev: Dev,
    other: DevProvider,
    clock: Arc<MovedClock>,
    app: App,
}

/// A login that is open, and the answer to it, which the person has and has not brought yet.
struct Open {
    part: &'static Part,
    login: Login,
    answer: Option<Url>,
}

#[tokio::test]
async fn of_ten_logins_at_once_each_ends_as_it_should_and_none_crosses_another() {
    for seed in 0..3 {
        let stage = Stage::set().await;
        let mut open = Vec::new();
        for part in &PARTS {
            open.push(stage.begin(part).await);
        }
        let answers: Vec<_> = open.iter().filter_map(|open| open.answer.clone()).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut open);
        stage.end_all(seed, open, &answers).await;
    }
}

impl Stage {
    async fn set() -> Self {
        let dev = Dev::start().await;
        let other = DevProvider::start(Settings::default()).await.unwrap();
        let first = std::fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
        let (issuer, client_id) = (other.issuer(), Client::DEV);
        dev.home.write_config(&format!(
            "{first}\n[auth.other]\nissuer = \"{issuer}\"\nclient_id = \"{client_id}\"\nscopes = \"openid\"\n"
        ));
        let clock = Arc::new(MovedClock::new(Duration::ZERO));
        let app = App::open_at(&dev.home, clock.clone()).await.unwrap();
        Self { dev, other, clock, app }
    }

    fn server(&self, part: &Part) -> &DevProvider {
        if part.account.starts_with("other") { &self.other } else { &self.dev.provider }
    }

    /// Begins a login, and lets the person agree to it as far as the address that leads back.
    async fn begin(&self, part: &'static Part) -> Open {
        let mut options = ConnectOptions::default();
        options.flow = Some(if part.end == End::Code { Flow::Device } else { Flow::Loopback });
        let login = self.app.for_owner(part.owner).begin(part.account, options).await.unwrap();
        let answer = match part.end {
            End::Code => None,
            _ => {
                let mut browser = Browser::new(part.user, Choice::Allow).unwrap();
                Some(browser.walk(&login.url(), &login.redirect_uri()).await.unwrap())
            }
        };
        Open { part, login, answer }
    }

    async fn end_all(&self, seed: u64, open: Vec<Open>, answers: &[Url]) {
        let (mut tokens, mut latest) = (BTreeSet::new(), BTreeMap::new());
        for mut open in open {
            let (part, app) = (open.part, self.app.for_owner(open.part.owner));
            let place = format!("seed {seed}, {} of {}", part.account, part.owner);
            let Some(connected) = self.end(&mut open, answers).await else {
                assert!(open.login.is_open(), "a forgery has cancelled nothing: {place}");
                drop(open);
                assert_eq!(
                    app.token(part.account).await.unwrap_err().code().as_str(),
                    "not_connected",
                    "{place}"
                );
                continue;
            };
            let connected = connected.unwrap();
            assert_eq!(connected.account_login.as_deref(), Some(part.user), "{place}");
            assert_eq!(connected.account.owner.as_str(), part.owner, "{place}");
            assert_eq!(connected.account.to_string(), part.account, "{place}");
            let token = app.token(part.account).await.unwrap();
            assert!(self.server(part).is_active(&token) && tokens.insert(token), "{place}");
            latest.insert(part.owner, part.account);
        }
        for (owner, account) in latest {
            assert_eq!(
                self.app.for_owner(owner).me().await.unwrap().account.to_string(),
                account,
                "seed {seed}"
            );
        }
        let exchanges = |server: &DevProvider| server.count_token_requests("authorization_code");
        assert_eq!((tokens.len(), exchanges(&self.dev.provider), exchanges(&self.other)), (6, 4, 1));
    }

    /// What the login comes to; `None` where it is not to be finished.
    async fn end(&self, open: &mut Open, answers: &[Url]) -> Option<Result<Connected>> {
        let Open { part, login, answer } = open;
        match (part.end, answer) {
            (End::Browser, Some(answer)) => Some(come_back(login, answer, answers).await),
            (End::Pasted, Some(answer)) => Some(login.finish(answer.as_str()).await),
            (End::Forged, Some(answer)) => {
                forge(login, answer, answers).await;
                None
            }
            (End::Code, _) => Some(self.enter_code(login, part.user).await),
            _ => None,
        }
    }

    async fn enter_code(&self, login: &mut Login, user: &str) -> Result<Connected> {
        assert!(self.dev.provider.allow_device(login.device().user_code(), user));
        let progress = login.progress();
        within("a code", async {
            tokio::select! {
                connected = login.wait() => connected,
                () = self.dev.pass_time(&self.clock, progress) => unreachable!("time passes for ever"),
            }
        })
        .await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The home is dropped next, and asks the canary.
        for secret in self.other.issued_secrets() {
            self.dev.home.canary().hide(secret);
        }
    }
}

/// The answers to all other logins come to the port of this one first.
async fn come_back(login: &mut Login, answer: &Url, answers: &[Url]) -> Result<Connected> {
    let mut browser = Browser::new("nobody", Choice::Allow).unwrap();
    let strays: Vec<_> = strays(login, answer, answers).collect();
    let visits = async {
        for stray in strays {
            assert_eq!(browser.open(stray.as_str()).await.unwrap().status, 400);
        }
        assert_eq!(browser.open(answer.as_str()).await.unwrap().status, 200);
    };
    within("a login", async { tokio::join!(login.wait(), visits) }).await.0
}

/// Whoever has no answer to this login gets nowhere with another's, with made-up words, or in another server's name.
async fn forge(login: &mut Login, answer: &Url, answers: &[Url]) {
    let base = login.redirect_uri();
    let state = answer.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let elsewhere = "iss=https%3A%2F%2Felsewhere.example";
    let made_up = [
        format!("{base}?code=made-up&state=made-up"),
        format!("{base}?code=made-up&state={state}"),
        format!("{base}?code=made-up&state={state}&{elsewhere}"),
        format!("{base}?error=access_denied&state={state}&{elsewhere}"),
    ];
    for forged in strays(login, answer, answers).map(String::from).chain(made_up) {
        assert_eq!(login.finish(&forged).await.unwrap_err().code().as_str(), "callback_rejected");
    }
}

/// The answers to other logins, sent to the redirect URI of this one.
fn strays<'a>(login: &Login, own: &'a Url, answers: &'a [Url]) -> impl Iterator<Item = Url> + use<'a> {
    let base = Url::parse(&login.redirect_uri()).unwrap();
    answers.iter().filter(move |answer| *answer != own).map(move |answer| {
        let mut stray = base.clone();
        stray.set_query(answer.query());
        stray
    })
}
