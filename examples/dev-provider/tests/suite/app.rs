//! The smallest app that can log in: what every test here begins with.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use loomkin_auth_dev_provider::{Client, DevProvider, Settings};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub(crate) const VERIFIER: &str = "a-code-verifier-of-at-least-forty-three-characters";

/// What takes longer will never come: a broken server fails a test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Completes with `wanted`, which is on its way.
pub(crate) async fn soon<T>(wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wanted).await.unwrap()
}

pub(crate) struct App {
    pub(crate) http: reqwest::Client,
    pub(crate) provider: DevProvider,
}

impl App {
    /// A server that asks nobody, and its client.
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings { auto_approve: Some("ada".into()), ..Settings::default() }).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Self {
        // A second test finds it installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .tls_certs_only([])
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self { http, provider: DevProvider::start(settings).await.unwrap() }
    }

    pub(crate) fn authorization_url(&self, changes: &[(&str, &str)]) -> Url {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut parameters: Vec<(&str, &str)> = vec![
            ("client_id", Client::DEV),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "the-state"),
        ];
        for change in changes {
            parameters.retain(|(name, _)| *name != change.0);
            parameters.push(*change);
        }
        Url::parse_with_params(&self.provider.url("/authorize"), parameters).unwrap()
    }

    pub(crate) async fn authorize(&self, changes: &[(&str, &str)]) -> Response {
        self.http.get(self.authorization_url(changes)).send().await.unwrap()
    }

    pub(crate) async fn code(&self) -> String {
        redirect_parameters(&self.authorize(&[]).await)["code"].clone()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Response, reqwest::Error> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.http
            .post(self.provider.url(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Response {
        let form = [
            ("client_id", Client::DEV),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
        ];
        self.post("/token", &form).await.unwrap()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<Response, reqwest::Error> {
        let form = [("client_id", Client::DEV), ("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/token", &form).await
    }

    /// A whole login.
    pub(crate) async fn connect(&self) -> Tokens {
        let answer = self.redeem(&self.code().await).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Tokens::read(answer).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        self.http.get(self.provider.url(path)).bearer_auth(token).send().await.unwrap()
    }

    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let form = [("client_id", Client::DEV), ("token", token)];
        json(self.post("/introspect", &form).await.unwrap()).await["active"] == true
    }
}

pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) answer: Value,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) async fn read(answer: Response) -> Self {
        let answer = json(answer).await;
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token"), answer }
    }
}

pub(crate) async fn json(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

pub(crate) async fn error_of(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    (status, json(answer).await["error"].as_str().unwrap().to_owned())
}

pub(crate) fn redirect_parameters(answer: &Response) -> HashMap<String, String> {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = Url::parse(answer.headers()[LOCATION].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(REDIRECT), "{location}");
    location.query_pairs().into_owned().collect()
}

pub(crate) fn id_token_claims(answer: &Value) -> Value {
    let payload = answer["id_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Basic credentials whose parts are form-encoded, as RFC 6749 §2.3.1 wants them.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encode = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}
