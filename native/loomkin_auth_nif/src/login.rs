//! A login that waits for the person, as Elixir holds it.
//!
//! One process waits for its end; any other may bring by hand what the person was shown, or cancel it. Letting go of it
//! cancels it as well.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use loomkin_auth::auth::{ConnectOptions, PendingLogin};
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::lifecycle::Connected;
use loomkin_auth::provider::Flow;
use loomkin_auth::secret::Secret;
use rustler::{Env, Resource, ResourceArc, Term};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::call::{Begun, answer};
use crate::convert::login::{Made, Waiting};
use crate::handle::{Handle, account_key};
use crate::released::Released;

/// A pending login.
#[derive(Debug)]
pub(crate) struct Login {
    open: Released<Mutex<Open>>,
    pastes: mpsc::UnboundedSender<Paste>,
    cancelled: watch::Sender<bool>,
}

#[rustler::resource_impl]
impl Resource for Login {}

/// Whoever has it decides how the login goes on.
#[derive(Debug)]
struct Open {
    login: Option<PendingLogin>,
    pastes: Arc<Mutex<mpsc::UnboundedReceiver<Paste>>>,
}

/// What somebody brings by hand while another waits, and where to say what came of it.
#[derive(Debug)]
struct Paste {
    text: Secret,
    outcome: oneshot::Sender<Result<Connected>>,
}

impl Login {
    fn new(login: PendingLogin) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let open = Open { login: Some(login), pastes: Arc::new(Mutex::new(receiver)) };
        Self { open: Released::new(Mutex::new(open)), pastes: sender, cancelled: watch::Sender::new(false) }
    }

    /// Waits for the person's decision, however it comes.
    async fn wait(&self) -> Result<Connected> {
        let mut cancelled = self.cancelled.subscribe();
        tokio::select! {
            result = self.take_answers() => result,
            // The sender lives as long as this does.
            _ = cancelled.wait_for(|cancelled| *cancelled) => Err(over()),
        }
    }

    async fn take_answers(&self) -> Result<Connected> {
        let mut open = self.open.lock().await;
        let Open { login, pastes } = &mut *open;
        let login = login.as_mut().ok_or_else(over)?;
        let latest = Arc::new(Latest::default());
        let result = login
            .wait_or_paste(|rejected| {
                latest.settle(rejected.map(Err));
                next(pastes.clone(), latest.clone())
            })
            .await;
        latest.settle(Some(result.clone()));
        result
    }

    /// Finishes the login with `text`, whether or not somebody waits for its end.
    async fn finish(&self, text: Secret) -> Result<Connected> {
        let (outcome, settled) = oneshot::channel();
        // The receiver lives in `self`.
        let _ = self.pastes.send(Paste { text: text.clone(), outcome });
        tokio::select! {
            biased;
            Ok(result) = settled => result,
            mut open = self.open.lock() => {
                // Nobody waits: what was just sent is for nobody.
                while open.pastes.lock().await.try_recv().is_ok() {}
                open.login.as_mut().ok_or_else(over)?.finish(&text).await
            }
        }
    }
}

/// The paste that is being looked at, and who brought it.
#[derive(Debug, Default)]
struct Latest(std::sync::Mutex<Option<oneshot::Sender<Result<Connected>>>>);

impl Latest {
    fn settle(&self, result: Option<Result<Connected>>) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(waiting), Some(result)) = (waiting, result) {
            // Whoever brought it may have gone.
            let _ = waiting.send(result);
        }
    }
}

async fn next(pastes: Arc<Mutex<mpsc::UnboundedReceiver<Paste>>>, latest: Arc<Latest>) -> Option<Secret> {
    let Paste { text, outcome } = pastes.lock().await.recv().await?;
    *latest.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    Some(text)
}

#[rustler::nif]
fn connect<'a>(
    env: Env<'a>,
    tag: Term<'a>,
    handle: ResourceArc<Handle>,
    account: (String, String),
    flow: Option<String>,
    scopes: Vec<String>,
    timeout: Option<u64>,
) -> Begun {
    let auth = handle.auth();
    answer(env, tag, async move {
        let mut options = ConnectOptions::default();
        options.flow = flow.as_deref().map(flow_named).transpose()?;
        options.scopes = scopes;
        options.timeout = timeout.map(Duration::from_millis);
        let pending = auth.connect(&account_key(&account.0, &account.1)?, options).await?;
        let login = ResourceArc::new(Login::new(pending));
        describe(login).await
    })
}

/// Opens the person's browser, and describes the login anew: its flow may be another now.
#[rustler::nif]
fn open_browser<'a>(env: Env<'a>, tag: Term<'a>, login: ResourceArc<Login>) -> Begun {
    answer(env, tag, async move {
        let mut open = login.open.try_lock().map_err(|_| waited_for())?;
        open.login.as_mut().ok_or_else(over)?.open_browser().await?;
        drop(open);
        describe(login).await
    })
}

#[rustler::nif]
fn await_login<'a>(env: Env<'a>, tag: Term<'a>, login: ResourceArc<Login>) -> Begun {
    answer(env, tag, async move { login.wait().await.map(Made::from) })
}

#[rustler::nif]
fn finish_login<'a>(env: Env<'a>, tag: Term<'a>, login: ResourceArc<Login>, pasted: String) -> Begun {
    let pasted = Secret::new(pasted);
    answer(env, tag, async move { login.finish(pasted).await.map(Made::from) })
}

/// Ends the login. An exchange that has begun is not broken off.
#[rustler::nif]
fn cancel_login<'a>(env: Env<'a>, tag: Term<'a>, login: ResourceArc<Login>) -> Begun {
    answer(env, tag, async move {
        login.cancelled.send_replace(true);
        Ok(login.open.lock().await.login.take().is_some())
    })
}

async fn describe(login: ResourceArc<Login>) -> Result<Waiting> {
    let open = login.open.lock().await;
    let pending = open.login.as_ref().ok_or_else(over)?;
    Ok(Waiting::new(login.clone(), pending))
}

fn flow_named(name: &str) -> Result<Flow> {
    let flows = [Flow::Device, Flow::Loopback, Flow::Paste];
    flows.into_iter().find(|flow| flow.as_str() == name).ok_or_else(|| {
        Error::new(ErrorCode::Usage, "that is no flow of this call")
            .with_advice("Use :device, :loopback or :paste, or begin_hosted for a web app.")
    })
}

fn waited_for() -> Error {
    Error::new(ErrorCode::Usage, "somebody waits for this login already")
        .with_advice("Open the browser before you wait.")
}

fn over() -> Error {
    Error::new(ErrorCode::LoginClosed, "this login is over")
}
