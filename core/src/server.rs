//! An authorization server that can be talked to: the provider's words and the network, joined.

mod document;
mod keys;
mod metadata;
mod probe;

use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use serde_json::Value;

pub use probe::ServerProbe;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::http::HttpClient;
use crate::protocol::device::poll::{PollAnswer, poll_request};
use crate::protocol::device::{DeviceAuthorization, device_authorization_request};
use crate::protocol::id_token::{Expected, IdTokenClaims, Proof, Refusal};
use crate::protocol::identity::{Identity, IdentitySearch, Whose};
use crate::protocol::jwk::KeySet;
use crate::protocol::message::Request;
use crate::protocol::redirect::AuthorizationGrant;
use crate::protocol::refresh::{RefreshAnswer, refresh_request};
use crate::protocol::revocation::{Revocation, RevocationAnswer};
use crate::protocol::token;
use crate::protocol::token_set::TokenSet;
use crate::provider::{Binding, Provider, ProviderBuilder, missing_scopes};
use crate::secret::Secret;
use document::Document;
use keys::Keys;
use metadata::MetadataSource;

/// One provider of the configuration. Its metadata and its keys are read at first use, kept, and read again when they have
/// become old.
#[derive(Debug)]
pub struct AuthorizationServer {
    builder: ProviderBuilder,
    binding: Binding,
    /// The binding as connections have it, once for all of them.
    shared_binding: Arc<Value>,
    /// Where nothing has to be discovered.
    spelled_out: OnceCell<Arc<Provider>>,
    metadata: Arc<Document<MetadataSource>>,
    keys: Keys,
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
        let metadata = Document::new(MetadataSource(builder.clone()), http.clone(), clock.clone());
        let keys = Keys::new(http.clone(), clock.clone());
        let spelled_out = OnceCell::new();
        Self { builder, binding, shared_binding, spelled_out, metadata, keys, http, clock }
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

    /// The provider, with its metadata where an issuer is configured. Nobody waits for metadata to be read again: an old
    /// document counts until a newer one is there, also while the server does not answer.
    ///
    /// # Errors
    ///
    /// `unavailable` when the metadata cannot be had now, `server_misbehaved` when it is not what RFC 8414 says,
    /// `config_invalid` when the server lacks what is needed. Failures are not kept: the next call asks again.
    pub async fn provider(&self) -> Result<Arc<Provider>> {
        match self.builder.issuer_to_discover() {
            Some(_) => self.metadata.get().await,
            None => {
                self.spelled_out.get_or_try_init(|| self.builder.clone().build(None).map(Arc::new)).cloned()
            }
        }
    }

    /// The provider, and in memory whatever a login needs beside it: the keys, where an ID token will come. A code can be
    /// exchanged once, so that what could fail for want of a key is to fail before.
    ///
    /// # Errors
    ///
    /// As [`provider`](Self::provider) and [`Provider::check_signing`]; `unavailable` and `server_misbehaved` also for keys
    /// that cannot be had or used.
    pub async fn prepare_login(&self, asks_for_id_token: bool) -> Result<Arc<Provider>> {
        let provider = self.provider().await?;
        if asks_for_id_token {
            provider.check_signing()?;
            if let Some(keys) = self.keys.of(&provider) {
                keys.get().await?;
            }
        }
        Ok(provider)
    }

    /// Exchanges a grant for tokens (RFC 6749 §4.1.3), which are not believed yet. Beside them stands the nonce that
    /// [`identify`](Self::identify) wants.
    ///
    /// # Errors
    ///
    /// As [`prepare_login`](Self::prepare_login), before anything is sent; `login_closed` when the code is no longer good;
    /// `client_rejected`, `unavailable`, `server_misbehaved`.
    pub async fn exchange(&self, grant: AuthorizationGrant) -> Result<(TokenSet, Option<Secret>)> {
        let provider = self.prepare_login(grant.asked_for_id_token()).await?;
        let exchange = grant.into_request(&provider)?;
        let sent_at = self.clock.now();
        let response = self.http.send(exchange.request).await?;
        let tokens = token::read_access_token_answer(&response, sent_at)?;
        Ok((tokens, exchange.login.nonce))
    }

    /// Begins a device login for `scopes` (RFC 8628 §3.1).
    ///
    /// # Errors
    ///
    /// As [`device_authorization_request`] and [`DeviceAuthorization::read`]; `unavailable` when there is no answer.
    pub async fn begin_device_login(&self, scopes: &[String]) -> Result<DeviceAuthorization> {
        let provider = self.provider().await?;
        let request = device_authorization_request(&provider, scopes)?;
        let sent_at = self.clock.now();
        let read = match self.http.send(request).await {
            Ok(response) => DeviceAuthorization::read(&response, sent_at, self.clock.now()),
            Err(error) => Err(error.into()),
        };
        read.map_err(|error| error.with_provider(&provider.id))
    }

    /// Asks whether the person has decided on the device login of `device_code` (RFC 8628 §3.4).
    pub async fn poll(&self, device_code: &Secret) -> PollAnswer {
        let request = self.provider().await.and_then(|provider| poll_request(&provider, device_code));
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

    /// Finds out whose the `tokens` of a login are that sent `nonce`. That the server does not say, or cannot be asked now, is
    /// no error: a login is not thrown away for want of a name.
    ///
    /// # Errors
    ///
    /// `server_misbehaved` for an ID token that is not for this login or not the server's; `unavailable` where the keys to
    /// check it cannot be had now.
    pub async fn identify(&self, tokens: &TokenSet, nonce: Option<&Secret>) -> Result<Whose> {
        let provider = self.provider().await?;
        let claims = self.check_id_token(&provider, tokens, nonce).await?;
        Ok(match IdentitySearch::begin(&provider, tokens, claims.as_ref())? {
            IdentitySearch::Found(identity) => Whose::Known(identity),
            IdentitySearch::Unknown => Whose::Unknown,
            IdentitySearch::Ask { request, known } => self.ask_whose(&provider, *request, known).await,
        })
    }

    /// Asks the user endpoint; once more after a moment, where it is away and nothing else says whose account it is.
    async fn ask_whose(&self, provider: &Provider, request: Request, known: Option<Identity>) -> Whose {
        let mut answer = self.ask_user(provider, request.clone(), known.as_ref()).await;
        if known.is_none() && answer.as_ref().is_err_and(Error::is_transient) {
            self.clock.sleep(MOMENT).await;
            answer = self.ask_user(provider, request, None).await;
        }
        let error = match answer {
            Ok(identity) => return Whose::Known(identity),
            Err(error) => error,
        };
        tracing::warn!(provider = %provider.id, reason = error.message(), "the account is not known");
        match known {
            Some(known) => Whose::Known(known),
            None if error.is_transient() => Whose::NotNow(error),
            None => Whose::Unknown,
        }
    }

    /// The claims of the ID token among the `tokens` of a login. Without a known issuer there is nothing to check one
    /// against, so it says nothing. A key that is not there is looked for once more, because servers change theirs.
    async fn check_id_token(
        &self,
        provider: &Provider,
        tokens: &TokenSet,
        nonce: Option<&Secret>,
    ) -> Result<Option<IdTokenClaims>> {
        let (Some(id_token), Some(_)) = (&tokens.id_token, &provider.issuer) else { return Ok(None) };
        let expected = Expected { access_token: &tokens.access_token, nonce, now: self.clock.now() };
        let read = |proof| IdTokenClaims::read(provider, id_token, proof, &expected);
        let claims = match self.keys.of(provider) {
            Some(document) => {
                let keys = document.get().await?;
                match read(Proof::Keys(&keys)) {
                    Err(Refusal::UnknownKey) => match document.newer_than(&keys).await? {
                        Some(newer) => read(Proof::Keys(&newer)),
                        None => Err(Refusal::UnknownKey),
                    },
                    read => read,
                }
            }
            None if provider.signs_by_client_secret() => read(Proof::Keys(&KeySet::default())),
            None => read(Proof::Tls),
        };
        claims.map(Some).map_err(Refusal::into_error)
    }

    /// The `tokens` of a refresh, without their ID token where that is not good. The others stay: what was presented for
    /// them may be spent, they came from the token endpoint itself, and an ID token says nothing about them.
    ///
    /// Nothing is asked for here, because nothing may stand between an answer and its being stored. So a signature is
    /// checked by the keys in memory; where those do not have the key, TLS has to do (OpenID Connect Core §3.1.3.7,
    /// item 6).
    pub fn drop_bad_id_token(&self, mut tokens: TokenSet) -> TokenSet {
        let (Some(id_token), Some(provider)) = (&tokens.id_token, self.known_provider()) else {
            return tokens;
        };
        if provider.issuer.is_none() {
            return tokens;
        }
        let expected = Expected { access_token: &tokens.access_token, nonce: None, now: self.clock.now() };
        let keys = self.keys.of(&provider).and_then(|document| document.known());
        let read = |proof| IdTokenClaims::read(&provider, id_token, proof, &expected);
        let read = match keys.as_deref().map(|keys| read(Proof::Keys(keys))) {
            None | Some(Err(Refusal::UnknownKey)) => read(Proof::Tls),
            Some(read) => read,
        };
        if let Err(refusal) = read {
            let reason = refusal.into_error();
            tracing::warn!(provider = %provider.id, reason = reason.message(), "a refresh brought a bad ID token");
            tokens.id_token = None;
        }
        tokens
    }

    fn known_provider(&self) -> Option<Arc<Provider>> {
        self.spelled_out.get().cloned().or_else(|| self.metadata.known())
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
        let request = match provider.and_then(|provider| refresh_request(&provider, refresh_token)) {
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
        self.builder.preset.is_some_and(|preset| preset.quirks.forgives_repeat)
    }

    /// Ends the grant of `tokens` at the server, as far as it has a way to (RFC 7009, or the provider's own).
    pub async fn revoke(&self, tokens: &TokenSet) -> RevocationAnswer {
        let plan = match self.provider().await.and_then(|provider| Revocation::plan(&provider, tokens)) {
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

/// How long a user endpoint that is away is left alone before it is asked once more.
const MOMENT: Duration = Duration::from_millis(500);
