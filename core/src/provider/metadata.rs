//! What a server says about itself (RFC 8414; OpenID Connect Discovery 1.0).

use serde_json::{Map, Value};
use url::Url;

use super::{Endpoints, OfferedMethods, SignatureAlgorithm, read_endpoint};
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
    /// How a client may present itself at the token endpoint, where the document says so.
    pub token_auth: Option<OfferedMethods>,
    /// How a client may present itself at the revocation endpoint, where the document says so.
    pub revocation_auth: Option<OfferedMethods>,
    /// Whether the device flow is among the grants, or there is no list of them.
    pub grants_to_devices: bool,
    /// Whether the document lists methods of PKCE, and S256 is not among them. It is sent all the same: RFC 7636 §4.2
    /// obliges every server that knows PKCE to know S256, and one that does not know PKCE passes it over.
    pub lacks_s256: bool,
    /// The algorithms that ID tokens may be signed by, as far as they are known here, where the document says so.
    pub id_token_algorithms: Option<Vec<SignatureAlgorithm>>,
}

impl Metadata {
    /// Reads the document `body` that was asked for as the metadata of `issuer`.
    ///
    /// # Errors
    ///
    /// `server_misbehaved` when it is longer than 256 KiB or no metadata document, states another issuer (RFC 8414 §3.3), or
    /// names an endpoint that is not https; loopback is allowed where the issuer itself is there.
    ///
    /// How the server labels the document is not looked at: many are files that a web server calls plain text, and what
    /// counts is that it is JSON and names the issuer.
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
        let is_local = issuer.starts_with("http:");
        let endpoint = |name| read_optional_endpoint(&document, name, is_local);
        let list = |name: &str| document.get(name).and_then(Value::as_array);
        let lists = |list: &Vec<Value>, word: &str| list.iter().any(|one| one == word);
        Ok(Self {
            issuer: issuer.to_owned(),
            endpoints: Endpoints {
                authorization: endpoint("authorization_endpoint")?,
                device_authorization: endpoint("device_authorization_endpoint")?,
                keys: endpoint("jwks_uri")?,
                revocation: endpoint("revocation_endpoint")?,
                token: endpoint("token_endpoint")?,
                user: endpoint("userinfo_endpoint")?,
            },
            promises_iss: document.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            token_auth: OfferedMethods::read(&document, "token_endpoint_auth_methods_supported"),
            revocation_auth: OfferedMethods::read(&document, "revocation_endpoint_auth_methods_supported"),
            grants_to_devices: list("grant_types_supported").is_none_or(|grants| lists(grants, DEVICE_GRANT)),
            lacks_s256: list("code_challenge_methods_supported")
                .is_some_and(|methods| !lists(methods, "S256")),
            id_token_algorithms: list("id_token_signing_alg_values_supported").map(|names| {
                names.iter().filter_map(|name| SignatureAlgorithm::find(name.as_str()?)).collect()
            }),
        })
    }
}

/// Where the metadata of `issuer` may be, in the order to try: RFC 8414 §3.1, OpenID Connect Discovery §4.1, and for
/// an issuer with a path the form of RFC 8414 §5 with the suffix of OpenID. Whoever wants an ID token looks at OpenID's
/// places first: the other document may leave out what only OpenID Connect needs.
///
/// # Errors
///
/// `config_invalid` when it is not an issuer: https or loopback, without query or fragment (RFC 8414 §2).
pub(super) fn discovery_urls(issuer: &str, wants_id_token: bool) -> Result<Vec<Url>> {
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
    if wants_id_token {
        urls.rotate_left(1);
    }
    Ok(urls)
}

fn read_optional_endpoint(
    document: &Map<String, Value>,
    name: &'static str,
    is_local: bool,
) -> Result<Option<Url>> {
    let unusable = || misbehaved(format!("the server's metadata has an unusable {name}"));
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_ENDPOINT => match read_endpoint(name, text) {
            // A server elsewhere has no business with what listens on this machine.
            Ok(url) if url.scheme() == "https" || is_local => Ok(Some(url)),
            _ => Err(unusable()),
        },
        Some(_) => Err(unusable()),
    }
}

fn misbehaved(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ServerMisbehaved, message)
}

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const MAX_DOCUMENT: usize = 256 * 1024;
const MAX_ENDPOINT: usize = 2048;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::ClientAuth;

    fn read(document: &Value) -> Result<Metadata> {
        Metadata::read(document.to_string().as_bytes(), "https://id.example.com/t1")
    }

    /// RFC 8414 §3.1, §5; OpenID Connect Discovery §4.1.
    #[test]
    fn an_issuer_with_a_path_has_three_places() {
        let texts = |issuer| -> Vec<String> {
            discovery_urls(issuer, false).unwrap().into_iter().map(String::from).collect()
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
            assert_eq!(discovery_urls(bad, true).unwrap_err().code(), ErrorCode::ConfigInvalid, "{bad}");
        }
    }

    #[test]
    fn whoever_wants_an_id_token_looks_at_openids_places_first() {
        for (issuer, last) in [
            ("https://id.example.com/t1", "https://id.example.com/.well-known/oauth-authorization-server/t1"),
            ("https://id.example.com", "https://id.example.com/.well-known/oauth-authorization-server"),
        ] {
            let (urls, others) =
                (discovery_urls(issuer, true).unwrap(), discovery_urls(issuer, false).unwrap());
            assert!(urls[0].path().ends_with("/.well-known/openid-configuration"));
            assert_eq!(urls.last().unwrap().as_str(), last);
            assert_eq!(urls.len(), others.len());
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
            "id_token_signing_alg_values_supported": ["none", "HS512", "ES256"],
            "jwks_uri": "https://keys.example.com/jwks",
        }))
        .unwrap();
        assert_eq!(metadata.endpoints.token.unwrap().as_str(), "https://tokens.example.com/t");
        assert_eq!(metadata.endpoints.user.unwrap().as_str(), "https://id.example.com/me");
        assert!(metadata.endpoints.revocation.is_none());
        assert!(metadata.promises_iss);
        assert_eq!(metadata.token_auth.unwrap().preferred(), Some(ClientAuth::Body));
        assert_eq!(metadata.revocation_auth, None);
        assert_eq!(metadata.id_token_algorithms.unwrap(), [SignatureAlgorithm::Es256]);
        assert_eq!(metadata.endpoints.keys.unwrap().as_str(), "https://keys.example.com/jwks");
        assert!(metadata.grants_to_devices && !metadata.lacks_s256);
    }

    #[test]
    fn a_list_counts_and_its_absence_does_not() {
        let with = |name: &str, value: Value| {
            read(&json!({ "issuer": "https://id.example.com/t1", name: value })).unwrap()
        };
        assert!(with("grant_types_supported", json!(["authorization_code", DEVICE_GRANT])).grants_to_devices);
        assert!(with("grant_types_supported", Value::Null).grants_to_devices);
        assert!(!with("grant_types_supported", json!(["authorization_code"])).grants_to_devices);
        assert!(!with("code_challenge_methods_supported", json!(["plain", "S256"])).lacks_s256);
        assert!(with("code_challenge_methods_supported", json!(["plain"])).lacks_s256);
        assert_eq!(with("id_token_signing_alg_values_supported", json!("RS256")).id_token_algorithms, None);
        assert_eq!(
            with("id_token_signing_alg_values_supported", json!([7])).id_token_algorithms,
            Some(vec![])
        );
    }

    #[test]
    fn only_a_server_on_this_machine_has_endpoints_on_it() {
        let document = |issuer: &str| json!({ "issuer": issuer, "token_endpoint": "http://127.0.0.1:9/t", "jwks_uri": "http://[::1]/k" });
        let read = |issuer: &str| Metadata::read(document(issuer).to_string().as_bytes(), issuer);
        assert!(read("http://localhost:8/").is_ok());
        assert_eq!(read("https://id.example.com").unwrap_err().code(), ErrorCode::ServerMisbehaved);
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
            json!({ "issuer": issuer, "jwks_uri": "http://id.example.com/k" }),
            json!({ "issuer": issuer, "token_endpoint": 7 }),
            json!({ "issuer": issuer, "token_endpoint": format!("https://x/{}", "x".repeat(3000)) }),
            json!({ "issuer": issuer, "x": "x".repeat(300_000) }),
        ] {
            assert_eq!(read(&document).unwrap_err().code(), ErrorCode::ServerMisbehaved);
        }
        assert!(Metadata::read(b"<html>", issuer).is_err());
    }
}
