//! What the server says about itself (RFC 8414, OpenID Connect Discovery).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::answer::public_answer;
use crate::shared::Shared;

pub(super) async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let at = |path: &str| format!("{}{path}", shared.issuer);
    let client_authentication = json!(["none", "client_secret_basic", "client_secret_post"]);
    let document = json!({
        "authorization_endpoint": at("/authorize"),
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": ["at_hash", "aud", "email", "exp", "iat", "iss", "nonce", "preferred_username", "sub"],
        "code_challenge_methods_supported": ["S256"],
        "device_authorization_endpoint": at("/device_authorization"),
        "grant_types_supported":
            ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "introspection_endpoint": at("/introspect"),
        "introspection_endpoint_auth_methods_supported": client_authentication,
        "issuer": shared.issuer,
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "revocation_endpoint": at("/revoke"),
        "revocation_endpoint_auth_methods_supported": client_authentication,
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["public"],
        "token_endpoint": at("/token"),
        "token_endpoint_auth_methods_supported": client_authentication,
        "userinfo_endpoint": at("/userinfo"),
    });
    public_answer(&headers, &document)
}

pub(super) async fn keys(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    public_answer(&headers, &shared.signer.key_set())
}
