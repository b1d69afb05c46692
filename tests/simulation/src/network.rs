//! The port to the network, with the simulated server behind it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, header};
use loomkin_auth::http::{HttpClient, SendError, TIMEOUT};
use loomkin_auth::protocol::message::{Request, Response};
use tokio::time::{sleep, timeout};
use url::form_urlencoded;

use crate::happening::Happening;
use crate::process::Process;
use crate::server::{Issued, Kind, SentAt, Verdict};
use crate::witness::Outcome;
use crate::world::{World, token_number};

/// What becomes of one refresh request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Answered,
    CutOff,
    Garbage,
    Late,
    Lost,
    Never,
    Refused,
    ServerError,
    ShortLived,
    Unsent,
}

/// A process's way to the servers.
#[derive(Debug)]
pub(crate) struct Network(pub(crate) Arc<Process>);

/// What arrives at the process, and what the witness is to think of it.
type Arrived = (Result<Response, SendError>, Outcome);

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        self.0.reach("before it sends").await;
        let account = token_number(request.url.host_str().unwrap_or_default()) as usize;
        match request.url.path() {
            "/revoke" => self.revoke(account, &request).await,
            _ => self.refresh(account, &request).await,
        }
    }
}

impl Network {
    async fn refresh(&self, account: usize, request: &Request) -> Result<Response, SendError> {
        let world = &self.0.world;
        let token = field(request, "refresh_token");
        let sent = SentAt { at: world.now(), ahead: self.0.ahead_millis() };
        let fate = world.fate(account);
        let presentation = world.witness().sent(&self.0, account, token);
        world.write(Some(self.0.number), Some(account), "presents refresh token", Some(token), name(fate));
        let (reply, outcome) = self.meet(fate, account, token, sent).await;
        self.0.reach("when the answer is there").await;
        world.witness().answered(&self.0, presentation, outcome);
        world.write(Some(self.0.number), Some(account), "is answered for", Some(token), outcome.as_str());
        reply
    }

    async fn meet(&self, fate: Fate, account: usize, token: u32, sent: SentAt) -> Arrived {
        let world = &self.0.world;
        let way = || world.dice.millis(1..=80);
        match fate {
            Fate::Unsent => {
                world.count(Happening::RequestUnsent);
                sleep(way()).await;
                (Err(SendError::NotSent { reason: "the connection was refused" }), Outcome::Refused)
            }
            Fate::Refused => {
                world.count(Happening::RequestRefused);
                sleep(way()).await;
                (Ok(refusal(world)), Outcome::Refused)
            }
            _ if world.refuses_client(account) => {
                world.count(Happening::ClientRefused);
                sleep(way()).await;
                (Ok(json(401, r#"{"error":"invalid_client"}"#)), Outcome::Client)
            }
            Fate::Garbage => {
                world.count(Happening::AnswerGarbage);
                sleep(way()).await;
                garbage(world)
            }
            _ => self.reach_server(fate, account, token, sent).await,
        }
    }

    /// The server acts on the request, whatever becomes of its answer and of the process that sent it.
    async fn reach_server(&self, fate: Fate, account: usize, token: u32, sent: SentAt) -> Arrived {
        let world = &self.0.world;
        let (mut there, mut back) = (world.dice.millis(1..=80), world.dice.millis(1..=80));
        if fate == Fate::Late {
            world.count(Happening::AnswerLate);
            (there, back) = (world.dice.millis(0..=40_000), world.dice.millis(0..=40_000));
            // Together forty seconds at most.
            back = back.saturating_sub(there);
        }
        let unread = fate == Fate::ServerError && world.dice.chance(0.5);
        let deadline = sent.at + TIMEOUT.as_millis() as u64;
        let server = tokio::spawn({
            let world = world.clone();
            async move {
                sleep(there).await;
                if world.now() > deadline {
                    world.count(Happening::AnsweredAfterTimeout);
                }
                (!unread).then(|| act(&world, account, token, fate, sent))
            }
        });
        let answer = async {
            let verdict = server.await.ok().flatten();
            sleep(back).await;
            match fate {
                Fate::Never => pending().await,
                Fate::Lost => {
                    world.count(Happening::AnswerLost);
                    (Err(SendError::Unknown { reason: "the connection was reset" }), Outcome::Unknown)
                }
                Fate::ServerError => {
                    world.count(Happening::AnswerServerError);
                    (Ok(plain(world.dice.choose(&[500, 502, 504]), "")), Outcome::Unknown)
                }
                Fate::CutOff => {
                    world.count(Happening::AnswerCutOff);
                    (cut_off(world), Outcome::Unknown)
                }
                _ => deliver(world, account, verdict),
            }
        };
        match timeout(TIMEOUT, answer).await {
            Ok(arrived) => arrived,
            Err(_) => {
                world.count(Happening::AnswerLost);
                (Err(SendError::Unknown { reason: "no answer came in time" }), Outcome::Unknown)
            }
        }
    }

    async fn revoke(&self, account: usize, request: &Request) -> Result<Response, SendError> {
        let world = &self.0.world;
        let (token, hint) = (field(request, "token"), text(request, "token_type_hint"));
        let fate = world.fate(account);
        let grant = {
            let server = world.server();
            if hint == "refresh_token" {
                server.grant_of_refresh(token)
            } else {
                server.grant_of_access(token)
            }
        };
        world.witness().revocation(&self.0, grant);
        world.write(
            Some(self.0.number),
            Some(account),
            "asks to revoke grant",
            u32::try_from(grant).ok(),
            name(fate),
        );
        sleep(world.dice.millis(1..=80)).await;
        if !matches!(fate, Fate::Unsent | Fate::Refused) {
            world.server().end(grant);
        }
        let reply = match fate {
            Fate::Unsent => Err(SendError::NotSent { reason: "the connection was refused" }),
            Fate::Refused => Ok(refusal(world)),
            Fate::CutOff | Fate::Lost | Fate::Never => {
                Err(SendError::Unknown { reason: "the connection was reset" })
            }
            _ => Ok(plain(200, "")),
        };
        self.0.reach("when the revocation is answered").await;
        reply
    }
}

/// What the server does when a refresh token arrives.
fn act(world: &World, account: usize, token: u32, fate: Fate, sent: SentAt) -> Verdict {
    let mut lifetime = world.plan.accounts[account].lifetime;
    if fate == Fate::ShortLived {
        world.count(Happening::TokenBornShort);
        lifetime = Some(Duration::from_secs(world.dice.number(0..=1)));
    }
    let verdict = world.server().refresh(token, lifetime, world.now(), sent);
    let result = match verdict {
        Verdict::Issued(_) => "it issues tokens",
        Verdict::Invalid { reuse: true } => {
            world.count(Happening::FamilyEndedByReuse);
            "it ends the grant, as the token was spent"
        }
        Verdict::Invalid { reuse: false } => "it knows no such grant",
    };
    world.write(None, Some(account), "the server reads refresh token", Some(token), result);
    verdict
}

fn deliver(world: &World, account: usize, verdict: Option<Verdict>) -> Arrived {
    match verdict {
        Some(Verdict::Issued(issued)) => {
            let names_refresh = world.plan.accounts[account].kind != Kind::ConstantUnnamed;
            (Ok(json(200, &tokens(issued, names_refresh))), Outcome::Tokens(issued))
        }
        Some(Verdict::Invalid { .. }) => (Ok(json(400, r#"{"error":"invalid_grant"}"#)), Outcome::Permanent),
        None => (Ok(plain(500, "")), Outcome::Unknown),
    }
}

fn tokens(issued: Issued, names_refresh: bool) -> String {
    let mut body = format!(r#"{{"token_type":"Bearer","access_token":"{}""#, access_text(issued.access));
    if let Some(refresh) = issued.refresh.filter(|_| names_refresh) {
        body.push_str(&format!(r#","refresh_token":"{}""#, refresh_text(refresh)));
    }
    if let Some(lifetime) = issued.lifetime {
        body.push_str(&format!(r#","expires_in":{}"#, lifetime.as_secs()));
    }
    body.push('}');
    body
}

fn refusal(world: &World) -> Response {
    let mut response = plain(world.dice.choose(&[429, 503]), "");
    if world.dice.chance(0.5) {
        response.headers.insert(header::RETRY_AFTER, HeaderValue::from(world.dice.number(0..=90)));
    }
    response
}

/// What no token endpoint should say, and what it means: only a 200 may stand for a request that was acted on.
fn garbage(world: &World) -> Arrived {
    let page = "<html>Sign in to the network</html>";
    match world.dice.index(5) {
        0 => (Ok(plain(200, page)), Outcome::Unknown),
        1 => (Ok(json(200, r#"{"token_type":"Bearer"}"#)), Outcome::Unknown),
        2 => (Ok(plain(302, "")), Outcome::Refused),
        3 => (Ok(plain(404, page)), Outcome::Refused),
        _ => (Ok(json(400, r#"{"error":"out_of_coffee"}"#)), Outcome::Refused),
    }
}

fn cut_off(world: &World) -> Result<Response, SendError> {
    if world.dice.chance(0.5) {
        Ok(json(200, r#"{"token_type":"Bearer","acc"#))
    } else {
        Err(SendError::Unknown { reason: "the answer was cut off" })
    }
}

fn json(status: u16, body: &str) -> Response {
    let mut response = plain(status, body);
    response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn plain(status: u16, body: &str) -> Response {
    Response { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec().into() }
}

fn field(request: &Request, name: &str) -> u32 {
    token_number(&text(request, name))
}

fn text(request: &Request, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(&request.body);
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Answered => "",
        Fate::CutOff => "the answer will be cut off",
        Fate::Garbage => "the answer will be garbage",
        Fate::Late => "it will be late",
        Fate::Lost => "the answer will be lost",
        Fate::Never => "the answer will never come",
        Fate::Refused => "it will be refused",
        Fate::ServerError => "the server will fail",
        Fate::ShortLived => "the new token will be short-lived",
        Fate::Unsent => "it will not leave",
    }
}

/// The text of the `number`th access token.
pub(crate) fn access_text(number: u32) -> String {
    format!("access-{number}")
}

/// The text of the `number`th refresh token.
pub(crate) fn refresh_text(number: u32) -> String {
    format!("refresh-{number}")
}
