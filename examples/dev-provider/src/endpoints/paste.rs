//! A redirect URI of the provider's own, for apps that cannot be redirected to: it shows what to paste.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use super::authorize::html;
use crate::form::Form;
use crate::page;

pub(super) async fn show(RawQuery(query): RawQuery) -> Response {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    match (form.value("code"), form.value("state")) {
        (Some(code), Some(state)) => html(StatusCode::OK, page::paste(&format!("{code}#{state}"))),
        (Some(code), None) => html(StatusCode::OK, page::paste(code)),
        _ => {
            let reason = form.value("error").unwrap_or("There is no code in this address.");
            html(StatusCode::BAD_REQUEST, page::refusal(reason))
        }
    }
}
