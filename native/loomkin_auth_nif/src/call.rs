//! A call that is answered by message.
//!
//! A message of a library goes to a process, and cannot go to an alias, which would drop it when it is late. So the
//! answer and the end of the waiting race for one word of memory: if the caller's end wins, nothing is ever sent; if the
//! answer wins, it is in the caller's mailbox or on its way there. Either way nobody finds an answer that it no longer
//! waits for.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use loomkin_auth::error::{Error, ErrorCode, Result};
use rustler::env::SavedTerm;
use rustler::{Encoder, Env, LocalPid, Monitor, OwnedEnv, Resource, ResourceArc, Term};
use tokio::task::AbortHandle;

use crate::convert::error::Failure;
use crate::runtime::runtime;

/// The waiting of one caller. When the caller dies, the waiting ends, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Call {
    state: AtomicU8,
    task: OnceLock<AbortHandle>,
}

/// What a function gives back at once: the call, or why there is none.
pub(crate) type Begun = std::result::Result<ResourceArc<Call>, Failure>;

#[rustler::resource_impl]
impl Resource for Call {
    fn down<'a>(&'a self, _: Env<'a>, _: LocalPid, _: Monitor) {
        self.cancel();
    }
}

impl Call {
    /// Ends the waiting. `false` says that the answer has been sent, or is being sent at this moment.
    fn cancel(&self) -> bool {
        let is_first = self.settle(CANCELLED);
        if is_first && let Some(task) = self.task.get() {
            // What must come to its end runs in tasks of the core's.
            task.abort();
        }
        is_first
    }

    fn settle(&self, state: u8) -> bool {
        self.state.compare_exchange(WAITING, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Runs `work` on the runtime, and sends `{tag, {:ok, value}}` or `{tag, {:error, error}}` to the caller.
pub(crate) fn answer<T: Encoder>(
    env: Env<'_>,
    tag: Term<'_>,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Begun {
    let runtime = runtime()?;
    let call = ResourceArc::new(Call::default());
    let reply = Reply::new(call.clone(), env.pid(), tag);
    env.monitor(&call, &env.pid());
    let task = runtime.spawn(async move {
        let result = work.await;
        reply.send(result.map_err(Failure::from));
    });
    // Nobody else sets it. A caller that has died by now is answered, and the BEAM drops that.
    let _ = call.task.set(task.abort_handle());
    Ok(call)
}

/// Ends the waiting for the answer of `call`. `false` says that the answer comes all the same, if it is not there yet.
#[rustler::nif]
fn cancel_call(call: ResourceArc<Call>) -> bool {
    call.cancel()
}

/// The one answer to a call. If it is dropped without one, because its task panicked, that is the answer.
struct Reply {
    call: ResourceArc<Call>,
    caller: LocalPid,
    terms: OwnedEnv,
    tag: SavedTerm,
}

impl Reply {
    fn new(call: ResourceArc<Call>, caller: LocalPid, tag: Term<'_>) -> Self {
        let terms = OwnedEnv::new();
        let tag = terms.save(tag);
        Self { call, caller, terms, tag }
    }

    fn send(&self, answer: std::result::Result<impl Encoder, Failure>) {
        if self.call.settle(ANSWERED) {
            self.terms.run(|env| {
                let message = (self.tag.load(env), answer);
                // A caller that has just died needs no answer.
                let _ = env.send(&self.caller, message);
            });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let broken_off =
            Error::new(ErrorCode::Unavailable, "the call was broken off by a fault in Loomkin Auth")
                .with_advice("Report this, with what stands on standard error.");
        self.send(Err::<bool, _>(broken_off.into()));
    }
}

const WAITING: u8 = 0;
const ANSWERED: u8 = 1;
const CANCELLED: u8 = 2;
