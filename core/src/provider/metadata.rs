//! What a server says about itself (RFC 8414; OpenID Connect Discovery 1.0).

use serde_json::{Map, Value};
use url::Url;

use super::{ClientAuth, Endpoints, read_endpoint};
use crate::error::{Error, ErrorCode, Result};

/// The part of a metadata document that we follow.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer identifier; it equals the one that was asked for.
    pub issuer: String,
    /// The endpoints.
    pub endpoints: Endpoints,
    /// Whether every authorization response carries `iss` (RFC 9207 §3).
    pub promises_iss: bool,
    /// How a secret is to be presented, where the document says so.
    pub client_auth: Option<ClientAuth>,
}

impl Metadata {
    /// Reads the document `body` that was asked for as the metadata of `issuer`.
    ///
    /// # Errors
    ///
    /// `server_misbehaved` when it is no metadata document, states another issuer (RFC 8414 §3.3), or names an
    /// endpoint that is neither https nor loopback.
    pub fn read(body: &[u8], issuer: &str) -> Result<Self> {
        if body.len() > MAX_DOCUMENT {
            return Err(misbehaved("the server's metadata is too long"));
        }
        let Ok(Value::Object(document)) = serde_json::from_slice(body) else {
            return Err(misbehaved("the server's metadata is not a JSON object"));
        };
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(misbehaved("the server's metadata is that of another issuer")
                .with_advice("Set issuer exactly as the server's own metadata spells it."));
        }
        let endpoint = |name| read_optional_endpoint(&document, name);
        Ok(Self {
            issuer: issuer.to_owned(),
            endpoints: Endpoints {
                authorization: endpoint("authorization_endpoint")?,
                device_authorization: endpoint("device_authorization_endpoint")?,
                revocation: endpoint("revocation_endpoint")?,
                token: endpoint("token_endpoint")?,
                user: endpoint("userinfo_endpoint")?,
            },
            promises_iss: document.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            client_auth: read_client_auth(&document),
        })
    }
}

/// Where the metadata of `issuer` may be, in the order to try: RFC 8414 §3.1, OpenID Connect Discovery §4.1, and for
/// an issuer with a path the form of RFC 8414 §5 with the suffix of OpenID.
///
/// # Errors
///
/// `config_invalid` when it is not an issuer: https or loopback, without query or fragment (RFC 8414 §2).
pub fn discovery_urls(issuer: &str) -> Result<Vec<Url>> {
    let issuer = read_endpoint("issuer", issuer)?;
    if issuer.query().is_some() {
        return Err(Error::new(ErrorCode::ConfigInvalid, "issuer has a query")
            .with_advice("Write the issuer without '?' and what follows."));
    }
    let path = issuer.path().trim_end_matches('/').to_owned();
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    let mut urls = vec![
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("{path}/.well-known/openid-configuration")),
    ];
    if !path.is_empty() {
        urls.push(at(format!("/.well-known/openid-configuration{path}")));
    }
    Ok(urls)
}

fn read_optional_endpoint(document: &Map<String, Value>, name: &'static str) -> Result<Option<Url>> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_ENDPOINT => read_endpoint(name, text)
            .map(Some)
            .map_err(|_| misbehaved(format!("the server's metadata has an unusable {name}"))),
        Some(_) => Err(misbehaved(format!("the server's metadata has an unusable {name}"))),
    }
}

/// Absent means `client_secret_basic` (RFC 8414 §2), which is also preferred where both are offered.
fn read_client_auth(document: &Map<String, Value>) -> Option<ClientAuth> {
    let methods = document.get("token_endpoint_auth_methods_supported")?.as_array()?;
    let offers = |name: &str| methods.iter().any(|method| method.as_str() == Some(name));
    if offers("client_secret_basic") {
        Some(ClientAuth::Basic)
    } else if offers("client_secret_post") {
        Some(ClientAuth::Body)
    } else {
        None
    }
}

fn misbehaved(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, message)
}

const MAX_DOCUMENT: usize = 256 * 1024;
const MAX_ENDPOINT: usize = 2048;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: &Value) -> Result<Metadata> {
        Metadata::read(document.to_string().as_bytes(), "https://id.example.com/t1")
    }

    /// RFC 8414 §3.1, §5; OpenID Connect Discovery §4.1.
    #[test]
    fn an_issuer_with_a_path_has_three_places() {
        let texts = |issuer| -> Vec<String> {
            discovery_urls(issuer).unwrap().into_iter().map(String::from).collect()
        };
        assert_eq!(
            texts("https://id.example.com/t1"),
            [
                "https://id.example.com/.well-known/oauth-authorization-server/t1",
                "https://id.example.com/t1/.well-known/openid-configuration",
                "https://id.example.com/.well-known/openid-configuration/t1",
            ]
        );
        assert_eq!(
            texts("http://127.0.0.1:9/"),
            [
                "http://127.0.0.1:9/.well-known/oauth-authorization-server",
                "http://127.0.0.1:9/.well-known/openid-configuration",
            ]
        );
        for bad in ["id.example.com", "http://id.example.com", "https://id.example.com?x", "https://a@b/"] {
            assert_eq!(discovery_urls(bad).unwrap_err().code(), ErrorCode::ConfigInvalid, "{bad}");
        }
    }

    #[test]
    fn a_document_is_read() {
        let metadata = read(&json!({
            "issuer": "https://id.example.com/t1",
            "authorization_endpoint": "https://id.example.com/a",
            "token_endpoint": "https://tokens.example.com/t",
            "userinfo_endpoint": "https://id.example.com/me",
            "revocation_endpoint": null,
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
        }))
        .unwrap();
        assert_eq!(metadata.endpoints.token.unwrap().as_str(), "https://tokens.example.com/t");
        assert_eq!(metadata.endpoints.user.unwrap().as_str(), "https://id.example.com/me");
        assert!(metadata.endpoints.revocation.is_none());
        assert!(metadata.promises_iss);
        assert_eq!(metadata.client_auth, Some(ClientAuth::Body));
    }

    #[test]
    fn a_document_of_another_issuer_or_with_unsafe_endpoints_is_refused() {
        let issuer = "https://id.example.com/t1";
        for document in [
            json!({ "issuer": "https://id.example.com/t1/" }),
            json!({ "issuer": ["https://id.example.com/t1"] }),
            json!({}),
            json!([issuer]),
            json!({ "issuer": issuer, "token_endpoint": "http://id.example.com/t" }),
            json!({ "issuer": issuer, "token_endpoint": 7 }),
            json!({ "issuer": issuer, "token_endpoint": format!("https://x/{}", "x".repeat(3000)) }),
            json!({ "issuer": issuer, "x": "x".repeat(300_000) }),
        ] {
            assert_eq!(read(&document).unwrap_err().code(), ErrorCode::ServerMisbehaved);
        }
        assert!(Metadata::read(b"<html>", issuer).is_err());
    }
}
