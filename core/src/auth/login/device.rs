//! A login that the person decides on elsewhere, while we ask the server (RFC 8628).

use super::{PendingLogin, Way, over};
use crate::auth::Auth;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::device::DeviceLogin;
use crate::lifecycle::Connected;
use crate::protocol::device::poll::PollAnswer;
use crate::secret::Secret;
use crate::server::AuthorizationServer;

/// Asks `server` for a code for `scopes`, which ends at `until` at the latest.
pub(super) async fn begin(
    auth: &Auth,
    server: &AuthorizationServer,
    scopes: &[String],
    until: Option<Timestamp>,
) -> Result<Way> {
    let clock = auth.ports.clock.clone();
    let mut authorization = server.begin_device_login(scopes).await?;
    if let Some(until) = until {
        authorization = authorization.finish_by(until);
    }
    let url = authorization.verification_uri_complete().unwrap_or(authorization.verification_uri()).clone();
    let url = Secret::new(url.as_str());
    Ok(Way::Device { url, open: Some(Box::new(DeviceLogin::new(authorization, clock))) })
}

impl PendingLogin {
    /// Each poll runs to its end once it is sent, and what it yields is stored: the server may have made a grant, and
    /// nobody would know of it.
    pub(super) async fn poll_until_decided(&mut self) -> Result<Connected> {
        let Way::Device { open, .. } = &mut self.way else { return Err(over()) };
        let login = open.as_mut().ok_or_else(over)?;
        let result = login.until_decided(|device_code| {
            let (lifecycle, server, begun) =
                (self.auth.lifecycle.clone(), self.server.clone(), self.begun.clone());
            let poll = self.auth.lifecycle.run_to_its_end(async move {
                let answer = server.poll(&device_code).await;
                if let PollAnswer::Trouble { error, .. } = &answer {
                    tracing::warn!(account = %begun.account, reason = error.message(), "a poll had no answer");
                }
                let kept = answer.and_then(async |tokens| {
                    // A device login sends no nonce: there is no redirect that a token could be slipped into.
                    lifecycle.keep_checked(&begun, &server, *tokens, None).await
                });
                Ok(kept.await)
            });
            async { poll.await.unwrap_or_else(PollAnswer::Over) }
        });
        let result = result.await;
        *open = None;
        result
    }
}

/// Nothing is brought back by hand in this flow.
pub(super) fn nothing_to_paste() -> Error {
    Error::new(ErrorCode::Usage, "the device flow ends by itself")
        .with_advice("Wait for the login instead; nothing is pasted in this flow.")
}
