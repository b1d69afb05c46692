//! What the story plays on: a provider on this machine, a folder that is gone afterwards, and somebody who clicks.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use loomkin_auth::auth::Ports;
use loomkin_auth::browser::Browser;
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::Result;
use loomkin_auth::http::{HttpClient, HttpSettings, ReqwestClient};
use loomkin_auth::protocol::message::Request;
use loomkin_auth_dev_provider::{DevProvider, Settings};
use tempfile::TempDir;
use url::Url;

pub(crate) struct Stage {
    pub(crate) provider: DevProvider,
    folder: TempDir,
    pub(crate) environment: Environment,
}

impl Stage {
    pub(crate) async fn set() -> Result<Self, Box<dyn StdError>> {
        let provider = DevProvider::start(Settings {
            access_token_lifetime: LIFETIME,
            auto_approve: Some("ada".to_owned()),
            ..Settings::default()
        })
        .await?;
        let folder = tempfile::tempdir()?;
        // The key that seals the store. An app leaves this to the keychain; a story must not touch yours.
        let home = folder.path().display().to_string();
        let key = "a story needs no better key than this one";
        // A display, so that a login goes through the browser.
        let variables = [("DISPLAY", ":0"), ("HOME", home.as_str()), ("STORE_KEY", key)];
        let environment = Environment::new(variables, folder.path());
        Ok(Self { provider, folder, environment })
    }

    /// What an app ships, or a person writes.
    pub(crate) fn config(&self) -> Result<Config, Box<dyn StdError>> {
        let text = format!(
            r#"[auth.store]
path = "store/auth.db"
key = "env:STORE_KEY"

[auth.demo]
issuer = "{}"
client_id = "dev-client"
scopes = ["openid", "offline_access"]
"#,
            self.provider.issuer()
        );
        Ok(Config::parse(&text, &self.folder.path().join(".loomkin.toml"), &self.environment)?)
    }

    /// Where the store lies.
    pub(crate) fn store_folder(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// This machine's, but for the browser.
    pub(crate) fn ports(&self, config: &Config) -> Result<Ports> {
        let mut ports = Ports::of_this_machine(config, &self.environment)?;
        ports.browser = Arc::new(Visitor(Arc::new(ReqwestClient::new(HttpSettings::default())?)));
        Ok(ports)
    }
}

/// In place of a person with a browser: follows the redirects, from the authorization URL back to the app.
#[derive(Clone, Debug)]
struct Visitor(Arc<dyn HttpClient>);

impl Browser for Visitor {
    fn open(&self, url: &Url) -> Result<()> {
        let (visitor, url) = (self.clone(), url.clone());
        tokio::runtime::Handle::current().spawn(visitor.follow(url));
        Ok(())
    }
}

impl Visitor {
    async fn follow(self, mut url: Url) {
        loop {
            let (headers, body) = (HeaderMap::new(), Vec::new().into());
            let page = self.0.send(Request { method: Method::GET, url: url.clone(), headers, body }).await;
            let Ok(page) = page else { return };
            let location =
                page.headers.get(http::header::LOCATION).and_then(|location| location.to_str().ok());
            match location.and_then(|location| url.join(location).ok()) {
                Some(next) => url = next,
                None => return,
            }
        }
    }
}

/// Short, so that the story need not wait long for a token to end.
pub(crate) const LIFETIME: Duration = Duration::from_secs(2);
