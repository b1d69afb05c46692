//! The keys that the server signs ID tokens with.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::document::{Document, Source};
use crate::account::ProviderId;
use crate::clock::Clock;
use crate::error::Result;
use crate::http::HttpClient;
use crate::protocol::jwk::KeySet;
use crate::provider::Provider;

/// The key set at one address.
#[derive(Debug)]
pub(super) struct KeySource {
    provider: ProviderId,
    place: Url,
}

impl Source for KeySource {
    type Content = KeySet;

    const NAME: &'static str = "keys";

    const ADVICE: &'static str = "Check jwks_uri in the configuration, or in the provider's metadata.";

    fn provider(&self) -> &ProviderId {
        &self.provider
    }

    fn places(&self) -> Result<Vec<Url>> {
        Ok(vec![self.place.clone()])
    }

    fn read(&self, body: &[u8]) -> Result<KeySet> {
        KeySet::read(body)
    }
}

/// The key set of a provider, at the address that it names now.
#[derive(Debug)]
pub(super) struct Keys {
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Arc<Document<KeySource>>>>,
}

impl Keys {
    pub(super) fn new(http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock, current: Mutex::default() }
    }

    /// The document in which the keys of `provider` are, read or not. `None` where no address is known, where there is no
    /// issuer whose ID tokens could be checked, or where the client secret takes the place of keys.
    pub(super) fn of(&self, provider: &Provider) -> Option<Arc<Document<KeySource>>> {
        let place = provider.endpoints.keys.as_ref()?;
        if provider.issuer.is_none() || provider.signs_by_client_secret() {
            return None;
        }
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = current.as_ref().filter(|document| document.source().place == *place) {
            return Some(document.clone());
        }
        let source = KeySource { provider: provider.id.clone(), place: place.clone() };
        let document = Document::new(source, self.http.clone(), self.clock.clone());
        Some(current.insert(document).clone())
    }
}
