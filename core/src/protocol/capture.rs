//! Requests as the `oauth2` crate builds them, caught before they are sent.

use std::cell::RefCell;
use std::fmt;

use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, SyncHttpClient,
    TokenUrl,
};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::message::Request;
use crate::error::{Error, ErrorCode, Result};
use crate::provider::{ClientAuth, Provider};

/// The crate's client for the token endpoint of `provider`.
pub(super) type TokenClient =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Our registration, as the crate wants it, presented as the token endpoint takes it.
pub(super) fn token_client(provider: &Provider) -> TokenClient {
    client(provider, provider.client_auth)
}

/// The same, presented as `auth` says.
pub(super) fn client(provider: &Provider, auth: ClientAuth) -> TokenClient {
    let mut client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_token_uri(TokenUrl::from_url(provider.token_endpoint.clone()))
        .set_auth_type(match auth {
            ClientAuth::Basic => AuthType::BasicAuth,
            ClientAuth::Body => AuthType::RequestBody,
        });
    if let Some(secret) = &provider.client_secret {
        // Exposed to be put into the request.
        client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
    }
    client
}

/// A client of the crate's that sends nothing and keeps the request.
#[derive(Default)]
pub(super) struct Capture(RefCell<Option<HttpRequest>>);

impl Capture {
    /// The request that was to be sent to `url`; its credentials are marked sensitive.
    ///
    /// # Errors
    ///
    /// `config_invalid` when the crate could not put it together.
    pub(super) fn into_request(self, url: &Url) -> Result<Request> {
        let Some(request) = self.0.into_inner() else {
            return Err(Error::new(ErrorCode::ConfigInvalid, "the request cannot be put together")
                .with_advice("Check client_id and client_secret for characters that do not belong there."));
        };
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        if let Some(credentials) = headers.get_mut(AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        Ok(Request { method: parts.method, url: url.clone(), headers, body: Zeroizing::new(body) })
    }
}

impl SyncHttpClient for Capture {
    type Error = NotSent;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, NotSent> {
        *self.0.borrow_mut() = Some(request);
        Err(NotSent)
    }
}

/// What the crate is told instead of an answer.
#[derive(Debug)]
pub(super) struct NotSent;

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not sent")
    }
}

impl std::error::Error for NotSent {}

/// Turns the form of a token request into the JSON object that some token endpoints want.
pub(super) fn form_to_json(mut request: Request) -> Request {
    let fields: Map<String, Value> = form_urlencoded::parse(&request.body)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    request.body = Zeroizing::new(Value::Object(fields).to_string().into_bytes());
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}
