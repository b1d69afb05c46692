//! A login whose answer the person brings back: by a redirect to this machine, or by hand.

use std::time::Duration;

use url::Url;

use super::{PendingLogin, Way, device, over};
use crate::account::AccountKey;
use crate::auth::Auth;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::loopback::{LoopbackListener, Page};
use crate::lifecycle::Connected;
use crate::protocol::authorization::{self, AuthorizationUrl, PendingAuthorization};
use crate::protocol::redirect::{AuthorizationGrant, AuthorizationResponse, NotGranted};
use crate::provider::{Flow, Provider};
use crate::secret::Secret;

/// An authorization request that was made, and who listens for its answer.
#[derive(Debug)]
pub(super) struct RedirectLogin {
    url: AuthorizationUrl,
    pending: Option<PendingAuthorization>,
    listener: Option<LoopbackListener>,
}

impl RedirectLogin {
    /// Makes the authorization request, and listens for the redirect where `flow` has one that comes here.
    pub(super) async fn begin(
        auth: &Auth,
        provider: &Provider,
        account: &AccountKey,
        flow: Flow,
        timeout: Option<Duration>,
    ) -> Result<Way> {
        let fixed = provider.redirect_uri.as_deref();
        let listener = match flow {
            Flow::Loopback => {
                Some(LoopbackListener::bind(fixed.and_then(|uri| Url::parse(uri).ok()).as_ref()).await?)
            }
            _ => None,
        };
        let redirect_uri = match (&listener, fixed) {
            (Some(listener), _) => listener.redirect_uri().as_str(),
            (None, Some(fixed)) => fixed,
            (None, None) => return Err(no_redirect_uri(account)),
        };
        let now = auth.ports.clock.now();
        let (url, pending) = authorization::request_authorization(
            provider,
            account.clone(),
            redirect_uri,
            now,
            &*auth.ports.random,
        )?;
        let pending = match timeout {
            Some(timeout) => pending.finish_by(now.plus(timeout)),
            None => pending,
        };
        Ok(Way::Redirect(Box::new(Self { url, pending: Some(pending), listener })))
    }

    /// Where the person logs in.
    pub(super) fn url(&self) -> &str {
        // The person has to be sent there.
        self.url.expose()
    }

    /// Until when an answer is accepted; `None` once the login is over.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.pending.as_ref().map(PendingAuthorization::deadline)
    }

    fn accept(
        &mut self,
        response: Result<AuthorizationResponse>,
        now: Timestamp,
    ) -> Result<AuthorizationGrant> {
        let pending = self.pending.take().ok_or_else(over)?;
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                self.pending = Some(pending);
                return Err(error);
            }
        };
        pending.accept(response, now).map_err(|refusal| match refusal {
            NotGranted::Closed(error) => error,
            NotGranted::Rejected { pending, error } => {
                self.pending = Some(*pending);
                error
            }
        })
    }
}

impl PendingLogin {
    /// Waits for the browser to come back.
    pub(super) async fn wait_for_redirect(&mut self) -> Result<Connected> {
        let result = self.take_redirects().await;
        if let Way::Redirect(login) = &mut self.way
            && let Some(listener) = login.listener.take()
        {
            listener.close().await;
        }
        result
    }

    async fn take_redirects(&mut self) -> Result<Connected> {
        loop {
            let Way::Redirect(login) = &mut self.way else { return Err(over()) };
            let Some(deadline) = login.deadline() else { return Err(over()) };
            let Some(listener) = &mut login.listener else {
                let message = format!("the {} flow waits for a pasted answer", self.flow);
                return Err(Error::new(ErrorCode::Usage, message));
            };
            let time_left = deadline.time_left(self.auth.ports.clock.now());
            let redirect = tokio::select! {
                redirect = listener.next() => redirect,
                () = self.auth.ports.clock.sleep(time_left) => None,
            };
            let Some(redirect) = redirect else {
                login.pending = None;
                return Err(Error::new(ErrorCode::LoginClosed, "nobody came back from the browser in time"));
            };
            // The query is read to find the answer in it.
            let response = AuthorizationResponse::read(redirect.query.expose());
            match login.accept(response, self.auth.ports.clock.now()) {
                Ok(grant) => {
                    let connected = self.complete(grant).await;
                    redirect.answer(match &connected {
                        Ok(connected) => Page::connected(&connected.account.to_string()),
                        Err(error) => Page::failed(error.message()),
                    });
                    return connected;
                }
                Err(error) if login.pending.is_some() => {
                    tracing::warn!(account = %self.account, reason = error.message(), "a redirect was rejected");
                    redirect.answer(Page::rejected());
                }
                Err(error) => {
                    redirect.answer(Page::failed(error.message()));
                    return Err(error);
                }
            }
        }
    }

    /// Finishes the login with what the person pasted.
    pub(super) async fn take_pasted(&mut self, pasted: &Secret) -> Result<Connected> {
        let Way::Redirect(login) = &mut self.way else { return Err(device::nothing_to_paste()) };
        // The pasted text is read to find the answer in it.
        let response = AuthorizationResponse::read_pasted(pasted.expose());
        let grant = login.accept(response, self.auth.ports.clock.now())?;
        self.complete(grant).await
    }

    /// Exchanges the code and stores what it yields. Once the code is on its way, a caller that goes away does not stop
    /// that: the server may have made a grant, and nobody would know of it.
    async fn complete(&self, grant: AuthorizationGrant) -> Result<Connected> {
        let (lifecycle, server, begun) =
            (self.auth.lifecycle.clone(), self.server.clone(), self.begun.clone());
        let login = self.auth.lifecycle.run_to_its_end(async move {
            let (tokens, identity) = server.log_in(grant).await?;
            lifecycle.keep_login(&begun, &server, tokens, identity).await
        });
        login.await
    }
}

fn no_redirect_uri(account: &AccountKey) -> Error {
    Error::new(ErrorCode::ConfigInvalid, format!("{account} has no redirect_uri to paste an answer from"))
        .with_advice(
            "Set redirect_uri to the page that the provider shows the code on, or choose the loopback flow.",
        )
        .with_account(account)
}
