//! Several logins at once, none of which disturbs another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use loomkin_auth::auth::ConnectOptions;
use loomkin_auth::provider::Flow;
use loomkin_auth_dev_provider::{Client, DevProvider, Settings};
use loomkin_auth_scenarios::{App, Browser, Choice, Dev, Login, MovedClock, within};
use url::Url;

#[tokio::test]
async fn logins_finish_in_another_order_than_they_began_and_one_is_cancelled() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut open = Vec::new();
    for (account, user) in
        [("dev/one", "ada"), ("dev/two", "grace"), ("dev/three", "linus"), ("dev/four", "ada")]
    {
        open.push((account, user, app.begin(account, ConnectOptions::default()).await.unwrap()));
    }
    let (_, _, cancelled) = open.remove(1);
    let nobody = cancelled.redirect_uri();
    drop(cancelled);
    for (account, user, mut login) in open.into_iter().rev() {
        let mut browser = Browser::new(user, Choice::Allow).unwrap();
        let (url, stop) = (login.url(), login.redirect_uri());
        let (connected, page) =
            within("a login", async { tokio::join!(login.wait(), browser.walk_into(&url, &stop)) }).await;
        let connected = connected.unwrap();
        assert_eq!(page.unwrap().status, 200);
        assert_eq!(
            (connected.account.to_string(), connected.account_login),
            (account.into(), Some(user.into()))
        );
    }
    assert!(Browser::new("grace", Choice::Allow).unwrap().open(&nobody).await.is_err());
    assert_eq!(app.token("dev/two").await.unwrap_err().code().as_str(), "not_connected");
    for account in ["dev/one", "dev/three", "dev/four"] {
        assert!(dev.provider.is_active(&app.token(account).await.unwrap()));
    }
    assert_eq!(app.me().await.unwrap().account.to_string(), "dev/one", "the latest is the active one");
}

#[tokio::test]
async fn the_answer_to_one_login_is_rejected_by_another() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    let mut one = app.begin("dev/one", ConnectOptions::default()).await.unwrap();
    let mut two = app.begin("dev/two", ConnectOptions::default()).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let answer = browser.walk(&one.url(), &one.redirect_uri()).await.unwrap();
    assert_eq!(two.finish(answer.as_str()).await.unwrap_err().code().as_str(), "callback_rejected");
    assert!(two.is_open());
    one.finish(answer.as_str()).await.unwrap();
}

/// One of ten logins.
struct Part {
    owner: &'static str,
    account: &'static str,
    user: &'static str,
    end: End,
}

/// What becomes of it.
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

/// Where the browser of `user` comes back to after agreeing.
async fn answer(login: &Login, user: &str) -> Url {
    let mut browser = Browser::new(user, Choice::Allow).unwrap();
    browser.walk(&login.url(), &login.redirect_uri()).await.unwrap()
}

/// `answer` as the redirect of another login.
fn misdirected(answer: &Url, to: &Login) -> Url {
    let mut url = Url::parse(&to.redirect_uri()).unwrap();
    url.set_query(answer.query());
    url
}

#[tokio::test]
async fn of_ten_logins_at_once_each_ends_as_it_should_and_none_crosses_another() {
    for seed in 0..3 {
        ten_logins(seed).await;
    }
}

async fn ten_logins(seed: u64) {
    let dev = Dev::start().await;
    let other = DevProvider::start(Settings::default()).await.unwrap();
    let text = std::fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
    let second = format!(
        "[auth.other]\nissuer = \"{}\"\nclient_id = \"{}\"\nscopes = \"openid\"\n",
        other.issuer(),
        Client::DEV
    );
    dev.home.write_config(&format!("{text}\n{second}"));
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&dev.home, clock.clone()).await.unwrap();

    let mut open = Vec::new();
    for part in &PARTS {
        let mut options = ConnectOptions::default();
        options.flow = Some(if part.end == End::Code { Flow::Device } else { Flow::Loopback });
        open.push(Some(app.for_owner(part.owner).begin(part.account, options).await.unwrap()));
    }
    // Every answer is there before the first of them is brought.
    let mut answers = Vec::new();
    for (part, login) in PARTS.iter().zip(&open) {
        let login = login.as_ref().unwrap();
        answers.push(if part.end == End::Code { None } else { Some(answer(login, part.user).await) });
    }
    let mut order: Vec<_> = (0..PARTS.len()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);

    let mut tokens = BTreeSet::new();
    let mut latest = BTreeMap::new();
    for index in order {
        let (part, mut login) = (&PARTS[index], open[index].take().unwrap());
        let app = app.for_owner(part.owner);
        let connected = match part.end {
            End::Browser => {
                let address = answers[index].as_ref().unwrap();
                let mut browser = Browser::new(part.user, Choice::Allow).unwrap();
                let stray = misdirected(answers[(index + 1) % 5].as_ref().unwrap(), &login);
                let visits = async {
                    assert_eq!(browser.open(stray.as_str()).await.unwrap().status, 400);
                    assert_eq!(browser.open(address.as_str()).await.unwrap().status, 200);
                };
                within("a login", async { tokio::join!(login.wait(), visits) }).await.0
            }
            End::Pasted => login.finish(answers[index].as_ref().unwrap().as_str()).await,
            End::Code => {
                assert!(dev.provider.allow_device(login.device().user_code(), part.user));
                let progress = login.progress();
                within("a code", async {
                    tokio::select! {
                        connected = login.wait() => connected,
                        () = dev.pass_time(&clock, progress) => unreachable!("time passes for ever"),
                    }
                })
                .await
            }
            End::Cancelled => {
                drop(login);
                assert_eq!(app.token(part.account).await.unwrap_err().code().as_str(), "not_connected");
                continue;
            }
            End::Forged => {
                forge(&mut login, &answers, &other).await;
                assert_eq!(app.token(part.account).await.unwrap_err().code().as_str(), "not_connected");
                assert!(login.is_open(), "and it has cancelled nothing");
                continue;
            }
        };
        let connected = connected.unwrap_or_else(|error| panic!("seed {seed}, {}: {error}", part.account));
        assert_eq!(connected.account_login.as_deref(), Some(part.user), "seed {seed}, {}", part.account);
        assert_eq!(
            (connected.account.owner.as_str(), connected.account.to_string()),
            (part.owner, part.account.into())
        );
        let token = app.token(part.account).await.unwrap();
        let server = if part.account.starts_with("other") { &other } else { &dev.provider };
        assert!(server.is_active(&token) && tokens.insert(token), "seed {seed}, {}", part.account);
        latest.insert(part.owner, part.account);
    }
    for (owner, account) in latest {
        assert_eq!(app.for_owner(owner).me().await.unwrap().account.to_string(), account, "seed {seed}");
    }
    assert_eq!((tokens.len(), other.count_token_requests("authorization_code")), (6, 1));
    assert_eq!(dev.provider.count_token_requests("authorization_code"), 4);
    for secret in other.issued_secrets() {
        dev.home.canary().hide(secret);
    }
}

/// Whoever has no answer to this login gets nowhere: with another's, with none of the server's, or with another's name.
async fn forge(login: &mut Login, answers: &[Option<Url>], other: &DevProvider) {
    let before = other.count_token_requests("authorization_code");
    let true_one = answers[9].as_ref().unwrap().as_str();
    let state = true_one.split(['?', '&']).find(|pair| pair.starts_with("state=")).unwrap();
    let base = login.redirect_uri();
    for forged in [
        misdirected(answers[2].as_ref().unwrap(), login).to_string(),
        format!("{base}?code=made-up&state=made-up"),
        format!("{base}?code=made-up&{state}&iss=https%3A%2F%2Felsewhere.example"),
        format!("{base}?error=access_denied&{state}&iss=https%3A%2F%2Felsewhere.example"),
        format!("{base}?code=made-up&{state}"),
    ] {
        let error = login.finish(&forged).await.unwrap_err();
        assert_eq!(error.code().as_str(), "callback_rejected");
    }
    assert_eq!(other.count_token_requests("authorization_code"), before);
}
