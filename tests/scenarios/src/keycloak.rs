//! Keycloak as a child process; `tests/servers/README.md` describes it.

use std::io;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::process::{ChildStdin, Command};
use tokio::sync::OnceCell;

use crate::http;
use crate::peer::{Moment, Peer};
use crate::ready::ready_line;
use crate::relay::Relay;

/// A realm of its own at the one Keycloak of this process, which dies with the process. The realm's issuer goes through
/// a relay, so that requests can be counted and held.
#[derive(Debug)]
pub struct Keycloak {
    http: Client,
    issuer: String,
    realm: String,
    relay: Relay,
    server: &'static Server,
}

#[derive(Debug)]
struct Server {
    address: String,
    /// Its end is the server's.
    _stdin: ChildStdin,
}

/// It takes a quarter of a minute to start, and has room for many realms.
static SERVER: OnceCell<Server> = OnceCell::const_new();
static REALMS: AtomicU32 = AtomicU32::new(0);

impl Keycloak {
    /// What the rows that are listed at `path` below the realm have under `name`.
    async fn list(&self, path: &str, name: &str) -> io::Result<Vec<String>> {
        let rows = self.administer(Method::GET, path, None).await?;
        let values = rows.as_array().into_iter().flatten().filter_map(|row| row[name].as_str());
        Ok(values.map(str::to_owned).collect())
    }

    async fn administer(&self, method: Method, path: &str, body: Option<&Value>) -> io::Result<Value> {
        self.server.administer(&self.http, method, &format!("/{}{path}", self.realm), body).await
    }
}

impl Peer for Keycloak {
    const DEVICE_ALLOWED: &str = "Device Login Successful";

    async fn start(access_token_lifetime: Duration) -> io::Result<Self> {
        let server = SERVER.get_or_try_init(Server::start).await?;
        let relay = Relay::start(&server.address).await?;
        let realm = format!("scenario-{}", REALMS.fetch_add(1, Ordering::Relaxed));
        let issuer = format!("{}/realms/{realm}", relay.address());
        let keycloak = Self { http: http::client()?, issuer, realm, relay, server };
        keycloak.server.make_realm(&keycloak.http, &keycloak.realm, access_token_lifetime).await?;
        Ok(keycloak)
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    async fn count_token_requests(&self, grant_type: &str) -> io::Result<u64> {
        Ok(self.relay.count_token_requests(grant_type))
    }

    async fn clear_requests(&self) -> io::Result<()> {
        self.relay.clear_requests();
        Ok(())
    }

    async fn hold_token_requests(&self, moment: Moment) -> io::Result<()> {
        self.relay.hold_token_requests(moment);
        Ok(())
    }

    async fn wait_for_held(&self, count: usize) -> io::Result<()> {
        self.relay.wait_for_held(count).await;
        Ok(())
    }

    async fn release(&self) -> io::Result<()> {
        self.relay.release();
        Ok(())
    }

    async fn set_access_token_lifetime(&self, lifetime: Duration) -> io::Result<()> {
        let part = json!({"accessTokenLifespan": lifetime.as_secs()});
        self.administer(Method::PUT, "", Some(&part)).await.map(drop)
    }

    async fn revoke_grants(&self) -> io::Result<()> {
        for user in self.list("/users", "id").await? {
            let consents = format!("/users/{user}/consents");
            for client in self.list(&consents, "clientId").await? {
                // Its offline tokens go with it.
                self.administer(Method::DELETE, &format!("{consents}/{client}"), None).await?;
            }
        }
        Ok(())
    }

    async fn is_active(&self, access_token: &str) -> io::Result<bool> {
        // Introspection is for those whom a token names as its audience; this is for whoever has it.
        let request = self.http.get(format!("{}/protocol/openid-connect/userinfo", self.issuer));
        let request = request.header(AUTHORIZATION, format!("Bearer {access_token}"));
        match request.send().await.map_err(io::Error::other)?.status() {
            StatusCode::OK => Ok(true),
            StatusCode::UNAUTHORIZED => Ok(false),
            status => Err(io::Error::other(format!("userinfo answered {status}"))),
        }
    }
}

impl Server {
    async fn start() -> io::Result<Self> {
        let mut child = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../servers/keycloak/server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let ready = ready_line(&mut child).await.map_err(|complaint| {
            io::Error::other(format!("Keycloak does not start; {REMEDY}\n{complaint}"))
        })?;
        let address = ready["address"].as_str().unwrap_or_default().to_owned();
        Ok(Self { address, _stdin: child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)? })
    }

    async fn make_realm(&self, http: &Client, name: &str, access_token_lifetime: Duration) -> io::Result<()> {
        let mut realm: Value = serde_json::from_str(include_str!("../../servers/keycloak/realm.json"))?;
        realm["realm"] = name.into();
        realm["accessTokenLifespan"] = access_token_lifetime.as_secs().into();
        self.administer(http, Method::POST, "", Some(&realm)).await.map(drop)
    }

    /// One request to the administrator's interface, at `path` below all realms.
    async fn administer(
        &self,
        http: &Client,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<Value> {
        let token = self.administrators_token(http).await?;
        let request = http.request(method, format!("{}/admin/realms{path}", self.address));
        let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        http::ask(match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
            None => request,
        })
        .await
    }

    /// One works for a minute: each request gets its own.
    async fn administrators_token(&self, http: &Client) -> io::Result<String> {
        let url = format!("{}/realms/master/protocol/openid-connect/token", self.address);
        let request = http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = "grant_type=password&client_id=admin-cli&username=admin&password=admin";
        let tokens = http::ask(request.body(form)).await?;
        Ok(tokens["access_token"].as_str().unwrap_or_default().to_owned())
    }
}

const REMEDY: &str = "install Java 17 or newer, then run tests/servers/keycloak/setup";
