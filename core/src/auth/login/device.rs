//! A login that the person decides on elsewhere, while we ask the server (RFC 8628).

use std::sync::Arc;

use tokio::sync::{Mutex, oneshot};

use super::{PendingLogin, Way, over};
use crate::auth::Auth;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::device::DeviceLogin;
use crate::lifecycle::{BegunLogin, Connected, Lifecycle};
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
    let open = Some(Box::new(DeviceLogin::new(authorization, clock)));
    Ok(Way::Device { url, open, running: RunningPoll::default() })
}

/// The poll that was sent last, as long as nobody has been told what became of it.
#[derive(Debug, Default)]
pub(super) struct RunningPoll(Mutex<Option<oneshot::Receiver<PollAnswer<Connected>>>>);

impl RunningPoll {
    /// Sends a poll with `device_code`. It runs to its end, and what it yields is stored: the server may have made a grant,
    /// and nobody would know of it.
    async fn send(
        &self,
        lifecycle: &Arc<Lifecycle>,
        server: Arc<AuthorizationServer>,
        begun: BegunLogin,
        device_code: Secret,
    ) {
        let (tell, told) = oneshot::channel();
        *self.0.lock().await = Some(told);
        let keeper = lifecycle.clone();
        drop(lifecycle.run_to_its_end(async move {
            let answer = server.poll(&device_code).await;
            if let PollAnswer::Trouble { error, .. } = &answer {
                tracing::warn!(account = %begun.account, reason = error.message(), "a poll had no answer");
            }
            // A device login sends no nonce: there is no redirect that a token could be slipped into.
            let kept =
                answer.and_then(async |tokens| keeper.keep_checked(&begun, &server, *tokens, None).await);
            let _nobody_waits = tell.send(kept.await);
            Ok(())
        }));
    }

    /// What becomes of it; `None` where there is none. Whoever drops the returned future leaves it to the next.
    async fn answer(&self) -> Option<PollAnswer<Connected>> {
        let mut running = self.0.lock().await;
        let answer = running.as_mut()?.await;
        *running = None;
        Some(answer.unwrap_or_else(|_| PollAnswer::Over(broken_off())))
    }
}

impl PendingLogin {
    /// Whoever waits again after having gone away is told first what became of the poll that was on its way.
    pub(super) async fn poll_until_decided(&mut self) -> Result<Connected> {
        let Way::Device { open, running, .. } = &mut self.way else { return Err(over()) };
        let login = open.as_mut().ok_or_else(over)?;
        let ended = running.answer().await.and_then(|answer| login.take(answer));
        let result = match ended {
            Some(result) => result,
            None => {
                let (lifecycle, running) = (&self.auth.lifecycle, &*running);
                let poll = async |device_code| {
                    running.send(lifecycle, self.server.clone(), self.begun.clone(), device_code).await;
                    running.answer().await.unwrap_or_else(|| PollAnswer::Over(broken_off()))
                };
                login.until_decided(poll).await
            }
        };
        *open = None;
        result
    }
}

fn broken_off() -> Error {
    Error::new(ErrorCode::Unavailable, "the login was broken off, as this process is ending")
}

/// Nothing is brought back by hand in this flow.
pub(super) fn nothing_to_paste() -> Error {
    Error::new(ErrorCode::Usage, "the device flow ends by itself")
        .with_advice("Wait for the login instead; nothing is pasted in this flow.")
}
