//! Faults in place of any processing.

use std::time::{Duration, SystemTime};

use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::json;

use super::Fault;
use crate::endpoints::answer::json_answer;
use crate::interpose::Verdict;
use crate::page;

/// What `fault` does to a request; `None` when it belongs to a later stage.
pub(crate) fn verdict(fault: &Fault, now: SystemTime) -> Option<Verdict> {
    Some(match fault {
        Fault::ErrorWithOk { error } => Verdict::Answer(json_answer(
            StatusCode::OK,
            &json!({"error": error, "error_description": "ordered"}),
        )),
        Fault::Hang => Verdict::Silence,
        Fault::HtmlError { status } => Verdict::Answer(html_error(*status)),
        Fault::OAuthError { error, status } => {
            let body = json!({"error": error, "error_description": "ordered"});
            Verdict::Answer(json_answer(status_of(*status), &body))
        }
        Fault::Redirect { to } => {
            Verdict::Answer((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to.as_str())]).into_response())
        }
        Fault::RefusalWithoutError { status } => {
            Verdict::Answer(json_answer(status_of(*status), &json!({"message": "no"})))
        }
        Fault::ResetBeforeProcessing => Verdict::Reset,
        Fault::RetryAfterDate { seconds, status } => {
            let date = httpdate::fmt_http_date(now + Duration::from_secs(*seconds));
            Verdict::Answer(retry_after(*status, &date))
        }
        Fault::RetryAfterSeconds { seconds, status } => {
            Verdict::Answer(retry_after(*status, &seconds.to_string()))
        }
        _ => return None,
    })
}

/// A status with a page, as gateways in front of a server answer.
pub(super) fn html_error(status: u16) -> Response {
    (status_of(status), Html(page::gateway_error(status))).into_response()
}

/// 500 stands in for what is no status at all.
pub(super) fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn retry_after(status: u16, value: &str) -> Response {
    let headers: [(HeaderName, &str); 2] = [(RETRY_AFTER, value), (CONTENT_TYPE, "text/plain")];
    (status_of(status), headers, "slow down").into_response()
}
