//! The real OpenID provider as a child process; `tests/servers/README.md` describes it.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use url::form_urlencoded;

use crate::http;
use crate::peer::{Moment, Peer};
use crate::ready::ready_line;

/// A running oidc-provider; it dies with this value, and with this process.
#[derive(Debug)]
pub struct OidcProvider {
    child: Child,
    http: Client,
    issuer: String,
}

impl OidcProvider {
    /// Stops the server and completes once it is gone.
    ///
    /// # Errors
    ///
    /// The process cannot be killed.
    pub async fn stop(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Tells the next `times` token requests to slow down.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn slow_down(&self, times: usize) -> io::Result<()> {
        self.control(Method::PUT, "/control/slow-down", json!({"times": times})).await.map(drop)
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
        http::ask(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)).await
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
        http::ask(request.header(CONTENT_TYPE, "application/json").body(order.to_string())).await
    }
}

impl Peer for OidcProvider {
    const DEVICE_ALLOWED: &str = "Sign-in Success";

    async fn start(access_token_lifetime: Duration) -> io::Result<Self> {
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
        let ready = ready_line(&mut child).await.map_err(|complaint| {
            io::Error::other(format!("oidc-provider does not start; {REMEDY}\n{complaint}"))
        })?;
        let issuer = ready["issuer"].as_str().unwrap_or_default().to_owned();
        // Unread, a full pipe would stop the server in the middle of a warning.
        if let Some(mut warnings) = child.stderr.take() {
            tokio::spawn(async move { tokio::io::copy(&mut warnings, &mut tokio::io::sink()).await });
        }
        Ok(Self { child, http: http::client()?, issuer })
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    async fn count_token_requests(&self, grant_type: &str) -> io::Result<u64> {
        let counts = self.control(Method::GET, "/control/requests", json!({})).await?;
        Ok(counts[grant_type].as_u64().unwrap_or(0))
    }

    async fn clear_requests(&self) -> io::Result<()> {
        self.control(Method::DELETE, "/control/requests", json!({})).await.map(drop)
    }

    async fn hold_token_requests(&self, moment: Moment) -> io::Result<()> {
        let moment = match moment {
            Moment::BeforeAnswering => "before_answering",
            Moment::BeforeProcessing => "before_processing",
        };
        self.control(Method::PUT, "/control/hold", json!({"moment": moment})).await.map(drop)
    }

    async fn wait_for_held(&self, count: usize) -> io::Result<()> {
        self.control(Method::GET, &format!("/control/hold?wait_for={count}"), json!({})).await.map(drop)
    }

    async fn release(&self) -> io::Result<()> {
        self.control(Method::PUT, "/control/release", json!({})).await.map(drop)
    }

    async fn set_access_token_lifetime(&self, lifetime: Duration) -> io::Result<()> {
        let order = json!({"seconds": lifetime.as_secs()});
        self.control(Method::PUT, "/control/access-token-lifetime", order).await.map(drop)
    }

    async fn revoke_grants(&self) -> io::Result<()> {
        self.control(Method::PUT, "/control/revoke-grants", json!({})).await.map(drop)
    }

    async fn is_active(&self, token: &str) -> io::Result<bool> {
        Ok(self.introspect(token).await?["active"] == true)
    }
}

const REMEDY: &str = "install Node.js 20 or newer, then run tests/servers/oidc-provider/setup";
