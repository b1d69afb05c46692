//! The port to the network.

mod client;
mod tls;

use std::fmt;

use async_trait::async_trait;

pub use client::{HttpSettings, MAX_ANSWER, ReqwestClient, TIMEOUT};

use crate::protocol::message::{Request, Response};

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
