//! An authorization server that can be talked to: the provider's words and the network, joined.

use std::sync::Arc;

use ::http::{HeaderMap, Method};
use serde_json::Value;
use tokio::sync::OnceCell;
use url::Url;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::http::HttpClient;
use crate::protocol::device::poll::{PollAnswer, poll_request};
use crate::protocol::device::{DeviceAuthorization, device_authorization_request};
use crate::protocol::identity::{Identity, IdentitySearch};
use crate::protocol::message::Request;
use crate::protocol::redirect::AuthorizationGrant;
use crate::protocol::refresh::{RefreshAnswer, refresh_request};
use crate::protocol::revocation::{Revocation, RevocationAnswer};
use crate::protocol::token;
use crate::protocol::token_set::TokenSet;
use crate::provider::{Binding, Metadata, Provider, ProviderBuilder, missing_scopes};
use crate::secret::Secret;

/// One provider of the configuration. Its metadata is read at first use and kept.
#[derive(Debug)]
pub struct AuthorizationServer {
    builder: ProviderBuilder,
    binding: Binding,
    /// The binding as connections have it, once for all of them.
    shared_binding: Arc<Value>,
    provider: OnceCell<Provider>,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
}

impl AuthorizationServer {
    /// The server of `builder`, reached through `http`; `binding` is what its connections remember.
    pub fn new(
        builder: ProviderBuilder,
        binding: Binding,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared_binding = Arc::new(binding.to_json());
        Self { builder, binding, shared_binding, provider: OnceCell::new(), http, clock }
    }

    /// What connections of this configuration remember.
    pub fn binding(&self) -> &Arc<Value> {
        &self.shared_binding
    }

    /// The resource server that the configuration names for it.
    pub fn base_url(&self) -> Option<String> {
        self.builder.base_url.clone()
    }

    /// The scopes that every login asks for.
    pub fn scopes(&self) -> Vec<String> {
        self.builder.scopes()
    }

    /// Those of `asked` that are not `granted`; see [`missing_scopes`].
    pub fn missing_scopes(&self, asked: &[String], granted: &[String]) -> Vec<String> {
        let covers = self.builder.preset.map_or(&[][..], |preset| preset.quirks.scope_covers);
        missing_scopes(asked, granted, covers)
    }

    /// The configuration key in which a `remembered` binding differs from this configuration. One that cannot be read
    /// differs as well.
    pub fn differs_from(&self, remembered: &Value) -> Option<&'static str> {
        match Binding::from_json(remembered) {
            Ok(remembered) => remembered.differs_from(&self.binding),
            Err(_) => Some("configuration"),
        }
    }

    /// Whether account ids of a `remembered` binding mean the same accounts here. They are the server's, and some servers
    /// give every registration others (OpenID Connect Core §8.1); the way to the server changes nothing about them.
    pub fn shares_account_ids_with(&self, remembered: &Value) -> bool {
        matches!(self.differs_from(remembered), None | Some("base_url" | "proxy" | "ca"))
    }

    /// The provider, with its metadata where an issuer is configured. Failures are not kept: the next call asks again.
    ///
    /// # Errors
    ///
    /// `unavailable` when the metadata cannot be had now, `server_misbehaved` when it is not what RFC 8414 says,
    /// `config_invalid` when the server lacks what is needed.
    pub async fn provider(&self) -> Result<&Provider> {
        self.provider.get_or_try_init(|| self.discover()).await
    }

    async fn discover(&self) -> Result<Provider> {
        let mut failure = None;
        let issuer = self.builder.issuer_to_discover().unwrap_or_default();
        for url in self.builder.discovery_urls()? {
            let found = match self.http.send(get(url)).await {
                Ok(response) if response.status == 200 => Metadata::read(&response.body, issuer),
                Ok(response) if response.status >= 500 || response.status == 429 => {
                    Err(Error::new(ErrorCode::Unavailable, "the provider's metadata cannot be read now"))
                }
                Ok(_) => Err(Error::new(
                    ErrorCode::ServerMisbehaved,
                    "the provider has no metadata for its issuer",
                )
                .with_advice("Check issuer in the configuration, or spell the endpoints out.")),
                Err(error) => Err(error.into()),
            };
            match found {
                Ok(metadata) => return self.builder.clone().build(Some(&metadata)),
                // The first place to look is the one the RFC prefers; its failure says most. An outage says more
                // than an absence, though.
                Err(error) if error.is_transient() => failure = Some(error),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) => Err(error.with_provider(&self.builder.id)),
            None => self.builder.clone().build(None),
        }
    }

    /// Exchanges a grant for tokens (RFC 6749 §4.1.3), and finds out whose they are, as [`identify`](Self::identify).
    ///
    /// # Errors
    ///
    /// `login_closed` when the code is no longer good; `client_rejected`, `unavailable`; `server_misbehaved`, also for
    /// an ID token that is not for this login.
    pub async fn log_in(&self, grant: AuthorizationGrant) -> Result<(TokenSet, Option<Identity>)> {
        let provider = self.provider().await?;
        let exchange = grant.into_request(provider)?;
        let sent_at = self.clock.now();
        let response = self.http.send(exchange.request).await?;
        let tokens = token::read_access_token_answer(&response, sent_at)?;
        self.identify(tokens, exchange.login.nonce.as_ref()).await
    }

    /// Begins a device login for `scopes` (RFC 8628 §3.1).
    ///
    /// # Errors
    ///
    /// As [`device_authorization_request`] and [`DeviceAuthorization::read`]; `unavailable` when there is no answer.
    pub async fn begin_device_login(&self, scopes: &[String]) -> Result<DeviceAuthorization> {
        let provider = self.provider().await?;
        let request = device_authorization_request(provider, scopes)?;
        let sent_at = self.clock.now();
        let read = match self.http.send(request).await {
            Ok(response) => DeviceAuthorization::read(&response, sent_at, self.clock.now()),
            Err(error) => Err(error.into()),
        };
        read.map_err(|error| error.with_provider(&provider.id))
    }

    /// Asks whether the person has decided on the device login of `device_code` (RFC 8628 §3.4).
    pub async fn poll(&self, device_code: &Secret) -> PollAnswer {
        let request = self.provider().await.and_then(|provider| poll_request(provider, device_code));
        let request = match request {
            Ok(request) => request,
            Err(error) => return PollAnswer::Over(error),
        };
        let sent_at = self.clock.now();
        match self.http.send(request).await {
            Ok(response) => PollAnswer::read(&response, sent_at, self.clock.now()),
            // Whether it came to the server or not: asking again does no harm.
            Err(error) => PollAnswer::Trouble { error: error.into(), retry_after: None },
        }
    }

    /// Finds out whose the `tokens` of a login are that sent `nonce`.
    ///
    /// The identity is `None` where the provider does not say, or cannot be asked now: a login is not thrown away for
    /// want of a name.
    ///
    /// # Errors
    ///
    /// `server_misbehaved` for an ID token that is not for this login; `callback_rejected` for another nonce.
    pub async fn identify(
        &self,
        tokens: TokenSet,
        nonce: Option<&Secret>,
    ) -> Result<(TokenSet, Option<Identity>)> {
        let provider = self.provider().await?;
        let identity = match IdentitySearch::begin(provider, &tokens, nonce, self.clock.now())? {
            IdentitySearch::Found(identity) => Some(identity),
            IdentitySearch::Unknown => None,
            IdentitySearch::Ask { request, known } => {
                match self.ask_user(provider, *request, known.as_ref()).await {
                    Ok(identity) => Some(identity),
                    Err(error) => {
                        tracing::warn!(provider = %provider.id, reason = error.message(), "the account is not known");
                        known
                    }
                }
            }
        };
        Ok((tokens, identity))
    }

    async fn ask_user(
        &self,
        provider: &Provider,
        request: Request,
        known: Option<&Identity>,
    ) -> Result<Identity> {
        let response = self.http.send(request).await?;
        Identity::read(provider, &response, known)
    }

    /// Presents a refresh token (RFC 6749 §6).
    pub async fn refresh(&self, refresh_token: &Secret) -> RefreshAnswer {
        let provider = self.provider().await;
        let request = match provider.and_then(|provider| refresh_request(provider, refresh_token)) {
            Ok(request) => request,
            Err(error) => return RefreshAnswer::Client(error),
        };
        let sent_at = self.clock.now();
        match self.http.send(request).await {
            Ok(response) => RefreshAnswer::read(&response, sent_at, self.clock.now()),
            Err(error) => error.into(),
        }
    }

    /// Whether the provider is known to answer a quick repeat of a refresh like the first.
    pub fn forgives_repeat(&self) -> bool {
        self.provider.get().is_some_and(|provider| provider.quirks.forgives_repeat)
    }

    /// Ends the grant of `tokens` at the server, as far as it has a way to (RFC 7009, or the provider's own).
    pub async fn revoke(&self, tokens: &TokenSet) -> RevocationAnswer {
        let plan = match self.provider().await.and_then(|provider| Revocation::plan(provider, tokens)) {
            Ok(Revocation::Send(request)) => request,
            Ok(Revocation::Impossible { reason }) => {
                return RevocationAnswer::in_vain(reason);
            }
            Err(error) => return error.into(),
        };
        match self.http.send(*plan).await {
            Ok(response) => RevocationAnswer::read(&response, self.clock.now()),
            Err(error) => RevocationAnswer::for_now(error.reason()),
        }
    }
}

fn get(url: Url) -> Request {
    Request { method: Method::GET, url, headers: HeaderMap::new(), body: Zeroizing::default() }
}
