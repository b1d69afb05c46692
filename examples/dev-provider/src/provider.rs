//! The handle by which a test owns a server.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::endpoints;
use crate::fault::plan::Planned;
use crate::fault::{Endpoint, Fault};
use crate::gate::{Gate, Moment};
use crate::record::RecordedRequest;
use crate::server::Server;
use crate::settings::Settings;
use crate::shared::Shared;

/// A running authorization server; dropping it stops it.
pub struct DevProvider {
    port: u16,
    server: Server,
    shared: Arc<Shared>,
}

impl DevProvider {
    /// Starts a server on 127.0.0.1; it can be asked as soon as this returns.
    ///
    /// # Errors
    ///
    /// The port is in use, or the system gives no randomness.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let (listener, address) = Server::bind(settings.port).await?;
        let shared = Arc::new(Shared::new(format!("http://{address}"), settings)?);
        let server = Server::default();
        server.run(listener, endpoints::router(&shared));
        Ok(Self { port: address.port(), server, shared })
    }

    /// Stops the server and cuts its connections; completes once the port is free.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// Frees the port, so that connections are refused, and keeps everything in memory.
    pub async fn go_offline(&self) {
        self.server.stop().await;
    }

    /// Listens again, on the same port and with the same memory.
    ///
    /// # Errors
    ///
    /// Somebody took the port meanwhile.
    pub async fn go_online(&self) -> io::Result<()> {
        self.server.stop().await;
        let (listener, _) = Server::bind(self.port).await?;
        self.server.run(listener, endpoints::router(&self.shared));
        Ok(())
    }

    /// Orders `fault` at `endpoint`; nothing happens until the result is told how often.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault) -> Planned<'_> {
        self.shared.plan.begin(endpoint, fault)
    }

    /// Forgets every fault that was ordered.
    pub fn clear_faults(&self) {
        self.shared.plan.clear();
    }

    /// Holds requests to `endpoint` at `moment` until the gate is released or dropped.
    pub fn hold(&self, endpoint: Endpoint, moment: Moment) -> Gate {
        self.shared.gates.close(endpoint, moment)
    }

    /// Holds the answers of the token endpoint after it has acted.
    pub fn hold_token_answers(&self) -> Gate {
        self.hold(Endpoint::Token, Moment::BeforeAnswering)
    }

    /// Moves the server's clock forward, so that tokens expire at once.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// How long every access token works that is made from now on.
    pub fn set_access_token_lifetime(&self, lifetime: Duration) {
        self.shared.with_state(|state, _| state.set_lifetime(lifetime));
    }

    /// How long the next access tokens work, one each; after them the usual lifetime rules again.
    pub fn next_access_token_lifetimes(&self, lifetimes: impl IntoIterator<Item = Duration>) {
        self.shared.with_state(|state, _| state.add_lifetimes(lifetimes));
    }

    /// Ends every access token at once; the refresh tokens still work.
    pub fn expire_access_tokens(&self) {
        self.shared.with_state(|state, _| state.expire_access_tokens());
    }

    /// Ends every grant, as a person does who withdraws the app's access at the provider.
    pub fn revoke_grants(&self) {
        self.shared.with_state(|state, _| state.revoke_all());
    }

    /// Allows what the device asks for that shows `user_code`, as `user` does on the page; false when no device waits
    /// with that code.
    pub fn allow_device(&self, user_code: &str, user: &str) -> bool {
        self.shared.with_state(|state, terms| state.decide_device(user_code, Some(user.to_owned()), terms))
    }

    /// Denies what the device asks for that shows `user_code`; false when no device waits with that code.
    pub fn deny_device(&self, user_code: &str) -> bool {
        self.shared.with_state(|state, terms| state.decide_device(user_code, None, terms))
    }

    /// Signs ID tokens with a new key from now on, and publishes that alone.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn rotate_signing_key(&self) -> io::Result<()> {
        self.shared.signer.rotate()
    }

    /// The keys as they are published (RFC 7517 §5), for a test that publishes others beside them.
    pub fn published_keys(&self) -> serde_json::Value {
        self.shared.signer.key_set()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.record.clear();
    }

    /// The issuer: `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.shared.issuer)
    }

    /// Every request that arrived, in order; those to `/dev/` are not counted.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.record.all()
    }

    /// How many token requests with this `grant_type` arrived, however they were answered.
    pub fn count_token_requests(&self, grant_type: &str) -> usize {
        let requests = self.shared.record.all();
        requests.iter().filter(|request| request.grant_type.as_deref() == Some(grant_type)).count()
    }

    /// Whether `token`, access or refresh, works at this moment. This does not count as a request.
    pub fn is_active(&self, token: &str) -> bool {
        self.shared.with_state(|state, terms| {
            state.live_access_token(token, terms.now).is_some() || state.live_refresh_token(token).is_some()
        })
    }

    /// Whether `refresh_token` has been used and replaced, whoever got the answer. This does not count as a request.
    pub fn was_spent(&self, refresh_token: &str) -> bool {
        self.shared.with_state(|state, _| state.was_spent(refresh_token))
    }

    /// Every code and token the server ever made, for a search that proves none of them leaked.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.shared.with_state(|state, _| state.secrets())
    }
}

/// Without the memory, which is full of tokens.
impl fmt::Debug for DevProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevProvider").field("issuer", &self.shared.issuer).finish_non_exhaustive()
    }
}
