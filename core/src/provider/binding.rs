//! What a connection remembers of the configuration it was made with, so that another one cannot take its tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::Endpoints;
use crate::error::{Error, ErrorCode, Result};

/// The server, registration and route that a connection's tokens belong to. None of it is secret.
///
/// A checkout must not steal tokens: a configuration whose binding [differs](Self::differs_from) has no connection.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Binding {
    /// The issuer as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The origin of each endpoint as configured, under the endpoint's name.
    #[serde(default)]
    pub origins: BTreeMap<String, String>,
    /// Our registration.
    pub client_id: String,
    /// The resource server that the app sends the tokens to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The configured proxy, which sees where requests go. Without its credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The configured extra certificate authorities, which could make a proxy see what they say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

impl Binding {
    /// The binding of a server and a registration, without proxy or extra certificate authorities.
    pub fn new(
        issuer: Option<String>,
        endpoints: &Endpoints,
        client_id: &str,
        base_url: Option<&str>,
    ) -> Self {
        let origin =
            |(name, url): (&str, Option<&Url>)| Some((name.to_owned(), url?.origin().ascii_serialization()));
        Self {
            issuer,
            origins: endpoints.named().into_iter().filter_map(origin).collect(),
            client_id: client_id.to_owned(),
            base_url: base_url.map(str::to_owned),
            proxy: None,
            ca: None,
        }
    }

    /// Adds the configured proxy and certificate authorities, in any form that names them without a secret.
    #[must_use]
    pub fn with_route(mut self, proxy: Option<String>, ca: Option<String>) -> Self {
        self.proxy = proxy;
        self.ca = ca;
        self
    }

    /// The first configuration key in which `configured` names something else than this remembered binding, or `None`
    /// when the tokens may be used with it.
    ///
    /// An endpoint may appear, vanish or move between origins that are remembered already: a server that has the
    /// tokens learns nothing new from them.
    pub fn differs_from(&self, configured: &Self) -> Option<&'static str> {
        if self.issuer != configured.issuer {
            return Some("issuer");
        }
        let known = |origin: &String| self.origins.values().any(|remembered| remembered == origin);
        let moved = |name: &&str| configured.origins.get(*name).is_some_and(|origin| !known(origin));
        if let Some(name) = Endpoints::NAMES.into_iter().find(moved) {
            return Some(name);
        }
        let plain = [
            ("client_id", Some(&self.client_id) == Some(&configured.client_id)),
            ("base_url", self.base_url == configured.base_url),
            ("proxy", self.proxy == configured.proxy),
            ("ca", self.ca == configured.ca),
        ];
        plain.into_iter().find_map(|(name, same)| (!same).then_some(name))
    }

    /// The form in which it is kept.
    pub fn to_json(&self) -> Value {
        // Strings and maps of strings: there is nothing in it that JSON cannot hold.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Reads what [`Self::to_json`] wrote. Fields of later versions are passed over.
    ///
    /// # Errors
    ///
    /// `store_failed` when it is not a binding.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::deserialize(value)
            .map_err(|_| Error::new(ErrorCode::StoreFailed, "the stored connection has no readable binding"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::Preset;
    use crate::provider::fixture::builder;
    use crate::provider::read_endpoint;

    fn github() -> Binding {
        builder(Preset::find("github")).binding()
    }

    #[test]
    fn the_same_configuration_does_not_differ() {
        assert_eq!(github().differs_from(&github()), None);
    }

    #[test]
    fn what_points_elsewhere_is_named() {
        let mut elsewhere = builder(Preset::find("github"));
        elsewhere.endpoints.token = Some(read_endpoint("x", "https://evil.example/t").unwrap());
        assert_eq!(github().differs_from(&elsewhere.binding()), Some("token_endpoint"));

        let change = |change: fn(&mut Binding)| {
            let mut configured = github();
            change(&mut configured);
            github().differs_from(&configured)
        };
        assert_eq!(change(|it| it.issuer = Some("https://evil.example".to_owned())), Some("issuer"));
        assert_eq!(change(|it| it.client_id.push('x')), Some("client_id"));
        assert_eq!(change(|it| it.base_url = Some("https://evil.example/".to_owned())), Some("base_url"));
        assert_eq!(change(|it| it.proxy = Some("http://evil.example".to_owned())), Some("proxy"));
        assert_eq!(change(|it| it.ca = Some("./evil.pem".to_owned())), Some("ca"));
        for name in Endpoints::NAMES {
            let mut configured = github();
            configured.origins.insert(name.to_owned(), "https://github.com:444".to_owned());
            assert_eq!(github().differs_from(&configured), Some(name));
        }
    }

    #[test]
    fn an_endpoint_may_vanish_or_appear_where_the_tokens_are_known_already() {
        let mut configured = github();
        configured.origins.remove("revocation_endpoint");
        assert_eq!(github().differs_from(&configured), None);
        assert_eq!(configured.differs_from(&github()), None);
    }

    #[test]
    fn it_reads_back_what_it_writes_and_passes_over_what_is_new() {
        let binding = github().with_route(Some("http://proxy.example:3128".to_owned()), None);
        let mut json = binding.to_json();
        json["of_a_later_version"] = json!(1);
        assert_eq!(Binding::from_json(&json).unwrap(), binding);
        assert_eq!(json["origins"]["user_endpoint"], "https://api.github.com");
        assert_eq!(Binding::from_json(&json!([])).unwrap_err().code(), ErrorCode::StoreFailed);
    }
}
