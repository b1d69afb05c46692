//! Events, as messages to whoever subscribed.

use std::sync::OnceLock;

use loomkin_auth::account::Owner;
use loomkin_auth::lifecycle;
use rustler::{Env, LocalPid, Monitor, OwnedEnv, Resource, ResourceArc, Term};
use tokio::task::AbortHandle;

use crate::call::{Begun, answer};
use crate::convert::event::Told;
use crate::handle::Handle;

/// A subscription. It ends with the process that made it, or by [`unsubscribe`].
#[derive(Debug, Default)]
pub(crate) struct Subscription(OnceLock<AbortHandle>);

#[rustler::resource_impl]
impl Resource for Subscription {
    fn down<'a>(&'a self, _: Env<'a>, _: LocalPid, _: Monitor) {
        self.end();
    }
}

impl Subscription {
    fn end(&self) {
        if let Some(task) = self.0.get() {
            task.abort();
        }
    }
}

/// Sends `{:loomkin_auth, event}` to the caller, for the events of `owner` or of everybody, once this has answered.
#[rustler::nif]
fn subscribe<'a>(env: Env<'a>, tag: Term<'a>, handle: ResourceArc<Handle>, owner: Option<String>) -> Begun {
    let (auth, subscriber) = (handle.auth(), env.pid());
    answer(env, tag, async move {
        let owner = owner.map(Owner::new).transpose()?;
        let events = auth.subscribe(owner.as_ref()).await?;
        let subscription = ResourceArc::new(Subscription::default());
        let task = tokio::spawn(pass_on(events, subscriber, subscription.clone()));
        // Nobody else sets it.
        let _ = subscription.0.set(task.abort_handle());
        // A subscriber that has died meanwhile cannot be watched any more.
        if OwnedEnv::new().monitor(&subscription, &subscriber).is_none() {
            subscription.end();
        }
        Ok(subscription)
    })
}

#[rustler::nif]
fn unsubscribe(subscription: ResourceArc<Subscription>) -> bool {
    subscription.end();
    true
}

/// The watching ends with its resource, and the subscriber may let go of that: so the task holds it too.
async fn pass_on(
    mut events: lifecycle::Subscription,
    subscriber: LocalPid,
    _watching: ResourceArc<Subscription>,
) {
    while let Some(event) = events.next().await {
        let send = |env: Env<'_>| env.send(&subscriber, (atoms::loomkin_auth(), Told::from(event)));
        if OwnedEnv::new().run(send).is_err() {
            return;
        }
    }
}

mod atoms {
    rustler::atoms! { loomkin_auth }
}
