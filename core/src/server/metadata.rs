//! The server's metadata, read as the provider that it makes together with the configuration.

use url::Url;

use super::document::Source;
use crate::account::ProviderId;
use crate::error::Result;
use crate::provider::{Metadata, Provider, ProviderBuilder};

/// The metadata of the issuer in the builder.
///
/// A document that is read again may name other endpoints than before, at other origins too: it comes from the issuer itself,
/// over https, and a process that starts now would follow it as well. What a checkout could change is another matter, and a
/// connection remembers that (`provider::Binding`).
#[derive(Debug)]
pub(super) struct MetadataSource(pub(super) ProviderBuilder);

impl Source for MetadataSource {
    type Content = Provider;

    const NAME: &'static str = "metadata";

    const ADVICE: &'static str = "Check issuer in the configuration, or spell the endpoints out.";

    fn provider(&self) -> &ProviderId {
        &self.0.id
    }

    fn places(&self) -> Result<Vec<Url>> {
        self.0.discovery_urls()
    }

    fn read(&self, body: &[u8]) -> Result<Provider> {
        let metadata = Metadata::read(body, self.0.issuer_to_discover().unwrap_or_default())?;
        if metadata.lacks_s256 {
            tracing::warn!(provider = %self.0.id, "the provider does not list S256 for PKCE; it is sent all the same");
        }
        self.0.clone().build(Some(&metadata))
    }

    fn renewed(&self, earlier: &Provider, later: &Provider) {
        let origin = |provider: &Provider| provider.token_endpoint.origin();
        if origin(earlier) != origin(later) {
            let now_at = origin(later).ascii_serialization();
            tracing::warn!(provider = %self.0.id, now_at, "the provider's metadata has moved its token endpoint");
        }
    }
}
