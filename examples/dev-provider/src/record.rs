//! What the server was asked, without any secret that was part of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// One request that arrived, in the order of arrival.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The client that the request names, whether or not it could prove it.
    pub client_id: Option<String>,
    /// The `grant_type` of a token request.
    pub grant_type: Option<String>,
    /// `GET`, `POST`, …
    pub method: String,
    /// 1 for the first request, 2 for the second, …; clearing the record does not start over.
    pub number: usize,
    /// The path without its query.
    pub path: String,
    /// Which refresh token was presented, to the token or the revocation endpoint.
    pub presented: Option<PresentedToken>,
    /// The status of the answer; `None` while there is none, and for ever when none was sent.
    pub status: Option<u16>,
}

/// A refresh token by its place in history instead of its text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PresentedToken {
    /// 1 for the token of the code exchange, 2 for its successor, …
    pub generation: u32,
    /// 1 for the first login the server saw, 2 for the second, …
    pub grant: usize,
}

/// The requests so far.
#[derive(Default)]
pub(crate) struct Record(Mutex<Log>);

#[derive(Default)]
struct Log {
    arrived: usize,
    requests: Vec<RecordedRequest>,
}

impl Record {
    /// Adds a request and returns its number.
    pub(crate) fn add(&self, request: RecordedRequest) -> usize {
        let mut log = self.lock();
        log.arrived += 1;
        let number = log.arrived;
        log.requests.push(RecordedRequest { number, ..request });
        number
    }

    pub(crate) fn set_status(&self, number: usize, status: u16) {
        // Absent when the record was cleared meanwhile.
        if let Some(request) = self.lock().requests.iter_mut().find(|request| request.number == number) {
            request.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.lock().requests.clone()
    }

    pub(crate) fn clear(&self) {
        self.lock().requests.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
