//! Providers for the tests of the layers above.

use super::{Preset, Provider, ProviderBuilder, Registration, read_endpoint};
use crate::account::ProviderId;
use crate::secret::Secret;

/// A confidential client `app id` with the secret `s%cret/canary`, at `preset`.
pub(crate) fn preset_provider(preset: &str) -> Provider {
    builder(Preset::find(preset)).build(None).unwrap()
}

/// The same at `https://id.example.com`, with every endpoint and the scopes `openid offline_access`.
pub(crate) fn example_provider() -> Provider {
    let mut builder = builder(None);
    builder.issuer = Some("https://id.example.com".to_owned());
    let at = |path: &str| Some(read_endpoint("x", &format!("https://id.example.com/{path}")).unwrap());
    builder.endpoints.authorization = at("authorize");
    builder.endpoints.revocation = at("revoke");
    builder.endpoints.token = at("token");
    builder.endpoints.user = at("me");
    builder.registration.scopes = Some(vec!["openid".to_owned(), "offline_access".to_owned()]);
    builder.build(None).unwrap()
}

pub(crate) fn builder(preset: Option<&'static Preset>) -> ProviderBuilder {
    let registration = Registration {
        client_id: "app id".to_owned(),
        client_secret: Some(Secret::new("s%cret/canary")),
        ..Registration::default()
    };
    ProviderBuilder::new(ProviderId::new("example").unwrap(), preset, registration)
}
