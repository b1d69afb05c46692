//! The real OpenID provider as a child process; `tests/servers/README.md` describes it.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::form_urlencoded;

use crate::http;

/// Where the server holds a token request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// It has acted, and nobody has been told.
    BeforeAnswering,
    /// The request has arrived, and nothing has happened yet.
    BeforeProcessing,
}

/// A running oidc-provider; it dies with this value, and with this process.
#[derive(Debug)]
pub struct OidcProvider {
    child: Child,
    http: Client,
    issuer: String,
}

impl OidcProvider {
    /// The public client, for loopback redirects to `/callback` on any port.
    pub const CLIENT: &str = "native";

    /// The client with a secret, for the same redirects.
    pub const CONFIDENTIAL_CLIENT: &str = "confidential";

    /// The secret of [`OidcProvider::CONFIDENTIAL_CLIENT`].
    pub const CONFIDENTIAL_SECRET: &str = "p+a s/s:w%&=";

    /// Starts the server on a free port; it can be asked as soon as this returns.
    ///
    /// # Errors
    ///
    /// Node.js or the server's packages are not installed; the message says how to get them.
    pub async fn start(access_token_lifetime: Duration) -> io::Result<Self> {
        let mut child = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../servers/oidc-provider/server.mjs"))
            .env("ACCESS_TOKEN_SECONDS", access_token_lifetime.as_secs().to_string())
            .env("PORT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("node does not start ({error}); {REMEDY}"))
            })?;
        let ready = ready_line(&mut child).await?;
        let issuer = ready["issuer"].as_str().unwrap_or_default().to_owned();
        // Unread, a full pipe would stop the server in the middle of a warning.
        if let Some(mut warnings) = child.stderr.take() {
            tokio::spawn(async move { tokio::io::copy(&mut warnings, &mut tokio::io::sink()).await });
        }
        Ok(Self { child, http: http::client()?, issuer })
    }

    /// Stops the server and completes once it is gone.
    ///
    /// # Errors
    ///
    /// The process cannot be killed.
    pub async fn stop(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// The issuer, `http://127.0.0.1:<port>`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// How many token requests with this `grant_type` were processed.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn count_token_requests(&self, grant_type: &str) -> io::Result<u64> {
        let counts = self.control(Method::GET, "/control/requests", json!({})).await?;
        Ok(counts[grant_type].as_u64().unwrap_or(0))
    }

    /// Starts counting anew.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn clear_requests(&self) -> io::Result<()> {
        self.control(Method::DELETE, "/control/requests", json!({})).await.map(drop)
    }

    /// Holds token requests at `moment` from now on.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn hold_token_requests(&self, moment: Moment) -> io::Result<()> {
        let moment = match moment {
            Moment::BeforeAnswering => "before_answering",
            Moment::BeforeProcessing => "before_processing",
        };
        self.control(Method::PUT, "/control/hold", json!({"moment": moment})).await.map(drop)
    }

    /// Completes once `count` token requests are held.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn wait_for_held(&self, count: usize) -> io::Result<()> {
        self.control(Method::GET, &format!("/control/hold?wait_for={count}"), json!({})).await.map(drop)
    }

    /// Lets every held request go on, and later ones pass.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn release(&self) -> io::Result<()> {
        self.control(Method::PUT, "/control/release", json!({})).await.map(drop)
    }

    /// How long access tokens work that are made from now on; whole seconds.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn set_access_token_lifetime(&self, lifetime: Duration) -> io::Result<()> {
        let order = json!({"seconds": lifetime.as_secs()});
        self.control(Method::PUT, "/control/access-token-lifetime", order).await.map(drop)
    }

    /// Tells the next `times` token requests to slow down.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn slow_down(&self, times: usize) -> io::Result<()> {
        self.control(Method::PUT, "/control/slow-down", json!({"times": times})).await.map(drop)
    }

    /// Ends every grant, as a person does who withdraws the app's access at the provider.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn revoke_grants(&self) -> io::Result<()> {
        self.control(Method::PUT, "/control/revoke-grants", json!({})).await.map(drop)
    }

    /// What the server says about `token`, access or refresh (RFC 7662 §2.2).
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn introspect(&self, token: &str) -> io::Result<Value> {
        let form = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
        let request = self.http.post(format!("{}/token/introspection", self.issuer));
        let request = request.basic_auth("observer", Some("observer-secret"));
        read(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)).await
    }

    /// Whether `token` works at this moment.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn is_active(&self, token: &str) -> io::Result<bool> {
        Ok(self.introspect(token).await?["active"] == true)
    }

    /// Whether `refresh_token` has been used and replaced, whoever got the answer.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn was_spent(&self, refresh_token: &str) -> io::Result<bool> {
        let order = json!({"token": refresh_token});
        Ok(self.control(Method::PUT, "/control/was-spent", order).await?["spent"] == true)
    }

    async fn control(&self, method: Method, path: &str, order: Value) -> io::Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.issuer));
        read(request.header(CONTENT_TYPE, "application/json").body(order.to_string())).await
    }
}

async fn read(request: RequestBuilder) -> io::Result<Value> {
    let answer = request.send().await.map_err(io::Error::other)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(io::Error::other)?;
    if status.is_success() {
        serde_json::from_slice(&bytes).map_err(io::Error::other)
    } else {
        Err(io::Error::other(format!("{status}: {}", String::from_utf8_lossy(&bytes))))
    }
}

async fn ready_line(child: &mut Child) -> io::Result<Value> {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.as_mut() {
        BufReader::new(stdout).read_line(&mut line).await?;
    }
    if let Ok(ready) = serde_json::from_str(&line) {
        return Ok(ready);
    }
    let mut complaint = String::new();
    if let Some(stderr) = child.stderr.as_mut() {
        stderr.read_to_string(&mut complaint).await?;
    }
    Err(io::Error::other(format!("oidc-provider does not start; {REMEDY}\n{complaint}")))
}

const REMEDY: &str = "install Node.js 20 or newer, then run tests/servers/oidc-provider/setup";
