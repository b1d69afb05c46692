//! What stands in front of a server that has no controls of its own: requests pass through, token requests are counted
//! and can be held.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, serve};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::form_urlencoded;

use crate::http;
use crate::peer::Moment;

/// A relay on a port of its own. The server sees the address that was asked for, in `Host`.
#[derive(Debug)]
pub(crate) struct Relay {
    address: String,
    task: JoinHandle<()>,
    watch: Arc<Watch>,
}

#[derive(Debug)]
struct Watch {
    counts: Mutex<BTreeMap<String, u64>>,
    hold: watch::Sender<Hold>,
    http: Client,
    server: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Hold {
    arrived: usize,
    moment: Option<Moment>,
}

impl Relay {
    /// Stands in front of `server`, an address without a path.
    pub(crate) async fn start(server: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let watch = Arc::new(Watch {
            counts: Mutex::default(),
            hold: watch::Sender::default(),
            http: http::client()?,
            server: server.to_owned(),
        });
        let router = Router::new().fallback(pass_on).with_state(watch.clone());
        let task = tokio::spawn(async move {
            // It ends when it is aborted, and not before.
            let _ = serve(listener, router).await;
        });
        Ok(Self { address, task, watch })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many token requests with this `grant_type` the server has answered.
    pub(crate) fn count_token_requests(&self, grant_type: &str) -> u64 {
        self.watch.counts().get(grant_type).copied().unwrap_or(0)
    }

    /// Starts counting anew.
    pub(crate) fn clear_requests(&self) {
        self.watch.counts().clear();
    }

    /// Holds token requests at `moment` from now on.
    pub(crate) fn hold_token_requests(&self, moment: Moment) {
        self.watch.hold.send_replace(Hold { arrived: 0, moment: Some(moment) });
    }

    /// Completes once `count` token requests are held.
    pub(crate) async fn wait_for_held(&self, count: usize) {
        // The sender lives as long as this value.
        let _ = self.watch.hold.subscribe().wait_for(|hold| hold.arrived >= count).await;
    }

    /// Lets every held request go on, and later ones pass.
    pub(crate) fn release(&self) {
        self.watch.hold.send_replace(Hold::default());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(&self, moment: Moment) {
        let is_held = self.hold.send_if_modified(|hold| {
            let is_held = hold.moment == Some(moment);
            hold.arrived += usize::from(is_held);
            is_held
        });
        if is_held {
            // The sender lives as long as this value.
            let _ = self.hold.subscribe().wait_for(|hold| hold.moment != Some(moment)).await;
        }
    }

    async fn ask(
        &self,
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> reqwest::Result<Response> {
        let request = self.http.request(method, format!("{}{uri}", self.server)).headers(headers).body(body);
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok((status, whole(headers), Body::from(answer.bytes().await?)).into_response())
    }
}

async fn pass_on(
    State(watch): State<Arc<Watch>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let grant_type = grant_type(&uri, &body);
    if grant_type.is_some() {
        watch.pass(Moment::BeforeProcessing).await;
    }
    let answer = watch.ask(method, &uri, whole(headers), body).await;
    if let Some(grant_type) = grant_type {
        *watch.counts().entry(grant_type).or_default() += 1;
        watch.pass(Moment::BeforeAnswering).await;
    }
    answer.unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
}

/// Without what says how long a message is on one connection: it has another length, or another way to tell, on the next.
fn whole(mut headers: HeaderMap) -> HeaderMap {
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers
}

fn grant_type(uri: &Uri, body: &[u8]) -> Option<String> {
    let is_token_request = uri.path().ends_with("/token");
    let mut form = is_token_request.then(|| form_urlencoded::parse(body))?;
    form.find(|(name, _)| name == "grant_type").map(|(_, value)| value.into_owned())
}
