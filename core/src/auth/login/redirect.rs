//! A login whose answer the person brings back: by a redirect to this machine, or by hand.

use std::future::{Future, pending};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};

use super::{PendingLogin, Way, device, over};
use crate::account::AccountKey;
use crate::auth::Auth;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::flow::loopback::{LoopbackListener, Page, Redirect};
use crate::lifecycle::{BegunLogin, Connected};
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
        begun: &BegunLogin,
        flow: Flow,
        until: Option<Timestamp>,
    ) -> Result<Way> {
        let fixed = provider.redirect_uri.as_deref();
        let listener = match flow {
            Flow::Loopback => Some(LoopbackListener::bind(fixed).await?),
            _ => None,
        };
        let redirect_uri = match (&listener, fixed) {
            (Some(listener), _) => listener.redirect_uri(),
            (None, Some(fixed)) => fixed,
            (None, None) => return Err(no_redirect_uri(&begun.account)),
        };
        let (url, pending) = authorization::request_authorization(
            provider,
            begun.account.clone(),
            &begun.scopes,
            redirect_uri,
            auth.ports.clock.now(),
            &*auth.ports.random,
        )?;
        let pending = match until {
            Some(until) => pending.finish_by(until),
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
    /// Waits for the browser to come back, or for what `next` brings by hand.
    pub(super) async fn wait_for_redirect<F>(
        &mut self,
        next: impl FnMut(Option<Error>) -> F,
    ) -> Result<Connected>
    where
        F: Future<Output = Option<Secret>>,
    {
        let result = self.take_answers(next).await;
        if let Way::Redirect(login) = &mut self.way
            && let Some(listener) = login.listener.take()
        {
            listener.close().await;
        }
        result
    }

    async fn take_answers<F>(&mut self, mut next: impl FnMut(Option<Error>) -> F) -> Result<Connected>
    where
        F: Future<Output = Option<Secret>>,
    {
        let mut rejected: Option<Error> = None;
        loop {
            let asked = pin!(next(rejected.clone()));
            let pasted = match self.take_redirects(asked).await {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(pasted) => pasted,
            };
            let Some(pasted) = pasted else { return self.take_redirects_alone(rejected).await };
            match self.take_pasted(&pasted).await {
                // It is still open: what was pasted is at fault, not the login.
                Err(error) if self.deadline().is_some() => rejected = Some(error),
                result => return result,
            }
        }
    }

    /// Nothing more will be pasted; a redirect may still come where somebody listens.
    async fn take_redirects_alone(&mut self, rejected: Option<Error>) -> Result<Connected> {
        if !self.listens() {
            return Err(rejected.unwrap_or_else(nothing_pasted));
        }
        match self.take_redirects(pin!(pending())).await {
            ControlFlow::Break(result) => result,
            ControlFlow::Continue(_) => Err(over()),
        }
    }

    /// Takes redirects until one of them or the deadline ends the login, or until something is `pasted`. What has begun by
    /// then is not broken off by a paste.
    async fn take_redirects(
        &mut self,
        mut pasted: Pin<&mut impl Future<Output = Option<Secret>>>,
    ) -> ControlFlow<Result<Connected>, Option<Secret>> {
        loop {
            let Way::Redirect(login) = &mut self.way else { return ControlFlow::Break(Err(over())) };
            let Some(deadline) = login.deadline() else { return ControlFlow::Break(Err(over())) };
            let time_left = deadline.time_left(self.auth.ports.clock.now());
            let redirect = tokio::select! {
                redirect = next_of(login.listener.as_mut()) => redirect,
                pasted = &mut pasted => return ControlFlow::Continue(pasted),
                () = self.auth.ports.clock.sleep(time_left) => None,
            };
            let Some(redirect) = redirect else {
                login.pending = None;
                return ControlFlow::Break(Err(nobody_came()));
            };
            if let Some(result) = self.take_redirect(redirect).await {
                return ControlFlow::Break(result);
            }
        }
    }

    /// Finishes the login with a redirect, and shows its visitor what came of it. `None` for one that does not answer it.
    async fn take_redirect(&mut self, redirect: Redirect) -> Option<Result<Connected>> {
        let Way::Redirect(login) = &mut self.way else { return None };
        // The query is read to find the answer in it.
        let response = AuthorizationResponse::read(redirect.query.expose());
        match login.accept(response, self.auth.ports.clock.now()) {
            Ok(grant) => {
                let connected = self.complete(grant).await;
                redirect.answer(match &connected {
                    Ok(connected) => Page::connected(&connected.account.to_string()),
                    Err(error) => Page::failed(error.message()),
                });
                Some(connected)
            }
            Err(error) if login.pending.is_some() => {
                tracing::warn!(account = %self.account, reason = error.message(), "a redirect was rejected");
                redirect.answer(Page::rejected());
                None
            }
            Err(error) => {
                redirect.answer(Page::failed(error.message()));
                Some(Err(error))
            }
        }
    }

    /// Whether redirects come to this machine.
    fn listens(&self) -> bool {
        matches!(&self.way, Way::Redirect(login) if login.listener.is_some())
    }

    /// Refuses to wait for a redirect that cannot come.
    pub(super) fn check_listens(&self) -> Result<()> {
        if self.listens() || self.deadline().is_none() {
            return Ok(());
        }
        let message = format!("the {} flow waits for a pasted answer", self.flow());
        Err(Error::new(ErrorCode::Usage, message))
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
            let (tokens, nonce) = server.exchange(grant).await?;
            lifecycle.keep_checked(&begun, &server, tokens, nonce.as_ref()).await
        });
        login.await
    }
}

/// The next visit, if anybody listens for one.
async fn next_of(listener: Option<&mut LoopbackListener>) -> Option<Redirect> {
    match listener {
        Some(listener) => listener.next().await,
        None => pending().await,
    }
}

fn nobody_came() -> Error {
    Error::new(ErrorCode::LoginClosed, "nobody finished the login in time")
}

fn nothing_pasted() -> Error {
    Error::new(ErrorCode::LoginClosed, "nothing was pasted")
        .with_advice("Begin the login again, and paste what the page shows.")
}

fn no_redirect_uri(account: &AccountKey) -> Error {
    Error::new(ErrorCode::ConfigInvalid, format!("{account} has no redirect_uri to paste an answer from"))
        .with_advice(
            "Set redirect_uri to the page that the provider shows the code on, or choose the loopback flow.",
        )
        .with_account(account)
}
