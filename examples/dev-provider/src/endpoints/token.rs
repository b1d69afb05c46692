//! The token endpoint (RFC 6749 §4.1.3, §5, §6; OpenID Connect Core §3.1.3).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{OAuthError, json_answer};
use super::userinfo::claims_of;
use crate::clock::unix_seconds;
use crate::form::Form;
use crate::shared::Shared;
use crate::state::grant::Issued;

pub(super) async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    match issue(&shared, &headers, &body) {
        Ok(issued) => json_answer(StatusCode::OK, &token_answer(&shared, issued)),
        Err(error) => error.into_response(),
    }
}

fn issue(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Issued, OAuthError> {
    let form = Form::parse(body);
    form.check_single()?;
    let client = form.authenticate(headers, &shared.settings.clients)?;
    match form.require("grant_type")? {
        "authorization_code" => {
            let code = form.require("code")?;
            let redirect_uri = form.require("redirect_uri")?;
            let verifier = form.require("code_verifier")?;
            shared.with_state(|state, terms| state.redeem(code, &client.id, redirect_uri, verifier, terms))
        }
        "refresh_token" => {
            let token = form.require("refresh_token")?;
            let scope = form.value("scope");
            shared.with_state(|state, terms| state.refresh(token, &client.id, scope, terms))
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            let code = form.require("device_code")?;
            shared.with_state(|state, terms| state.redeem_device(code, &client.id, terms))
        }
        _ => Err(OAuthError {
            code: "unsupported_grant_type",
            description: "authorization_code, refresh_token and device_code are served".into(),
        }),
    }
}

fn token_answer(shared: &Shared, issued: Issued) -> Value {
    let mut answer = json!({
        "access_token": issued.access_token,
        "expires_in": issued.lifetime.as_secs(),
        "refresh_token": issued.refresh_token,
        "scope": issued.scopes.join(" "),
        "token_type": "Bearer",
    });
    if issued.scopes.iter().any(|scope| scope == "openid") {
        let id_token = shared.signer.sign(&id_token_claims(shared, &issued));
        if let Some(id_token) = id_token {
            shared.with_state(|state, _| state.remember(id_token.clone()));
            answer["id_token"] = id_token.into();
        }
    }
    answer
}

/// OpenID Connect Core §2.
fn id_token_claims(shared: &Shared, issued: &Issued) -> Value {
    let now = unix_seconds(shared.clock.now());
    let mut claims = claims_of(&issued.approval.user);
    if shared.settings.lean_id_tokens {
        claims.retain(|name, _| name == "sub");
    }
    claims.insert("at_hash".into(), access_token_hash(&issued.access_token).into());
    claims.insert("aud".into(), issued.approval.client_id.clone().into());
    claims.insert("exp".into(), (now + ID_TOKEN_SECONDS).into());
    claims.insert("iat".into(), now.into());
    claims.insert("iss".into(), shared.issuer.clone().into());
    if let Some(nonce) = &issued.approval.nonce {
        claims.insert("nonce".into(), nonce.clone().into());
    }
    Value::Object(claims)
}

/// OpenID Connect Core §3.1.3.6, for signatures with SHA-256.
fn access_token_hash(access_token: &str) -> String {
    let hash = Sha256::digest(access_token);
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

const ID_TOKEN_SECONDS: u64 = 300;
