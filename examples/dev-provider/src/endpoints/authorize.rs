//! The authorization endpoint (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9207).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use url::Url;

use crate::form::Form;
use crate::page;
use crate::redirect::with_parameters;
use crate::shared::Shared;
use crate::state::grant::Approval;

/// Shows the page, or sends the person straight back where nobody needs to be asked.
pub(super) async fn show(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let asked = match Asked::parse(&shared, &query) {
        Ok(asked) => asked,
        Err(answer) => return *answer,
    };
    if let Some(user) = asked.hint.clone().or_else(|| shared.settings.auto_approve.clone()) {
        return asked.allow(&shared, user);
    }
    if asked.is_silent {
        return asked.refuse(&shared, "login_required", "somebody would have to be asked");
    }
    let client = &asked.approval.client_id;
    html(
        StatusCode::OK,
        page::login(client, &asked.approval.scopes, &shared.settings.users, &format!("/authorize?{query}")),
    )
}

/// Does what the person chose on the page.
pub(super) async fn decide(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let asked = match Asked::parse(&shared, &query.unwrap_or_default()) {
        Ok(asked) => asked,
        Err(answer) => return *answer,
    };
    let form = Form::parse(&body);
    match (form.value("decision"), form.value("user")) {
        (Some("allow"), Some(user)) => asked.allow(&shared, user.to_owned()),
        (Some("deny"), _) => asked.refuse(&shared, "access_denied", "the person said no"),
        _ => html(StatusCode::BAD_REQUEST, page::refusal("Choose who you are, then Allow or Deny.")),
    }
}

/// A page that nothing can frame, script or keep, and whose address goes nowhere else.
pub(super) fn html(status: StatusCode, text: String) -> Response {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(text)).into_response()
}

/// An authorization request that can be answered by a redirect.
struct Asked {
    /// All but the user, who is not known yet.
    approval: Approval,
    hint: Option<String>,
    is_silent: bool,
    redirect: Url,
    state: Option<String>,
}

impl Asked {
    /// Reads the request. As long as client and redirect URI are in doubt, the person is told and sent nowhere
    /// (RFC 6749 §4.1.2.1); from then on the client is.
    fn parse(shared: &Shared, query: &str) -> Result<Self, Box<Response>> {
        let form = Form::parse(query.as_bytes());
        let stop = |reason: &str| Box::new(html(StatusCode::BAD_REQUEST, page::refusal(reason)));
        let id = form.value("client_id").ok_or_else(|| stop("The client_id is missing."))?;
        let client = shared
            .settings
            .clients
            .iter()
            .find(|client| client.id == id)
            .ok_or_else(|| stop("No client with this client_id is registered."))?;
        let redirect_uri = form.value("redirect_uri").ok_or_else(|| stop("The redirect_uri is missing."))?;
        let redirect = Url::parse(redirect_uri)
            .ok()
            .filter(|redirect| client.redirects.allow(redirect))
            .ok_or_else(|| stop("The redirect_uri is not one of this client's."))?;
        let scope = form.value("scope").unwrap_or_default();
        let asked = Self {
            approval: Approval {
                client_id: id.to_owned(),
                code_challenge: form.value("code_challenge").unwrap_or_default().to_owned(),
                nonce: form.value("nonce").map(str::to_owned),
                redirect_uri: redirect_uri.to_owned(),
                scopes: scope.split_whitespace().map(str::to_owned).collect(),
                user: String::new(),
            },
            hint: form.value("login_hint").map(str::to_owned),
            is_silent: form.value("prompt") == Some("none"),
            redirect,
            state: form.value("state").map(str::to_owned),
        };
        if let Err(error) = form.check_single() {
            return Err(Box::new(asked.refuse(shared, error.code, &error.description)));
        }
        if form.value("response_type") != Some("code") {
            let description = "only response_type=code is served";
            return Err(Box::new(asked.refuse(shared, "unsupported_response_type", description)));
        }
        // The digest of a verifier is always 43 characters (RFC 7636 §4.2).
        if form.value("code_challenge_method") != Some("S256") || asked.approval.code_challenge.len() != 43 {
            let description = "PKCE with S256 is required";
            return Err(Box::new(asked.refuse(shared, "invalid_request", description)));
        }
        Ok(asked)
    }

    fn allow(self, shared: &Shared, user: String) -> Response {
        let approval = Approval { user, ..self.approval.clone() };
        let lifetime = shared.settings.code_lifetime;
        let code = shared.with_state(|state, terms| state.approve(approval, lifetime, terms));
        self.answer(shared, &[("code", &code)])
    }

    fn refuse(&self, shared: &Shared, error: &str, description: &str) -> Response {
        self.answer(shared, &[("error", error), ("error_description", description)])
    }

    fn answer(&self, shared: &Shared, parameters: &[(&str, &str)]) -> Response {
        let mut url = with_parameters(&self.redirect, parameters);
        if let Some(state) = &self.state {
            url = with_parameters(&url, &[("state", state)]);
        }
        // 303, so that the browser does not send the form on (RFC 9700 §4.12).
        Redirect::to(with_parameters(&url, &[("iss", &shared.issuer)]).as_str()).into_response()
    }
}
