//! The port to the network.

mod client;
pub(crate) mod tls;

use std::fmt;

use async_trait::async_trait;

pub use client::{HttpSettings, MAX_ANSWER, ReqwestClient, TIMEOUT};

use crate::error::{Error, ErrorCode};
use crate::protocol::message::{Request, Response};
use crate::protocol::refresh::RefreshAnswer;

/// Sends requests. It follows no redirect, keeps no cookie, and bounds the time and the size of an answer.
#[async_trait]
pub trait HttpClient: fmt::Debug + Send + Sync {
    /// Sends `request` and reads the answer to its end. Any status is an answer.
    ///
    /// # Errors
    ///
    /// [`SendError`] says whether the server may have acted on the request.
    async fn send(&self, request: Request) -> Result<Response, SendError>;
}

/// Why there is no answer. `reason` is made of our own words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendError {
    /// The request did not leave, or no connection came about. The server has not seen it.
    NotSent {
        /// What stood in the way, for the person: "the connection was refused".
        reason: &'static str,
    },
    /// The request left, and no whole answer came back. The server may have acted on it.
    Unknown {
        /// What broke, for the person: "the answer was cut off".
        reason: &'static str,
    },
}

impl SendError {
    /// What stood in the way.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotSent { reason } | Self::Unknown { reason } => reason,
        }
    }
}

/// Whatever stood in the way, it may be gone later.
impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        Self::new(ErrorCode::Unavailable, error.reason())
    }
}

/// A request that was not sent may be repeated; one without an answer may have been acted on.
impl From<SendError> for RefreshAnswer {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent { .. } => Self::Refused { retry_after: None, error: error.into() },
            SendError::Unknown { .. } => Self::Unknown { retry_after: None, error: error.into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_sent_may_be_repeated() {
        let not_sent = RefreshAnswer::from(SendError::NotSent { reason: "x" });
        assert!(matches!(not_sent, RefreshAnswer::Refused { error, .. } if error.is_transient()));
        let unknown = RefreshAnswer::from(SendError::Unknown { reason: "x" });
        assert!(matches!(unknown, RefreshAnswer::Unknown { error, .. } if error.is_transient()));
    }
}
